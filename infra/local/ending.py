"""How the commands of this folder end: on Ctrl-C, on wrong input, and without a local AWS."""

import signal
import sys
from collections.abc import Callable

from infra.errors import UsageError
from infra.local.aws import LocalAwsError


def ended(command: Callable[[], int], *, interrupted: int) -> int:
    """Run a command, and return its exit code: 1 where no local AWS can be had, 2 where the input is wrong.

    Args:
        command: what is run; it returns its own exit code.
        interrupted: the exit code after Ctrl-C or SIGTERM.
    """
    # Also for SIGINT, which a shell lets its background jobs ignore.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        return command()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return interrupted
