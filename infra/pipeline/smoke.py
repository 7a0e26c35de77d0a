"""Send an order of our own through the live alias, and check that it behaved as the function's contract promises."""

import json
import secrets
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from infra import contract, naming
from infra.aws import execution
from infra.aws.session import open_session
from infra.aws.stack import outputs
from infra.console import timeline
from infra.console.output import show
from infra.console.progress import doing
from infra.environment import Environment
from infra.pipeline.arguments import add_pull_request
from infra.pipeline.invoke import lines

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

# How its orders are named.
PREFIX = "smoke-"


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `smoke` takes."""
    add_pull_request(parser)
    parser.add_argument(
        "--deadline", type=float, default=300, metavar="SECONDS", help="how long the order may take (default: 300)"
    )


def run(environment: Environment, arguments: Namespace) -> int:
    """Run one order. Exit code 0 when all that was promised held, 1 when not."""
    promised = contract.load()
    session = open_session(environment)
    alias_arn = outputs(session, naming.orders_stack(environment.name, arguments.pull_request))["AliasArn"]
    client = session.client("lambda")
    order = f"{PREFIX}{secrets.token_hex(8)}"
    with doing(f"Smoke order {order}"):
        arn = execution.start(client, alias_arn, order, json.dumps(promised.event_of(order)).encode())
        ended = execution.follow(client, arn, arguments.deadline)
    events = execution.history(client, arn)
    found = contract.problems(promised, order, ended, events)
    verdict = "The smoke order passed" if not found else "The smoke order failed:"
    facts = {
        "execution_arn": ended.arn,
        "status": ended.status,
        "version": ended.version,
        "problems": found,
        "timeline": [asdict(span) for span in timeline.spans(events)],
    }
    show(arguments, facts, [*lines(ended, events), "", verdict, *found], _summary(verdict, found, events))
    return 1 if found else 0


def _summary(verdict: str, found: list[str], events: "list[EventTypeDef]") -> str:
    return "\n".join([verdict, *(f"- {problem}" for problem in found), "", timeline.gantt(timeline.spans(events))])
