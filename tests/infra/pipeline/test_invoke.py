"""One order that is sent and followed: its end is the exit code, and what was seen of it is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra import naming
from infra.errors import CommandError, UsageError
from infra.pipeline import invoke
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV
from tests.infra.fakes.lambda_ import FakeExecution

NAME = naming.orders_stack("dev")


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function whose version 7 is live, and on which orders run for an hour."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "7")
    ending(aws, 3600, status="SUCCEEDED")
    return aws


def ending(aws: FakeAws, seconds: float, **end: Any) -> None:
    """Let orders validate something at once, and end so."""

    def begin(execution: FakeExecution) -> None:
        for kind in ("StepStarted", "StepSucceeded"):
            now = aws.clock.now()
            execution.events.append({"EventType": kind, "EventTimestamp": now, "Id": "1", "Name": "validate-order"})
        aws.clock.after(seconds, lambda: vars(execution).update(end))

    aws.lambda_.functions[NAME].behaviour["7"] = begin


def test_an_order_that_succeeds_is_told_with_its_timeline_and_its_result(aws: FakeAws) -> None:
    ending(aws, 5, status="SUCCEEDED", result='{"status": "processed"}')
    report = run(invoke, target(aws, DEV))
    (execution,) = aws.lambda_.functions[NAME].executions
    (sent,) = aws.asked("Invoke")
    assert (sent["FunctionName"], json.loads(sent["Payload"])) == (f"{NAME}:live", {"orderId": "order-123"})
    found = facts(report)
    assert [(span["kind"], span["name"], span["outcome"]) for span in found.pop("timeline")] == [
        ("step", "validate-order", "succeeded")
    ]
    assert found == {
        "arn": execution.arn,
        "name": execution.name,
        "version": "7",
        "status": "SUCCEEDED",
        "result": {"status": "processed"},
        "error": None,
    }
    assert report.code == 0
    lines = told(report).splitlines()
    assert {f"{execution.name} on version 7: SUCCEEDED", f"arn     {execution.arn}"} <= set(lines)
    assert 'result  {"status": "processed"}' in lines
    assert any("step validate-order" in line for line in lines)


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "STOPPED"])
def test_an_order_that_ends_in_any_other_way_is_a_failure_with_its_error(status: str, aws: FakeAws) -> None:
    ending(aws, 5, status=status, error={"ErrorType": "ValueError", "ErrorMessage": "boom"})
    report = run(invoke, target(aws, DEV))
    assert (report.code, facts(report)["status"], facts(report)["error"]) == (1, status, "ValueError: boom")
    assert "error   ValueError: boom" in told(report)


def test_the_order_of_a_file_is_sent_as_it_is_under_a_name_of_its_own(aws: FakeAws, tmp_path: Path) -> None:
    ending(aws, 5, status="SUCCEEDED")
    order = tmp_path / "order.json"
    order.write_bytes(b'{ "orderId":\t"mine" }\n')
    for _ in range(2):
        run(invoke, target(aws, DEV), "--order", str(order))
    assert [sent["Payload"] for sent in aws.asked("Invoke")] == [order.read_bytes()] * 2
    assert len({sent["DurableExecutionName"] for sent in aws.asked("Invoke")}) == 2


@pytest.mark.parametrize(("options", "seconds"), [([], 120), (["--deadline", "7"], 7)])
def test_an_order_that_goes_on_is_left_at_the_deadline(options: list[str], seconds: float, aws: FakeAws) -> None:
    with pytest.raises(CommandError, match=f"is RUNNING after {seconds} s; it was left as it is"):
        run(invoke, target(aws, DEV), *options)
    assert seconds <= aws.clock.monotonic() < seconds + 1


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"{", "is not JSON"), (b"\xff", "is not JSON")])
def test_an_order_that_can_not_be_read_is_refused_before_anything_is_asked_of_aws(
    content: bytes | None, said: str, aws: FakeAws, tmp_path: Path
) -> None:
    order = tmp_path / "order.json"
    if content is not None:
        order.write_bytes(content)
    with pytest.raises(UsageError, match=f"{order}.*{said}"):
        run(invoke, target(aws, DEV), "--order", str(order))
    assert aws.calls == []


def test_where_nothing_takes_orders_it_says_what_to_do(aws: FakeAws) -> None:
    target(aws, DEV).function.close()
    with pytest.raises(CommandError, match="deploy it first, or open it if it was drained"):
        run(invoke, target(aws, DEV))
