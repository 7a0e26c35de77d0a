"""Send each function an event of our own through its live alias, and check that it behaved as its contract promises."""

import json
import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from infra import budgets, contract, operations
from infra.aws.execution import Execution
from infra.aws.function import DeployedFunction
from infra.aws.problems import noting
from infra.aws.target import Target
from infra.console import markdown, timeline
from infra.console.progress import doing
from infra.console.report import Report
from infra.contract import Contract
from infra.errors import CommandError
from infra.pipeline.arguments import add_function, add_pull_request, add_versions, versions_of
from infra.pipeline.callback import answering
from infra.pipeline.invoke import lines, log_of
from infra.pipeline.wake import refuse_asleep

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

# How its executions are named.
PREFIX = "smoke-"


@dataclass
class Trial:
    """One execution of a function, as far as it came."""

    function: DeployedFunction
    promised: Contract
    expected: str | None = None
    arn: str | None = None
    ended: Execution | None = None
    events: "list[EventTypeDef]" = field(default_factory=list[Any])
    problems: list[str] = field(default_factory=list[str])
    log: list[str] | None = None


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `smoke` takes."""
    add_pull_request(parser)
    add_function(parser)
    add_versions(parser, "the versions that the executions are to meet (default: those that are live)")
    parser.add_argument(
        "--deadline",
        type=float,
        default=budgets.SMOKE,
        metavar="SECONDS",
        help=f"how long all executions may take together (default: {budgets.SMOKE})",
    )


def run(target: Target, arguments: Namespace) -> Report:
    """Run one execution of each function. Exit code 0 when all that was promised held, 1 when not.

    They run side by side, and all are tried, also when one fails.
    """
    versions, since = versions_of(target, arguments), target.clock.monotonic()
    name = f"{PREFIX}{secrets.token_hex(8)}"
    trials = [_trial(target, function) for function in target.functions]
    with doing(f"Smoke execution {name}"):
        for trial in trials:
            with noting(trial.problems):
                refuse_asleep(target, trial.function)
                _start(trial, name, versions.get(trial.function.folder))
        answer = _answering(target, trials, name)
        for trial in trials:
            with noting(trial.problems):
                _follow(trial, name, arguments.deadline, since, answer)
    for trial in trials:
        # The log is for the job's own log alone: others than we read what is told elsewhere.
        if trial.problems and trial.ended:
            trial.log = log_of(target, trial.function, trial.ended.arn)
    of = {each.function.folder: f" of {each.function.folder}" if len(trials) > 1 else "" for each in trials}
    return Report(
        {"functions": {each.function.folder: _facts(each) for each in trials}},
        [line for each in trials for line in _lines(each, of[each.function.folder])],
        "\n\n".join(_summary(each, of[each.function.folder]) for each in trials),
        code=int(any(each.problems for each in trials)),
    )


def _trial(target: Target, function: DeployedFunction) -> Trial:
    return Trial(function, contract.load(function.folder, target.environment.project.root))


def _start(trial: Trial, name: str, version: str | None) -> None:
    trial.expected = version or trial.function.live()
    trial.arn = trial.function.start(name, json.dumps(trial.promised.event_of(name)).encode())


def _answering(target: Target, trials: Sequence[Trial], name: str) -> Callable[[], None]:
    """Return what answers the callbacks of all executions, also of those that are not followed yet."""
    answers = [
        (each, answering(target, each.function, each.arn, each.promised.answers_of(name)))
        for each in trials
        if each.arn
    ]

    def answer() -> None:
        for trial, answer_of_one in answers:
            with noting(trial.problems):
                answer_of_one()

    return answer


def _follow(trial: Trial, name: str, deadline: float, since: float, answer: Callable[[], None]) -> None:
    if trial.arn is None:
        return
    try:
        trial.ended = ended = trial.function.follow(trial.arn, deadline, since, answer)
    except CommandError as error:
        trial.events = trial.function.history(trial.arn)
        unanswered = [each.name for each in operations.waiting(trial.events)]
        hint = f"; functions/{trial.function.folder}/contract.toml can answer it, under [callbacks]"
        raise CommandError(f"{error}{hint if unanswered else ''}") from error
    trial.events = trial.function.history(trial.arn)
    if ended.version != trial.expected:
        # Nothing is known of the version that it was sent for.
        trial.problems.append(f"it met version {ended.version}, and should have met {trial.expected}")
    trial.problems += contract.problems(trial.promised, name, ended, trial.events)


def _verdict(trial: Trial, of: str) -> str:
    return f"The smoke execution{of} {'failed:' if trial.problems else 'passed'}"


def _lines(trial: Trial, of: str) -> Iterator[RenderableType]:
    if trial.ended:
        yield from lines(trial.ended, trial.events, logged=trial.log)
    elif trial.events:
        yield from ("", timeline.picture(trial.events))
    yield from ("", _verdict(trial, of), *map(markdown.line, trial.problems))


def _summary(trial: Trial, of: str) -> str:
    drawn = timeline.gantt(timeline.spans(trial.events)) if trial.events else ""
    return "\n\n".join(filter(None, [_verdict(trial, of), markdown.items(trial.problems), drawn]))


def _facts(trial: Trial) -> dict[str, object]:
    return {
        "execution_arn": trial.arn,
        "status": trial.ended and trial.ended.status,
        "version": trial.ended and trial.ended.version,
        "problems": trial.problems,
        "timeline": [asdict(span) for span in timeline.spans(trial.events)],
    }
