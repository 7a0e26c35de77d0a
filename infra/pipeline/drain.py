"""Close a function to new executions, and wait until none runs any more, before it is removed."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from infra import naming
from infra.aws.alias import close, is_closed, live_version, reopen
from infra.aws.execution import Listed, running, stop
from infra.aws.session import open_session
from infra.console import age
from infra.console.output import show
from infra.console.progress import doing
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.pipeline.arguments import add_pull_request

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# What to do with executions that run, and for how many seconds each waits for them first unless told otherwise.
CHOICES = {"refuse": 0, "wait": 900, "stop": 0}

# Well below the 15 ListDurableExecutionsByFunction calls a second that an account has (Lambda quotas).
POLL_SECONDS = 2
# An execution is listed a moment after its start was answered; AWS gives no figure. What is missed all the same is
# waited for by the deletion of the function.
SETTLES_WITHIN_SECONDS = 3
# A stopped execution ends at the next checkpoint of code that runs; a step may take as long as an invocation, and on
# Managed Instances nothing ends it then (Lambda developer guide, execution environment of Managed Instances).
STOPPED_AFTER_TIMEOUT_SECONDS = 60
LISTED_AT_MOST = 20


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `drain` takes."""
    add_pull_request(parser)
    add_choice(parser, default="wait")
    parser.add_argument(
        "--confirm", default="", metavar="STACK", help="to stop executions of a protected environment: its orders stack"
    )
    parser.add_argument("--open", action="store_true", help="do not drain: take new executions again after a drain")


def add_choice(parser: ArgumentParser, default: str) -> None:
    """Add what is to become of executions that run."""
    parser.add_argument(
        "--running",
        choices=CHOICES,
        default=default,
        help=f"executions that run: refuse because of them, wait for them, or stop them (default: {default})",
    )
    parser.add_argument(
        "--deadline",
        type=float,
        metavar="SECONDS",
        help=f"how long to wait before (default: {CHOICES['wait']} for wait, 0 for the others)",
    )


def run(environment: Environment, arguments: Namespace) -> int:
    """Drain, and leave the function closed. Exit code 1 when executions still run: it is open again then."""
    function = naming.orders_stack(environment.name, arguments.pull_request)
    if arguments.running == "stop" and environment.protection.termination_protection and arguments.confirm != function:
        raise UsageError(f"{environment.name} is protected: stopping its executions takes --confirm {function}")
    client = open_session(environment).client("lambda")
    if arguments.open:
        reopen(client, function)
        if (version := live_version(client, function)) is None:
            raise CommandError(f"{function} has no live alias, and none that a drain has put aside: deploy it")
        return _show(arguments, f"{function} takes new executions, on version {version}", 0)
    stopped = drain(client, environment, function, arguments)
    if not is_closed(client, function):
        return _show(arguments, f"There is no function {function}", 0)
    message = (
        f"Nothing runs on {function} any more{told_of_stopped(stopped)}. It is closed: new executions are "
        "refused until it is removed, or opened by `drain --open`"
    )
    return _show(arguments, message, stopped)


def drain(client: "LambdaClient", environment: Environment, function: str, arguments: Namespace) -> int:
    """Close a function, and see its executions end; opens it again where they do not.

    Args:
        client: a client of the environment's account and region.
        environment: the function's environment.
        function: its name.
        arguments: those of `add_choice`.

    Returns:
        How many executions were stopped.

    Raises:
        CommandError: executions still run.
    """
    deadline = arguments.deadline if arguments.deadline is not None else CHOICES[arguments.running]
    if arguments.running == "refuse" and deadline == 0:
        _refuse(function, running(client, function), is_open=not is_closed(client, function))
    close(client, function)
    try:
        left = _wait(client, function, deadline)
        if arguments.running != "stop" or not left:
            _refuse(function, left)
            return 0
        stopped = sum(stop(client, each.arn, f"{function} is being removed") for each in left)
        patience = environment.function.timeout_seconds + STOPPED_AFTER_TIMEOUT_SECONDS
        unstopped = _wait(client, function, patience, paused_too=True)
        _refuse(function, unstopped, "were told to stop and have not: code that runs goes on to its next checkpoint")
    except BaseException:
        reopen(client, function)
        raise
    return stopped


def lines(executions: Sequence[Listed]) -> Iterator[str]:
    """Tell a person of executions that have not ended, oldest first."""
    for each in executions[:LISTED_AT_MOST]:
        yield f"{each.name} on version {each.version}: {each.status}, started {age.text(age.since(each.started))} ago"
    if len(executions) > LISTED_AT_MOST:
        yield f"and {len(executions) - LISTED_AT_MOST} more"


def told_of_stopped(count: int) -> str:
    """Continue a sentence with the number of executions that were stopped."""
    return f"; {count} {'execution was' if count == 1 else 'executions were'} stopped" if count else ""


def _wait(client: "LambdaClient", function: str, deadline_seconds: float, *, paused_too: bool = False) -> list[Listed]:
    """Wait until nothing runs, and return what still does.

    What is paused is not waited for unless it was stopped: it ends by no clock.
    """
    started = time.monotonic()
    with doing(f"Executions of {function}") as tell:
        while left := _look(client, function):
            active = [each for each in left if each.status != "PAUSED"]
            remaining = deadline_seconds - (time.monotonic() - started)
            if remaining <= 0 or not (active or paused_too):
                return left
            tell(f"{len(active)} running, {len(left) - len(active)} paused")
            time.sleep(min(POLL_SECONDS, remaining))
    return []


def _look(client: "LambdaClient", function: str) -> list[Listed]:
    """Return what runs. That nothing does is believed the second time."""
    found = running(client, function)
    if not found:
        time.sleep(SETTLES_WITHIN_SECONDS)
        found = running(client, function)
    return found


def _refuse(function: str, left: Sequence[Listed], why: str = "have not ended", *, is_open: bool = True) -> None:
    if not left:
        return
    door = "new ones are taken" if is_open else "no new ones are taken until `drain --open`"
    paused = " Those that are paused end only once somebody resumes or stops them."
    raise CommandError(
        "\n".join(
            [
                f"{len(left)} executions of {function} {why}:",
                *(f"  {line}" for line in lines(left)),
                f"They go on, and {door}. Wait for them (--running wait), or stop them (--running stop)."
                + (paused if any(each.status.startswith("PAUS") for each in left) else ""),
            ]
        )
    )


def _show(arguments: Namespace, message: str, stopped: int) -> int:
    show(arguments, {"stopped": stopped}, [message], message)
    return 0
