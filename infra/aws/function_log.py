"""What a function logged in one of its executions, from CloudWatch Logs.

Lines of the SDK's loggers have the ARN of the execution. All others have the id of the request at least, which Lambda
writes into each line of Python's logging on Managed Instances (Lambda developer guide, Python runtime for Managed
Instances), and the history of the execution tells which requests it was. What is printed has neither.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from infra.aws.clock import Clock
from infra.aws.function import DeployedFunction
from infra.console.log import Line

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

# Lambda hands over what a function logs in its own time, which nobody promises.
# UNCONFIRMED (contract: lines_arrive_soon): how long that is.
ARRIVES_WITHIN_SECONDS = 15
POLL_SECONDS = 1
# The clocks of several machines wrote the history and the lines.
MARGIN = timedelta(seconds=30)
# Characters of a filter pattern (CloudWatch Logs API, FilterLogEvents).
LONGEST_PATTERN = 1024
# How Lambda's own lines begin, where they are plain text.
PLATFORM = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
# What a line has for whoever searches, or what is shown in another way; its other fields are shown as they are.
_KNOWN = {"timestamp", "level", "message", "logger", "location", "requestId", "executionArn", "operationId", "parentId"}
_ERROR = {"errorType", "errorMessage", "stackTrace"}


def read(client: "CloudWatchLogsClient", group: str, function: DeployedFunction, arn: str, clock: Clock) -> list[Line]:
    """Return what a function logged in an execution that has ended, oldest first.

    It waits until the log of the last invocation has arrived, or long enough: there may be none.

    Args:
        client: of the function's account and region.
        group: the name of the function's log group.
        function: the function.
        arn: of the execution.
        clock: what is waited on.
    """
    deadline = clock.monotonic() + ARRIVES_WITHIN_SECONDS
    while True:
        history = function.history(arn)
        requests = [event["InvocationCompletedDetails"] for event in history if "InvocationCompletedDetails" in event]
        ids = [each["RequestId"] for each in requests]
        found = _events(client, group, _pattern(arn, ids), history)
        # Of an invocation the history tells late, and it is the last one that failed.
        is_told = bool(ids) and max(each["EndTimestamp"] for each in requests) >= _last_operation(history)
        if (is_told and any(ids[-1] in event.get("message", "") for event in found)) or clock.monotonic() >= deadline:
            return list(_lines(found, {arn, *ids}))
        clock.sleep(POLL_SECONDS)


def _last_operation(history: "Sequence[EventTypeDef]") -> datetime:
    times = [event["EventTimestamp"] for event in history if not event["EventType"].startswith("Execution")]
    return max(times, default=datetime.min.replace(tzinfo=UTC))


def _events(
    client: "CloudWatchLogsClient", group: str, pattern: str, history: "Sequence[EventTypeDef]"
) -> "list[FilteredLogEventTypeDef]":
    times = [event["EventTimestamp"] for event in history]
    if not times:
        return []
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        filterPattern=pattern,
        startTime=_milliseconds(min(times) - MARGIN),
        endTime=_milliseconds(max(times) + MARGIN),
    )
    return [event for page in pages for event in page["events"]]


def _pattern(arn: str, ids: Sequence[str]) -> str:
    """Return what CloudWatch Logs looks for: the lines of an execution, and of as many of its last requests as fit."""
    terms = [f'$.executionArn = "{arn}"']
    for each in reversed(ids):
        more = [*terms, f'$.requestId = "{each}"', f'$.record.requestId = "{each}"']
        if len(_any_of(more)) > LONGEST_PATTERN:
            break
        terms = more
    return _any_of(terms)


def _any_of(terms: Iterable[str]) -> str:
    return f"{{ {' || '.join(f'({term})' for term in terms)} }}"


def _lines(events: "Iterable[FilteredLogEventTypeDef]", ours: set[str]) -> Iterator[Line]:
    """Yield the lines of an execution, by its ARN and the ids of its requests.

    Where a stream speaks of these requests alone, what stands there without an id is of them as well.
    """
    parsed = [(event, _parsed(event.get("message", ""))) for event in events]
    streams: dict[str, set[str]] = {}
    for event, fields in parsed:
        if request := fields.get("requestId"):
            streams.setdefault(event.get("logStreamName", ""), set()).add(request)
    for event, fields in parsed:
        ids = {fields[key] for key in ("requestId", "executionArn") if fields.get(key)}
        by_stream = streams.get(event.get("logStreamName", ""), set())
        is_ours = ids & ours if ids else by_stream and by_stream <= ours
        if is_ours and "message" in fields:
            yield _line(event, fields)


def _parsed(text: str) -> dict[str, Any]:
    """Return the fields of a line. One of Lambda's own has no message, and one that was printed has nothing else."""
    if mark := next((mark for mark in PLATFORM if text.startswith(mark)), None):
        return {"requestId": text.removeprefix(mark).partition(" ")[0].strip()}
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return {"message": text.rstrip("\n")}
    fields = cast("dict[str, Any]", found)
    if isinstance(fields.get("record"), dict) and "message" not in fields:
        return {"requestId": fields["record"].get("requestId")}
    # What Lambda says of an error that nobody caught has no message.
    return {"message": fields.get("errorMessage", ""), **fields}


def _line(event: "FilteredLogEventTypeDef", fields: dict[str, Any]) -> Line:
    at = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, UTC)
    more = {name: value for name, value in fields.items() if name not in _KNOWN | _ERROR}
    level, logger, message = (str(fields.get(key) or "") for key in ("level", "logger", "message"))
    return Line(at, level, logger, message, more, _trace(fields))


def _trace(fields: dict[str, Any]) -> list[str]:
    """Return a traceback line by line, with the error at its end."""
    if not _ERROR & fields.keys():
        return []
    stack = fields.get("stackTrace")
    entries = cast("list[object]", stack) if isinstance(stack, list) else []
    lines = [line for entry in entries for line in str(entry).splitlines()]
    error = f"{fields.get('errorType') or 'Error'}: {fields.get('errorMessage') or ''}"
    return lines if any(str(fields.get("errorMessage") or error) in line for line in lines) else [*lines, error]


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
