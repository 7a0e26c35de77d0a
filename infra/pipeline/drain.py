"""Close functions to new executions, and wait until none runs on them any more, before they are removed."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from infra import budgets
from infra.aws import previews
from infra.aws.clock import Clock
from infra.aws.execution import Listed
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.console import age
from infra.console.progress import console, doing
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline.arguments import add_function, add_pull_request
from infra.pipeline.callback import waits

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

# What has not ended, by the function that it runs on; functions on which nothing runs are not in it.
Running = Mapping[DeployedFunction, list[Listed]]


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
    add_function(parser)
    add_ending(parser, default="wait")
    parser.add_argument(
        "--confirm",
        default="",
        metavar="NAME",
        help="consent, where the environment is protected: what is drained, such as PROJECT-ENVIRONMENT",
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
    """Drain, and leave the functions closed. Exit code 1 when executions still run: all are open again then."""
    target.check_has_functions()
    if arguments.open:
        return _open(target)
    if (
        arguments.running == "stop"
        and target.environment.protection.termination_protection
        and arguments.confirm != target.name
    ):
        raise UsageError(
            f"{target.environment.name} is protected: stopping its executions takes --confirm {target.name}"
        )
    functions = target.deployed_functions()
    stopped = drain_all(target, functions, Ending(arguments.running, arguments.deadline)) if functions else 0
    closed = [each.name for each in functions if each.is_closed()]
    return _report(_told(closed, stopped) if closed else previews.none_found(target), stopped)


def drain_all(target: Target, functions: Sequence[DeployedFunction], ending: Ending) -> int:
    """Close several functions, and see the executions of all of them end; opens all again where those of one do not.

    They are waited for together, so that several take no longer than one.

    Returns:
        How many executions were stopped.

    Raises:
        CommandError: executions still run.
    """
    if ending.running == "refuse" and ending.seconds == 0:
        found = _running(functions)
        _refuse(target, found, is_open=not all(each.is_closed() for each in found))
    with ExitStack() as undo:
        for function in functions:
            # Also one that is interrupted while it is being closed.
            undo.callback(function.open)
            function.close()
        left = _wait(target, functions, ending.seconds)
        if ending.running == "stop":
            stopped = _stop(target, left)
        else:
            _refuse(target, left)
            stopped = 0
        undo.pop_all()
    return stopped


def lines(clock: Clock, executions: Sequence[Listed]) -> Iterator[str]:
    """Tell a person of executions that have not ended, oldest first."""
    for each in executions[:LISTED_AT_MOST]:
        started = age.text(clock.now() - each.started)
        yield f"{each.name} on version {each.version}: {each.status}, started {started} ago"
    if len(executions) > LISTED_AT_MOST:
        yield f"and {len(executions) - LISTED_AT_MOST} more"


def told_of_stopped(count: int) -> str:
    """Continue a sentence with the number of executions that were stopped."""
    return f"; {count} {'execution was' if count == 1 else 'executions were'} stopped" if count else ""


def _open(target: Target) -> Report:
    functions = target.deployed_functions()
    if not functions:
        raise CommandError(f"{previews.none_found(target)}; deploy it")
    for function in functions:
        function.open()
    live = {function.name: function.live() for function in functions}
    if missing := [name for name, version in live.items() if version is None]:
        raise CommandError(
            "\n".join(f"{name} has no live alias, and none that a drain has put aside: deploy it" for name in missing)
        )
    return _report("\n".join(f"{name} takes new executions, on version {version}" for name, version in live.items()), 0)


def _stop(target: Target, left: Running) -> int:
    """Stop what runs, and see it end."""
    if not left:
        return 0
    stopped = sum(
        function.stop(each.arn, f"{function.name} is being removed") for function, on in left.items() for each in on
    )
    longest = max(target.environment.settings(each.folder).timeout_seconds for each in left)
    patience = min(longest + STOPPED_AFTER_TIMEOUT_SECONDS, budgets.DRAIN)
    unstopped = _wait(target, list(left), patience, paused_too=True)
    _refuse(target, unstopped, "were told to stop and have not: code that runs goes on to its next checkpoint")
    return stopped


def _wait(
    target: Target, functions: Sequence[DeployedFunction], deadline_seconds: float, *, paused_too: bool = False
) -> Running:
    """Wait until nothing runs, and return what still does.

    What is paused is not waited for unless it was stopped: it ends by no clock.
    """
    clock = target.clock
    started = clock.monotonic()
    told = False
    with doing(f"Executions of {', '.join(each.name for each in functions)}") as tell:
        while left := _look(target, functions):
            statuses = [each.status for on in left.values() for each in on]
            paused = statuses.count("PAUSED")
            active = len(statuses) - paused
            remaining = deadline_seconds - (clock.monotonic() - started)
            if remaining <= 0 or not (active or paused_too):
                return left
            if not told:
                told = True
                for line in _waits(target, left):
                    console.print(line, markup=False, soft_wrap=True)
            tell(f"{active} running, {paused} paused")
            clock.sleep(min(POLL_SECONDS, remaining))
    return {}


def _look(target: Target, functions: Sequence[DeployedFunction]) -> Running:
    """Return what runs. That nothing does is believed the second time."""
    found = _running(functions)
    if not found:
        target.clock.sleep(SETTLES_WITHIN_SECONDS)
        found = _running(functions)
    return found


def _running(functions: Sequence[DeployedFunction]) -> Running:
    found = {function: function.running() for function in functions}
    return {function: on for function, on in found.items() if on}


def _refuse(target: Target, left: Running, why: str = "have not ended", *, is_open: bool = True) -> None:
    if not left:
        return
    told: list[str] = []
    for function, on in left.items():
        told += [f"{len(on)} executions of {function.name} {why}:", *(f"  {line}" for line in lines(target.clock, on))]
    told += _waits(target, left)
    door = "new ones are taken" if is_open else "no new ones are taken until `drain --open`"
    told.append(f"They go on, and {door}. Wait for them (--running wait), or stop them (--running stop).")
    if any(each.status.startswith("PAUS") for on in left.values() for each in on):
        told[-1] += " Those that are paused end only once somebody resumes or stops them."
    raise CommandError("\n".join(told))


def _waits(target: Target, left: Running) -> list[str]:
    """Tell of the callbacks without which executions never end."""
    return [line for function, on in left.items() for line in waits(target, function, on[:LISTED_AT_MOST])]


def _told(closed: Sequence[str], stopped: int) -> str:
    it_is, it_was = ("It is", "it is") if len(closed) == 1 else ("They are", "they are")
    return (
        f"Nothing runs on {' and '.join(closed)} any more{told_of_stopped(stopped)}. {it_is} closed: new executions "
        f"are refused until {it_was} removed, or opened by `drain --open`"
    )


def _report(message: str, stopped: int) -> Report:
    return Report({"stopped": stopped}, message.split("\n"), message)
