"""What functions log, as CloudWatch Logs has it."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from infra.assumptions.check import Answer, Experiment, check, seen
from infra.assumptions.executions import tried
from infra.assumptions.place import NotReachedError, Place
from infra.aws.function_log import ARRIVES_WITHIN_SECONDS, MARGIN
from infra.naming import Output

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

RELIED_ON = "infra/aws/function_log.py"


def requested(place: Place) -> "list[FilteredLogEventTypeDef]":
    """Return the lines of the last request of an execution, found by a pattern, once there are any."""
    told = [
        each["InvocationCompletedDetails"] for each in place.once(tried).events if "InvocationCompletedDetails" in each
    ]
    if not told:
        raise NotReachedError("the history tells of no invocation")
    request = told[-1]["RequestId"]
    pattern = f'{{ ($.requestId = "{request}") || ($.record.requestId = "{request}") }}'
    found: list[FilteredLogEventTypeDef] = []
    place.seconds_until(lambda: found.extend(_events(place, pattern)) or found, 2 * ARRIVES_WITHIN_SECONDS)
    return found


def _events(place: Place, pattern: str) -> "list[FilteredLogEventTypeDef]":
    group = place.target.stacks.get(place.function.name).outputs[Output.LOG_GROUP_NAME]
    times = [event["EventTimestamp"] for event in place.once(tried).events]
    pages = (
        place.target.session.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=group,
            filterPattern=pattern,
            startTime=round((min(times) - MARGIN).timestamp() * 1000),
            endTime=round((max(times) + MARGIN).timestamp() * 1000),
        )
    )
    return [event for page in pages for event in page["events"]]


@check(RELIED_ON, "Lambda developer guide, Python runtime for Managed Instances", Experiment.EXECUTION)
def a_pattern_finds_the_lines_of_a_request(place: Place) -> Answer:
    """A pattern on `$.requestId` and `$.record.requestId` finds what was logged in an invocation."""
    found = place.once(requested)
    return seen(found, "one line or more", f"{len(found)} lines")


@check(RELIED_ON, "Lambda developer guide, Python runtime for Managed Instances", Experiment.EXECUTION)
def lines_are_json(place: Place) -> Answer:
    """Each line that has the id of a request is one JSON object: Managed Instances log no other way."""
    found = place.once(requested)
    if not found:
        raise NotReachedError("no line was found")
    kinds = Counter(_kind(event.get("message", "")) for event in found)
    return seen({*kinds} == {"JSON"}, "JSON", ", ".join(f"{count} of {kind}" for kind, count in sorted(kinds.items())))


@check(RELIED_ON, "UNCONFIRMED", Experiment.EXECUTION)
def lines_arrive_soon(place: Place) -> Answer:
    """A line can be read within 15 seconds after it was written."""
    took = [
        (event["ingestionTime"] - event["timestamp"]) / 1000
        for event in place.once(requested)
        if "ingestionTime" in event and "timestamp" in event
    ]
    if not took:
        raise NotReachedError("no line tells when it arrived")
    return seen(
        max(took) <= ARRIVES_WITHIN_SECONDS, f"within {ARRIVES_WITHIN_SECONDS} s", f"the latest after {max(took):.1f} s"
    )


@check(RELIED_ON, "the SDK of durable functions, its loggers", Experiment.EXECUTION)
def lines_name_their_execution(place: Place) -> Answer:
    """What is logged by the SDK's loggers has the ARN of its execution, and a pattern finds it by that."""
    arn = place.once(tried).arn
    by_pattern = _events(place, f'{{ ($.executionArn = "{arn}") }}')
    named = [event for event in place.once(requested) if arn in event.get("message", "")]
    if not (by_pattern or named):
        raise NotReachedError(f"{place.function.folder} logged nothing by those loggers")
    return seen(by_pattern, "one line or more", f"{len(by_pattern)} lines")


def _kind(text: str) -> str:
    try:
        found: Any = json.loads(text)
    except ValueError:
        return "plain text"
    return "JSON" if isinstance(found, dict) else "JSON that is no object"
