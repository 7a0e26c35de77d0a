"""The pipeline's commands, each one action on one environment, or on one preview in it.

Exit codes: 0 done; 1 the action failed; 2 the input is wrong and nothing was touched; 130 interrupted.
"""

import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra import project as projects
from infra.aws.target import Target
from infra.console.report import Report, show
from infra.environment import load, names
from infra.errors import CommandError, UsageError
from infra.github import issues
from infra.pipeline import (
    access,
    bootstrap,
    build,
    build_all,
    callback,
    check_open,
    comment,
    contract,
    deploy,
    diff,
    doctor,
    drain,
    drift,
    executions,
    invoke,
    project,
    prune,
    roll_back,
    sleep,
    smoke,
    status,
    sweep,
    target,
    teardown,
    wake,
)

COMMANDS = {
    "doctor": doctor,
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
    "callback": callback,
    "drift": drift,
    "contract": contract,
    "prune": prune,
    "sleep": sleep,
    "wake": wake,
    "drain": drain,
    "teardown": teardown,
    "sweep": sweep,
    "target": target,
}
# What works on no environment in particular.
OF_PROJECT = {"project": project, "build-all": build_all}
# What works on the previews of the environment that hosts them.
OF_PREVIEWS = ("check-open", "comment", "sleep", "sweep")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, tell what it found, and return its exit code."""
    parsed = parser().parse_args(arguments)
    report = _attempt(lambda: _run(parsed))
    show(report, as_json=parsed.json, file=parsed.report)
    # Only now, so that a GitHub which can't be told costs nothing of what was found.
    told = _attempt(lambda: _tell_github(report))
    if told.error:
        show(replace(told, facts={}, markdown=""))
    return max(report.code, told.code)


def parser() -> ArgumentParser:
    """Return the parser of the command line."""
    top = ArgumentParser("python -m infra.pipeline", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in (COMMANDS | OF_PROJECT).items():
        command = commands.add_parser(name, help=module.__doc__, description=module.__doc__)
        if name in COMMANDS:
            command.add_argument(
                "--environment",
                metavar="NAME",
                help="name of a file in environments/, without .toml (default for previews: the one that hosts them)",
            )
        command.add_argument("--json", action="store_true", help="print one JSON object")
        command.add_argument("--report", type=Path, metavar="FILE", help="write that object to a file as well")
        command.add_argument("--verbose", action="store_true", help="show what the CDK CLI prints")
        module.add_arguments(command)
    return top


def interruptible() -> None:
    """Let an interruption end a command in order, and let what it puts back then be put back.

    A workflow that is cancelled sends SIGINT, and SIGTERM 7.5 s later; a process that was started in the background
    ignores SIGINT unless it says otherwise.
    """

    def interrupt(_signal: int, _frame: object) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt)


def _run(parsed: Namespace) -> Report:
    if parsed.command in OF_PROJECT:
        return OF_PROJECT[parsed.command].run(projects.load(), parsed)
    return COMMANDS[parsed.command].run(_target(parsed), parsed)


def _target(parsed: Namespace) -> Target:
    known, pull_request = projects.load(), getattr(parsed, "pull_request", None)
    of_previews = parsed.command in OF_PREVIEWS or pull_request is not None
    name = parsed.environment or (known.previews if of_previews else None)
    if name is None:
        raise UsageError(f"say on which environment: --environment NAME, of {', '.join(names())}")
    return Target(load(name), pull_request, getattr(parsed, "function", None))


def _attempt(action: Callable[[], Report]) -> Report:
    """Run what returns a report; of what it raises, make one."""
    try:
        return action()
    except UsageError as error:
        return Report.of_failure(2, str(error))
    except CommandError as error:
        return Report.of_failure(1, str(error))
    except (BotoCoreError, ClientError) as error:
        return Report.of_failure(1, f"AWS: {error}")
    except KeyboardInterrupt:
        return Report.of_failure(130, "interrupted")


def _tell_github(report: Report) -> Report:
    if report.notice:
        issues.keep(report.notice)
    return Report({})


if __name__ == "__main__":
    interruptible()
    sys.exit(main())
