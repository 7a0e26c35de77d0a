"""Send an order of our own through the live alias, and check that it behaved as the workflow promises."""

import secrets
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from infra import budgets
from infra.aws.execution import Execution
from infra.aws.target import Target
from infra.console import timeline
from infra.console.progress import doing
from infra.console.report import Report
from infra.pipeline.arguments import add_pull_request, version
from infra.pipeline.invoke import lines

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

# How its orders are named.
PREFIX = "smoke-"

EXPECTED_HISTORY = [
    ("ExecutionStarted", None),
    ("StepStarted", "validate-order"),
    ("StepSucceeded", "validate-order"),
    ("WaitStarted", "wait-before-processing"),
    ("WaitSucceeded", "wait-before-processing"),
    ("StepStarted", "process-order"),
    ("StepSucceeded", "process-order"),
    ("ExecutionSucceeded", None),
]


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
    function = target.function
    expected = arguments.version or function.live()
    order = f"{PREFIX}{secrets.token_hex(8)}"
    with doing(f"Smoke order {order}"):
        arn = function.start(order, f'{{"orderId": "{order}"}}'.encode())
        ended = function.follow(arn, arguments.deadline)
    events = function.history(arn)
    found = problems(ended, events, order)
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


def problems(ended: Execution, events: "list[EventTypeDef]", order: str) -> list[str]:
    """Return every promise that an order's execution broke, in words."""
    found: list[str] = []
    if not ended.succeeded:
        found.append(f"it ended as {ended.status}: {ended.error or 'no error was given'}")
    else:
        found += _result_problems(ended.result, order)
    history = [_step(event) for event in events if event["EventType"] != "InvocationCompleted"]
    if history != EXPECTED_HISTORY:
        found.append(f"its history is {history}, and should be {EXPECTED_HISTORY}")
    return found + _wait_problems(events)


def _result_problems(result: Any, order: str) -> list[str]:
    expected = {"orderId": order, "status": "processed"}
    values = cast("dict[str, Any]", result) if isinstance(result, dict) else {}
    validated, processed = values.get("validatedAt"), values.get("processedAt")
    if {key: values.get(key) for key in expected} != expected or not isinstance(validated, int | float):
        return [f"its result is {result}, and should be {expected} with validatedAt and processedAt"]
    if not isinstance(processed, int | float) or processed < validated:
        return [f"it was processed at {processed}, which is not after {validated}, when it was validated"]
    return []


def _wait_problems(events: "list[EventTypeDef]") -> list[str]:
    """Check that the wait held no compute: the invocation before it has ended before the wait has."""
    invocations = [event["InvocationCompletedDetails"] for event in events if "InvocationCompletedDetails" in event]
    waits = [event["EventTimestamp"] for event in events if event["EventType"] == "WaitSucceeded"]
    found: list[str] = []
    if len(invocations) != 2:  # noqa: PLR2004 - one before the wait, one after it
        found.append(f"the function was invoked {len(invocations)} times, and should be twice")
    if invocations and waits and invocations[0]["EndTimestamp"] > waits[0]:
        found.append("its wait was no durable wait: the first invocation was still running when the wait ended")
    return found


def _step(event: "EventTypeDef") -> tuple[str, str | None]:
    kind = event["EventType"]
    return kind, None if kind.startswith("Execution") else event.get("Name")


def _summary(verdict: str, found: list[str], events: "list[EventTypeDef]") -> str:
    return "\n".join([verdict, *(f"- {problem}" for problem in found), "", timeline.gantt(timeline.spans(events))])
