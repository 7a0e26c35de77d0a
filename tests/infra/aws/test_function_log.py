"""What a function logged in one execution: by the ARN and the ids of the requests, once it has arrived."""

import json
from typing import Any

import pytest

from infra.aws.function_log import ARRIVES_WITHIN_SECONDS, LONGEST_PATTERN, read
from infra.console.log import Line
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV
from tests.infra.fakes.history import at, event, invocation
from tests.infra.fakes.lambda_ import FakeExecution

NAME, GROUP = "acme-dev-billing", "acme-dev-billing-Logs1"


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    aws.lambda_.function(NAME, "1")
    aws.logged[GROUP] = []
    return aws


@pytest.fixture
def execution(aws: FakeAws) -> FakeExecution:
    """An execution of one step, in one request."""
    made = aws.lambda_.execution(NAME, "invoke-1", "FAILED")
    made.events = [
        event("ExecutionStarted", 0, "invoke-1"),
        event("StepStarted", 1, "check"),
        event("StepFailed", 2, "check"),
        invocation(0, 3, RequestId="request-1"),
        event("ExecutionFailed", 3, "invoke-1"),
    ]
    return made


def log(aws: FakeAws, message: object, seconds: float = 2, stream: str = "one") -> None:
    """Let a line be in the log group."""
    text = message if isinstance(message, str) else json.dumps(message)
    timestamp = round(at(seconds).timestamp() * 1000)
    aws.logged[GROUP].append({"logStreamName": stream, "timestamp": timestamp, "message": text})


def logged(aws: FakeAws, execution: FakeExecution) -> list[Line]:
    on = target(aws, DEV)
    return read(on.session.client("logs"), GROUP, on.function("billing"), execution.arn, aws.clock)


def line(message: str, request: str = "request-1", **more: Any) -> dict[str, Any]:
    return {"level": "INFO", "message": message, "logger": "root", "requestId": request, **more}


def test_lines_of_its_requests_and_of_its_arn_are_its_own(aws: FakeAws, execution: FakeExecution) -> None:
    log(aws, line("by the request", amount=7))
    log(aws, line("by the ARN", "request-0", executionArn=execution.arn))
    log(aws, line("of another", "request-9", executionArn=f"{execution.arn}9"))
    found = logged(aws, execution)
    assert [each.message for each in found] == ["by the request", "by the ARN"]
    assert found[0] == Line(at(2), "INFO", "root", "by the request", {"amount": 7}, [])
    asked = aws.asked("FilterLogEvents")[0]
    assert (asked["startTime"], asked["endTime"]) == tuple(round(at(s).timestamp() * 1000) for s in (-30, 33))


def test_lambda_s_own_lines_are_left_out_and_what_is_printed_alone_in_a_stream_is_not(
    aws: FakeAws, execution: FakeExecution
) -> None:
    log(aws, "START RequestId: request-1 Version: 1")
    log(aws, 'printed "request-1"\n')
    log(aws, {"type": "platform.report", "record": {"requestId": "request-1"}})
    log(aws, "START RequestId: request-1 Version: 1", stream="shared")
    log(aws, line("of another", "request-9 request-1"), stream="shared")
    log(aws, "printed by anyone of request-1", stream="shared")
    assert [(each.level, each.message) for each in logged(aws, execution)] == [("", 'printed "request-1"')]


@pytest.mark.parametrize(
    ("stack", "told"),
    [
        # As the local AWS has it, with all that came before the error.
        (
            ["Traceback (most recent call last):", "ValueError: boom"],
            ["Traceback (most recent call last):", "ValueError: boom"],
        ),
        # As Lambda's runtime has it: the frames alone.
        (
            ['  File "h.py", line 1, in h\n    raise\n'],
            ['  File "h.py", line 1, in h', "    raise", "ValueError: boom"],
        ),
        (None, ["ValueError: boom"]),
    ],
)
def test_a_traceback_ends_with_its_error(
    stack: list[str] | None, told: list[str], aws: FakeAws, execution: FakeExecution
) -> None:
    log(aws, line("Execution failed", errorType="ValueError", errorMessage="boom", stackTrace=stack))
    (found,) = logged(aws, execution)
    assert (found.trace, found.fields) == (told, {})


def test_it_waits_for_what_arrives_later(aws: FakeAws, execution: FakeExecution) -> None:
    aws.clock.after(3, lambda: log(aws, line("late")))
    assert [each.message for each in logged(aws, execution)] == ["late"]
    assert aws.clock.monotonic() == pytest.approx(3)


def test_it_waits_for_the_request_that_the_history_tells_late(aws: FakeAws, execution: FakeExecution) -> None:
    first = invocation(0, 0.5, RequestId="request-0")
    whole, execution.events = execution.events, [execution.events[0], first, *execution.events[1:3]]
    log(aws, line("early", "request-0"))
    log(aws, line("the error"))
    aws.clock.after(2, lambda: execution.events.append(whole[3]))
    assert [each.message for each in logged(aws, execution)] == ["early", "the error"]


def test_where_nothing_arrives_it_ends_all_the_same(aws: FakeAws, execution: FakeExecution) -> None:
    log(aws, line("of another", "request-9"))
    assert logged(aws, execution) == []
    assert aws.clock.monotonic() == pytest.approx(ARRIVES_WITHIN_SECONDS)


def test_of_many_requests_it_asks_for_the_last(aws: FakeAws, execution: FakeExecution) -> None:
    execution.events = [invocation(number, number + 0.5, RequestId=f"request-{number:036}") for number in range(100)]
    log(aws, line("last", f"request-{99:036}"), 99)
    assert [each.message for each in logged(aws, execution)] == ["last"]
    (asked,) = aws.asked("FilterLogEvents")
    assert len(asked["filterPattern"]) <= LONGEST_PATTERN
    assert f"request-{99:036}" in asked["filterPattern"]
