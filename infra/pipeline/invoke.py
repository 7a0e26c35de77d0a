"""Send one event through the live alias of each function, follow it, and show its timeline and result."""

import json
import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType

from infra import contract
from infra.aws.execution import Execution
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.console import timeline
from infra.console.progress import doing
from infra.console.report import Report
from infra.errors import UsageError
from infra.pipeline.arguments import add_function, add_pull_request
from infra.pipeline.callback import answering

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `invoke` takes."""
    add_pull_request(parser)
    add_function(parser)
    parser.add_argument(
        "--event", type=Path, metavar="FILE", help="JSON file with the event of one function (default: its contract's)"
    )
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
        with doing(f"Following {function.name}"):
            arn = function.start(f"invoke-{secrets.token_hex(8)}", sent[function.folder])
            answers = {} if arguments.event else _answers(target, function)
            ended = function.follow(arn, arguments.deadline, meanwhile=answering(target, function, arn, answers))
        history = function.history(arn)
        spans = [asdict(span) for span in timeline.spans(history)]
        found.append({"function": function.folder, **asdict(ended), "timeline": spans})
        told += lines(ended, history, function.folder if len(sent) > 1 else "")
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


def lines(ended: Execution, events: "list[EventTypeDef]", function: str = "") -> Iterator[RenderableType]:
    """Tell a person of an execution that has ended, and of which function it was where there are several."""
    yield ""
    yield f"{function + ': ' if function else ''}{ended.name} on version {ended.version}: {ended.status}"
    yield ""
    yield timeline.picture(events)
    yield ""
    yield f"error   {ended.error}" if ended.error else f"result  {json.dumps(ended.result)}"
    yield f"arn     {ended.arn}"
