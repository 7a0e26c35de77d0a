"""Send one event through the live alias of each function, follow it, and show its timeline and result."""

import json
import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType

from infra import contract
from infra.aws import function_log
from infra.aws.execution import Execution
from infra.aws.function import DeployedFunction
from infra.aws.problems import noting
from infra.aws.target import Target
from infra.console import log, markdown, timeline
from infra.console.progress import console, doing
from infra.console.report import Report
from infra.errors import UsageError
from infra.naming import Output
from infra.pipeline.arguments import add_function, add_pull_request
from infra.pipeline.callback import answering
from infra.pipeline.wake import refuse_asleep

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `invoke` takes."""
    add_pull_request(parser)
    add_function(parser)
    parser.add_argument(
        "--event", type=Path, metavar="FILE", help="JSON file with the event of one function (default: its contract's)"
    )
    parser.add_argument("--logs", action="store_true", help="show what each logged (default: only where one failed)")
    parser.add_argument(
        "--deadline", type=float, default=120, metavar="SECONDS", help="how long to follow each (default: 120)"
    )


def run(target: Target, arguments: Namespace) -> Report:
    """Run one execution of each function. Exit code 0 when all succeeded, 1 when one ended in any other way."""
    sent = events(target, arguments.event)
    found: list[dict[str, object]] = []
    told: list[RenderableType] = []
    succeeded = True
    for function in target.functions:
        refuse_asleep(target, function)
        with doing(f"Following {function.name}"):
            arn = function.start(f"invoke-{secrets.token_hex(8)}", sent[function.folder])
            answers = {} if arguments.event else _answers(target, function)
            ended = function.follow(arn, arguments.deadline, meanwhile=answering(target, function, arn, answers))
        history = function.history(arn)
        logged = log_of(target, function, arn) if arguments.logs or not ended.succeeded else None
        spans = [asdict(span) for span in timeline.spans(history)]
        more = {"log": logged} if logged is not None else {}
        found.append({"function": function.folder, **asdict(ended), "timeline": spans, **more})
        told += lines(ended, history, function.folder if len(sent) > 1 else "", logged)
        succeeded = succeeded and ended.succeeded
    return Report({"executions": found}, told, code=0 if succeeded else 1)


def events(target: Target, path: Path | None) -> dict[str, bytes]:
    """Return what each function is sent, by its folder.

    Args:
        target: the functions.
        path: a file with the event of the one function that is meant, or None for those of the contracts.

    Raises:
        UsageError: there is no such function, several are meant, or a file can't be read.
    """
    names = target.function_names
    if path is None:
        contracts = {name: contract.load(name, target.environment.project.root) for name in names}
        return {name: json.dumps(each.sample).encode() for name, each in contracts.items()}
    if len(names) > 1:
        raise UsageError(f"--event {path}: say which function it is for: --function NAME, of {', '.join(names)}")
    return dict.fromkeys(names, read_event(path))


def _answers(target: Target, function: DeployedFunction) -> dict[str, bytes]:
    """Return what the contract answers to callbacks of its own event."""
    promised = contract.load(function.folder, target.environment.project.root)
    return promised.answers_of(promised.example)


def read_event(path: Path) -> bytes:
    """Read an event from a file.

    Raises:
        UsageError: it can't be read, or is not JSON. Whether it is a good event is for the function to say.
    """
    try:
        event = path.read_bytes()
        json.loads(event)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    return event


def tell_unlike(target: Target, path: Path | None) -> None:
    """Tell in what the event of a file is unlike that of the contract, which no execution needs to fail for.

    It says so before anything is deployed, and what comes of the event is for the function to say.

    Raises:
        UsageError: as `events` does.
    """
    sent = events(target, path)
    if path is None:
        return
    for name, event in sent.items():
        for difference in contract.unlike(contract.load(name, target.environment.project.root), json.loads(event)):
            where = f"functions/{name}/contract.toml"
            console.print(f"{path}: {difference} ({where}); it is sent all the same", markup=False, soft_wrap=True)


def log_of(target: Target, function: DeployedFunction, arn: str) -> list[str]:
    """Return the last lines that a function logged in an execution that has ended, as a person reads them.

    Where they can't be read it tells why, in one line: the execution is told all the same.
    """
    problems: list[str] = []
    where = "in CloudWatch Logs"
    with noting(problems), doing(f"Reading the log of {function.name}"):
        group = target.stacks.get(function.name).outputs[Output.LOG_GROUP_NAME]
        where = f"in the log group {group}"
        found = [*log.shown(function_log.read(target.session.client("logs"), group, function, arn, target.clock))]
        return found or [f"nothing of this execution stands {where}"]
    return [f"its log, {where}, can't be read: {markdown.line(problem)}" for problem in problems]


def lines(
    ended: Execution, events: "list[EventTypeDef]", function: str = "", logged: Sequence[str] | None = None
) -> Iterator[RenderableType]:
    """Tell a person of an execution that has ended, and of which function it was where there are several."""
    yield ""
    yield f"{function + ': ' if function else ''}{ended.name} on version {ended.version}: {ended.status}"
    yield ""
    yield timeline.picture(events)
    if logged is not None:
        yield from ("", "log", *logged)
    yield ""
    yield f"error   {markdown.line(ended.error)}" if ended.error else f"result  {json.dumps(ended.result)}"
    yield f"arn     {ended.arn}"
