"""Send an order of our own through the live alias, and check that it behaved as the function's contract promises."""

import json
import secrets
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from infra import budgets, contract
from infra.aws.target import Target
from infra.console import markdown, timeline
from infra.console.progress import doing
from infra.console.report import Report
from infra.pipeline.arguments import add_pull_request, version
from infra.pipeline.invoke import lines

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

# How its orders are named.
PREFIX = "smoke-"


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `smoke` takes."""
    add_pull_request(parser)
    parser.add_argument(
        "--version",
        type=version,
        metavar="N",
        help="the version that the order is to meet (default: the one that is live)",
    )
    parser.add_argument(
        "--deadline",
        type=float,
        default=budgets.SMOKE_ORDER,
        metavar="SECONDS",
        help=f"how long the order may take (default: {budgets.SMOKE_ORDER})",
    )


def run(target: Target, arguments: Namespace) -> Report:
    """Run one order. Exit code 0 when all that was promised held, 1 when not."""
    promised = contract.load()
    function = target.function
    expected = arguments.version or function.live()
    order = f"{PREFIX}{secrets.token_hex(8)}"
    with doing(f"Smoke order {order}"):
        arn = function.start(order, json.dumps(promised.event_of(order)).encode())
        ended = function.follow(arn, arguments.deadline)
    events = function.history(arn)
    found = contract.problems(promised, order, ended, events)
    if ended.version != expected:
        # Nothing is known of the version that it was sent for.
        found.insert(0, f"it met version {ended.version}, and should have met {expected}")
    verdict = "The smoke order passed" if not found else "The smoke order failed:"
    facts = {
        "execution_arn": ended.arn,
        "status": ended.status,
        "version": ended.version,
        "problems": found,
        "timeline": [asdict(span) for span in timeline.spans(events)],
    }
    told = [*lines(ended, events), "", verdict, *found]
    return Report(facts, told, _summary(verdict, found, events), code=1 if found else 0)


def _summary(verdict: str, found: list[str], events: "list[EventTypeDef]") -> str:
    return "\n\n".join(filter(None, [verdict, markdown.items(found), timeline.gantt(timeline.spans(events))]))
