"""Close a function to new executions, and wait until none runs any more, before it is removed."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra import budgets
from infra.aws.execution import Listed
from infra.aws.target import Target
from infra.console import age
from infra.console.progress import doing
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline.arguments import add_pull_request

# What to do with executions that run, and for how many seconds each waits for them first unless told otherwise.
CHOICES = {"refuse": 0, "wait": budgets.DRAIN, "stop": 0}

# Well below the 15 ListDurableExecutionsByFunction calls a second that an account has (Lambda quotas).
POLL_SECONDS = 2
# An execution is listed a moment after its start was answered; AWS gives no figure. What is missed all the same is
# waited for by the deletion of the function.
SETTLES_WITHIN_SECONDS = 3
# A stopped execution ends at the next checkpoint of code that runs; a step may take as long as an invocation, and on
# Managed Instances nothing ends it then (Lambda developer guide, execution environment of Managed Instances).
STOPPED_AFTER_TIMEOUT_SECONDS = 60
LISTED_AT_MOST = 20


@dataclass(frozen=True)
class Ending:
    """What is to become of executions that run.

    Args:
        running: one of CHOICES.
        deadline: how many seconds to wait for them before; None for as long as that choice does.
    """

    running: str
    deadline: float | None = None

    @property
    def seconds(self) -> float:
        """How long to wait for them."""
        return CHOICES[self.running] if self.deadline is None else self.deadline


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `drain` takes."""
    add_pull_request(parser)
    add_ending(parser, default="wait")
    parser.add_argument(
        "--confirm", default="", metavar="STACK", help="consent, where the environment is protected: the stack's name"
    )
    parser.add_argument("--open", action="store_true", help="do not drain: take new executions again after a drain")


def add_ending(parser: ArgumentParser, default: str) -> None:
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


def run(target: Target, arguments: Namespace) -> Report:
    """Drain, and leave the function closed. Exit code 1 when executions still run: it is open again then."""
    function, environment = target.function, target.environment
    if arguments.open:
        function.open()
        if (version := function.live()) is None:
            raise CommandError(f"{function.name} has no live alias, and none that a drain has put aside: deploy it")
        return _report(f"{function.name} takes new executions, on version {version}", 0)
    if (
        arguments.running == "stop"
        and environment.protection.termination_protection
        and arguments.confirm != function.name
    ):
        raise UsageError(f"{environment.name} is protected: stopping its executions takes --confirm {function.name}")
    stopped = drain(target, Ending(arguments.running, arguments.deadline))
    if not function.is_closed():
        return _report(f"There is no function {function.name}", 0)
    message = (
        f"Nothing runs on {function.name} any more{told_of_stopped(stopped)}. It is closed: new executions are "
        "refused until it is removed, or opened by `drain --open`"
    )
    return _report(message, stopped)


def drain(target: Target, ending: Ending) -> int:
    """Close a function, and see its executions end; opens it again where they do not.

    Returns:
        How many executions were stopped.

    Raises:
        CommandError: executions still run.
    """
    function = target.function
    if ending.running == "refuse" and ending.seconds == 0:
        _refuse(target, function.running(), is_open=not function.is_closed())
    try:
        function.close()
        left = _wait(target, ending.seconds)
        if ending.running != "stop" or not left:
            _refuse(target, left)
            return 0
        stopped = sum(function.stop(each.arn, f"{function.name} is being removed") for each in left)
        patience = target.environment.function.timeout_seconds + STOPPED_AFTER_TIMEOUT_SECONDS
        unstopped = _wait(target, min(patience, budgets.DRAIN), paused_too=True)
        _refuse(target, unstopped, "were told to stop and have not: code that runs goes on to its next checkpoint")
    except BaseException:
        # Also of one that was interrupted while it was being closed.
        function.open()
        raise
    return stopped


def lines(target: Target, executions: Sequence[Listed]) -> Iterator[str]:
    """Tell a person of executions that have not ended, oldest first."""
    for each in executions[:LISTED_AT_MOST]:
        started = age.text(target.clock.now() - each.started)
        yield f"{each.name} on version {each.version}: {each.status}, started {started} ago"
    if len(executions) > LISTED_AT_MOST:
        yield f"and {len(executions) - LISTED_AT_MOST} more"


def told_of_stopped(count: int) -> str:
    """Continue a sentence with the number of executions that were stopped."""
    return f"; {count} {'execution was' if count == 1 else 'executions were'} stopped" if count else ""


def _wait(target: Target, deadline_seconds: float, *, paused_too: bool = False) -> list[Listed]:
    """Wait until nothing runs, and return what still does.

    What is paused is not waited for unless it was stopped: it ends by no clock.
    """
    clock = target.clock
    started = clock.monotonic()
    with doing(f"Executions of {target.function_name}") as tell:
        while left := _look(target):
            active = [each for each in left if each.status != "PAUSED"]
            remaining = deadline_seconds - (clock.monotonic() - started)
            if remaining <= 0 or not (active or paused_too):
                return left
            tell(f"{len(active)} running, {len(left) - len(active)} paused")
            clock.sleep(min(POLL_SECONDS, remaining))
    return []


def _look(target: Target) -> list[Listed]:
    """Return what runs. That nothing does is believed the second time."""
    found = target.function.running()
    if not found:
        target.clock.sleep(SETTLES_WITHIN_SECONDS)
        found = target.function.running()
    return found


def _refuse(target: Target, left: Sequence[Listed], why: str = "have not ended", *, is_open: bool = True) -> None:
    if not left:
        return
    door = "new ones are taken" if is_open else "no new ones are taken until `drain --open`"
    paused = " Those that are paused end only once somebody resumes or stops them."
    raise CommandError(
        "\n".join(
            [
                f"{len(left)} executions of {target.function_name} {why}:",
                *(f"  {line}" for line in lines(target, left)),
                f"They go on, and {door}. Wait for them (--running wait), or stop them (--running stop)."
                + (paused if any(each.status.startswith("PAUS") for each in left) else ""),
            ]
        )
    )


def _report(message: str, stopped: int) -> Report:
    return Report({"stopped": stopped}, [message], message)
