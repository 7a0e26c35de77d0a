"""An event that is sent to each function and followed: the end is the exit code, and what was seen of it is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.errors import CommandError, UsageError
from infra.pipeline import invoke
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, DEV_OF_TWO
from tests.infra.fakes.lambda_ import FakeExecution

NAME, OTHER = "acme-dev-billing", "acme-dev-refunds"


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function whose version 7 is live, and on which executions run for an hour."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "7")
    ending(aws, 3600, status="SUCCEEDED")
    return aws


def ending(aws: FakeAws, seconds: float, **end: Any) -> None:
    """Let executions check something at once, and end so."""

    def begin(execution: FakeExecution) -> None:
        for kind in ("StepStarted", "StepSucceeded"):
            now = aws.clock.now()
            execution.events.append({"EventType": kind, "EventTimestamp": now, "Id": "1", "Name": "check"})
        aws.clock.after(seconds, lambda: vars(execution).update(end))

    aws.lambda_.functions[NAME].behaviour["7"] = begin


def test_an_execution_that_succeeds_is_told_with_its_timeline_and_its_result(aws: FakeAws) -> None:
    ending(aws, 5, status="SUCCEEDED", result='{"status": "paid"}')
    report = run(invoke, target(aws, DEV))
    (execution,) = aws.lambda_.functions[NAME].executions
    (sent,) = aws.asked("Invoke")
    assert (sent["FunctionName"], json.loads(sent["Payload"])) == (f"{NAME}:live", {"billId": "bill-123"})
    (found,) = facts(report)["executions"]
    assert [(span["kind"], span["name"], span["outcome"]) for span in found.pop("timeline")] == [
        ("step", "check", "succeeded")
    ]
    assert found == {
        "function": "billing",
        "arn": execution.arn,
        "name": execution.name,
        "version": "7",
        "status": "SUCCEEDED",
        "result": {"status": "paid"},
        "error": None,
    }
    assert report.code == 0
    lines = told(report).splitlines()
    assert {f"{execution.name} on version 7: SUCCEEDED", f"arn     {execution.arn}"} <= set(lines)
    assert 'result  {"status": "paid"}' in lines
    assert any("step check" in line for line in lines)


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "STOPPED"])
def test_an_execution_that_ends_in_any_other_way_is_a_failure_with_its_error(status: str, aws: FakeAws) -> None:
    ending(aws, 5, status=status, error={"ErrorType": "ValueError", "ErrorMessage": "boom"})
    report = run(invoke, target(aws, DEV))
    (found,) = facts(report)["executions"]
    assert (report.code, found["status"], found["error"]) == (1, status, "ValueError: boom")
    assert "error   ValueError: boom" in told(report)


def test_the_event_of_a_file_is_sent_as_it_is_under_a_name_of_its_own(aws: FakeAws, tmp_path: Path) -> None:
    ending(aws, 5, status="SUCCEEDED")
    event = tmp_path / "event.json"
    event.write_bytes(b'{ "billId":\t"mine" }\n')
    for _ in range(2):
        run(invoke, target(aws, DEV), "--event", str(event))
    assert [sent["Payload"] for sent in aws.asked("Invoke")] == [event.read_bytes()] * 2
    assert len({sent["DurableExecutionName"] for sent in aws.asked("Invoke")}) == 2


@pytest.mark.parametrize(("options", "seconds"), [([], 120), (["--deadline", "7"], 7)])
def test_an_execution_that_goes_on_is_left_at_the_deadline(options: list[str], seconds: float, aws: FakeAws) -> None:
    with pytest.raises(CommandError, match=f"is RUNNING after {seconds} s; it was left as it is"):
        run(invoke, target(aws, DEV), *options)
    assert seconds <= aws.clock.monotonic() < seconds + 1


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"{", "is not JSON"), (b"\xff", "is not JSON")])
def test_an_event_that_can_not_be_read_is_refused_before_anything_is_asked_of_aws(
    content: bytes | None, said: str, aws: FakeAws, tmp_path: Path
) -> None:
    event = tmp_path / "event.json"
    if content is not None:
        event.write_bytes(content)
    with pytest.raises(UsageError, match=f"{event}.*{said}"):
        run(invoke, target(aws, DEV), "--event", str(event))
    assert aws.calls == []


@pytest.mark.parametrize(
    ("content", "told"), [('{"billId": "mine"}', ""), ("{}", "billId is missing, and the contract")]
)
def test_an_event_unlike_the_contract_s_is_told_and_refused_by_nobody(
    content: str, told: str, aws: FakeAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (event := tmp_path / "event.json").write_text(content)
    invoke.tell_unlike(target(aws, DEV), event)
    said = capsys.readouterr().err
    assert told in said
    assert ("it is sent all the same" in said) == bool(told)
    assert aws.calls == []


def test_the_events_of_contracts_need_no_telling(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    invoke.tell_unlike(target(aws, DEV_OF_TWO), None)
    assert capsys.readouterr().err == ""


def logging_failure(aws: FakeAws, message: str = "Execution failed") -> None:
    """Let executions fail at once, with a line in their function's log."""
    aws.formation.stack(NAME, {}, outputs={"LogGroupName": "group-1"})

    def begin(execution: FakeExecution) -> None:
        now = aws.clock.now()
        details = {"StartTimestamp": now, "EndTimestamp": now, "RequestId": "request-1"}
        told = {"EventType": "InvocationCompleted", "EventTimestamp": now, "InvocationCompletedDetails": details}
        execution.events.append(told)
        execution.status = "FAILED"
        text = json.dumps({"level": "ERROR", "message": message, "requestId": "request-1"})
        event = {"logStreamName": "one", "timestamp": round(now.timestamp() * 1000), "message": text}
        aws.logged["group-1"] = [event]

    aws.lambda_.functions[NAME].behaviour["7"] = begin


def test_of_an_execution_that_fails_the_log_is_told(aws: FakeAws) -> None:
    logging_failure(aws)
    report = run(invoke, target(aws, DEV))
    (found,) = facts(report)["executions"]
    assert found["log"] == ["| 00:00:00 ERROR   Execution failed"]
    assert "\nlog\n| 00:00:00 ERROR   Execution failed\n" in told(report)


@pytest.mark.parametrize("options", [[], ["--logs"]])
def test_of_one_that_succeeds_it_is_told_on_demand(options: list[str], aws: FakeAws) -> None:
    ending(aws, 5, status="SUCCEEDED")
    aws.formation.stack(NAME, {}, outputs={"LogGroupName": "group-1"})
    aws.logged["group-1"] = []
    report = run(invoke, target(aws, DEV), *options)
    assert report.code == 0
    nothing = "nothing of this execution stands in the log group group-1"
    assert (nothing in told(report)) == ("log" in facts(report)["executions"][0]) == bool(options)


def test_a_log_that_can_not_be_read_is_named_in_one_line(aws: FakeAws) -> None:
    logging_failure(aws)
    aws.deny("FilterLogEvents")
    report = run(invoke, target(aws, DEV))
    assert report.code == 1
    (line,) = facts(report)["executions"][0]["log"]
    assert line.startswith("its log, in the log group group-1, can't be read: AWS: ")
    assert "AccessDeniedException" in line


def test_where_nothing_takes_events_it_says_what_to_do(aws: FakeAws) -> None:
    target(aws, DEV).function("billing").close()
    with pytest.raises(CommandError, match="deploy it first, or open it if it was drained"):
        run(invoke, target(aws, DEV))


def both(aws: FakeAws, **end: Any) -> None:
    """Let there be a second function, whose executions end so, beside one whose executions succeed."""
    ending(aws, 5, status="SUCCEEDED")
    aws.lambda_.function(OTHER, "3").behaviour["3"] = lambda execution: vars(execution).update(end)


@pytest.mark.parametrize(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1)])
def test_each_function_is_sent_its_own_event_and_all_must_succeed(status: str, code: int, aws: FakeAws) -> None:
    both(aws, status=status)
    report = run(invoke, target(aws, DEV_OF_TWO))
    sent = [(each["FunctionName"], json.loads(each["Payload"])) for each in aws.asked("Invoke")]
    assert sent == [(f"{NAME}:live", {"billId": "bill-123"}), (f"{OTHER}:live", {"refundId": "refund-123"})]
    executions = facts(report)["executions"]
    assert [(each["function"], each["status"]) for each in executions] == [
        ("billing", "SUCCEEDED"),
        ("refunds", status),
    ]
    assert report.code == code
    lines = told(report).splitlines()
    assert f"billing: {executions[0]['name']} on version 7: SUCCEEDED" in lines
    assert f"refunds: {executions[1]['name']} on version 3: {status}" in lines


def test_one_of_several_is_sent_an_event_of_a_file(aws: FakeAws, tmp_path: Path) -> None:
    both(aws, status="SUCCEEDED")
    (event := tmp_path / "event.json").write_text("{}")
    with pytest.raises(UsageError, match="say which function it is for: --function NAME, of billing, refunds"):
        run(invoke, target(aws, DEV_OF_TWO), "--event", str(event))
    assert aws.calls == []
    report = run(invoke, target(aws, DEV_OF_TWO, only="refunds"), "--event", str(event))
    assert [(each["FunctionName"], each["Payload"]) for each in aws.asked("Invoke")] == [(f"{OTHER}:live", b"{}")]
    assert [each["function"] for each in facts(report)["executions"]] == ["refunds"]
    assert "refunds: " not in told(report)


def test_a_function_that_there_is_not_is_refused_with_those_that_there_are(aws: FakeAws) -> None:
    with pytest.raises(UsageError, match="there is no function typo in functions/; there are billing, refunds"):
        run(invoke, target(aws, DEV_OF_TWO, only="typo"))
    assert aws.calls == []
