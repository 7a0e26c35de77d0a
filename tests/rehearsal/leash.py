"""Runs a command, and ends it as Ctrl-C would once the process that started this one closes its input, or is gone.

act then ends the processes of its jobs, which are in groups and sessions of their own.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from infra.local.orphan import when_orphaned

ENDS_WITHIN_SECONDS = 20


def main(command: Sequence[str]) -> int:
    """Run a command, and return its exit code."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:

        def end() -> None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(ENDS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

        when_orphaned(end)
        return process.wait()


if __name__ == "__main__":
    # The thread that reads standard input holds its lock, which an ordinary exit would wait for.
    os._exit(main(sys.argv[1:]))
