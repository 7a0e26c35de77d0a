"""The pipeline's commands, each one action on one environment.

Exit codes: 0 done; 1 the action failed; 2 the input is wrong and nothing was touched; 130 interrupted.
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.environment import load
from infra.errors import CommandError, UsageError
from infra.pipeline import (
    access,
    bootstrap,
    build,
    check_open,
    comment,
    deploy,
    diff,
    drain,
    drift,
    executions,
    invoke,
    prune,
    roll_back,
    smoke,
    status,
    sweep,
    teardown,
)

COMMANDS = {
    "access": access,
    "build": build,
    "bootstrap": bootstrap,
    "deploy": deploy,
    "invoke": invoke,
    "smoke": smoke,
    "roll-back": roll_back,
    "diff": diff,
    "check-open": check_open,
    "comment": comment,
    "status": status,
    "executions": executions,
    "drift": drift,
    "prune": prune,
    "drain": drain,
    "teardown": teardown,
    "sweep": sweep,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parsed = parser().parse_args(arguments)
    try:
        return COMMANDS[parsed.command].run(load(parsed.environment), parsed)
    except UsageError as error:
        return _end(2, str(error))
    except CommandError as error:
        return _end(1, str(error))
    except (BotoCoreError, ClientError) as error:
        return _end(1, f"AWS: {error}")
    except KeyboardInterrupt:
        return _end(130, "interrupted")


def parser() -> ArgumentParser:
    """Return the parser of the command line."""
    top = ArgumentParser("python -m infra.pipeline", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.__doc__, description=module.__doc__)
        command.add_argument("--environment", required=True, help="name of a file in environments/, without .toml")
        command.add_argument("--json", action="store_true", help="print one JSON object")
        command.add_argument("--report", type=Path, metavar="FILE", help="write that object to a file as well")
        command.add_argument("--verbose", action="store_true", help="show what the CDK CLI prints")
        module.add_arguments(command)
    return top


def _end(code: int, message: str) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
