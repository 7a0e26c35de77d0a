"""Send one order through the live alias of a deployed function, follow it, and show its timeline and result."""

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
from infra.aws.target import Target
from infra.console import timeline
from infra.console.progress import doing
from infra.console.report import Report
from infra.errors import UsageError
from infra.pipeline.arguments import add_pull_request

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `invoke` takes."""
    add_pull_request(parser)
    parser.add_argument("--order", type=Path, help="JSON file with the event (default: that of the contract)")
    parser.add_argument(
        "--deadline", type=float, default=120, metavar="SECONDS", help="how long to follow (default: 120)"
    )


def run(target: Target, arguments: Namespace) -> Report:
    """Run one order. Exit code 0 when it succeeded, 1 when it ended in any other way."""
    event = read_order(arguments.order) if arguments.order else json.dumps(contract.load().sample).encode()
    function = target.function
    with doing("Following the order"):
        arn = function.start(f"order-{secrets.token_hex(8)}", event)
        ended = function.follow(arn, arguments.deadline)
    events = function.history(arn)
    facts = {**asdict(ended), "timeline": [asdict(span) for span in timeline.spans(events)]}
    return Report(facts, list(lines(ended, events)), code=0 if ended.succeeded else 1)


def read_order(path: Path) -> bytes:
    """Read an event from a file.

    Raises:
        UsageError: it can't be read, or is not JSON. Whether it is a good order is for the function to say.
    """
    try:
        event = path.read_bytes()
        json.loads(event)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    return event


def lines(ended: Execution, events: "list[EventTypeDef]") -> Iterator[RenderableType]:
    """Tell a person of an execution that has ended."""
    yield ""
    yield f"{ended.name} on version {ended.version}: {ended.status}"
    yield ""
    yield timeline.picture(events)
    yield ""
    yield f"error   {ended.error}" if ended.error else f"result  {json.dumps(ended.result)}"
    yield f"arn     {ended.arn}"
