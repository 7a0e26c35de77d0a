"""What a smoke execution checks: that it met the version that it was sent for, and that the contract was kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.console.report import Report
from infra.environment import Environment
from infra.errors import UsageError
from infra.pipeline import smoke
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW_OF_TWO, PROJECT, environment
from tests.infra.fakes.history import at, callback, event, invocation
from tests.infra.fakes.lambda_ import FakeExecution

NAME, OTHER = "acme-dev-billing", "acme-dev-refunds"

RESULT = {"billId": "smoke-1", "status": "paid", "checkedAt": 1000, "paidAt": 6000}


HISTORY: list[Any] = [
    event("ExecutionStarted", 0, "smoke-1"),
    event("StepStarted", 0.1, "check"),
    event("StepSucceeded", 0.2, "check"),
    event("WaitStarted", 0.2, "pause"),
    invocation(0, 0.3),
    event("WaitSucceeded", 5.2, "pause"),
    event("StepStarted", 5.3, "pay"),
    event("StepSucceeded", 5.4, "pay"),
    invocation(5.2, 5.5),
    event("ExecutionSucceeded", 5.5, "smoke-1"),
]
REFUND: list[Any] = [event("StepStarted", 0.1, "refund"), event("StepSucceeded", 0.2, "refund"), invocation(0, 0.3)]


def bill(execution: FakeExecution) -> None:
    execution.status, execution.events = "SUCCEEDED", HISTORY
    execution.result = json.dumps(RESULT | {"billId": execution.name})


def refund(execution: FakeExecution) -> None:
    execution.status, execution.events = "SUCCEEDED", REFUND
    execution.result = json.dumps({"refundId": execution.name})


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with two functions that keep their promises: one of two versions, of which 2 is live, and one of one."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "1", "2").behaviour |= {"1": bill, "2": bill}
    aws.lambda_.function(OTHER, "3").behaviour["3"] = refund
    return aws


def found(report: Report, function: str = "billing") -> dict[str, Any]:
    return facts(report)["functions"][function]


@pytest.mark.parametrize("options", [[], ["--versions", "billing=2"]])
def test_an_execution_that_keeps_every_promise_on_its_version_passes(options: list[str], aws: FakeAws) -> None:
    report = run(smoke, target(aws, DEV), *options)
    (sent,) = aws.asked("Invoke")
    assert sent["FunctionName"] == f"{NAME}:live"
    assert sent["DurableExecutionName"].startswith(smoke.PREFIX)
    assert json.loads(sent["Payload"]) == {"billId": sent["DurableExecutionName"]}
    assert report.code == 0
    (execution,) = aws.lambda_.functions[NAME].executions
    assert list(facts(report)["functions"]) == ["billing"]
    assert len(found(report)["timeline"]) == 5
    assert found(report) | {"timeline": None} == {
        "execution_arn": execution.arn,
        "status": "SUCCEEDED",
        "version": "2",
        "problems": [],
        "timeline": None,
    }
    assert "\nThe smoke execution passed\n" in told(report)
    assert report.markdown.startswith("The smoke execution passed\n\n```mermaid")


def test_every_function_is_tried_with_its_own_contract(aws: FakeAws) -> None:
    report = run(smoke, target(aws, DEV_OF_TWO), "--versions", "billing=2,refunds=3")
    assert [sent["FunctionName"] for sent in aws.asked("Invoke")] == [f"{NAME}:live", f"{OTHER}:live"]
    assert report.code == 0
    assert {name: each["version"] for name, each in facts(report)["functions"].items()} == {
        "billing": "2",
        "refunds": "3",
    }
    for function in ("billing", "refunds"):
        assert f"\nThe smoke execution of {function} passed\n" in told(report)
        assert f"The smoke execution of {function} passed\n\n```mermaid" in report.markdown


def test_one_of_several_is_tried_alone(aws: FakeAws) -> None:
    report = run(smoke, target(aws, DEV_OF_TWO, only="refunds"), "--versions", "billing=9,refunds=3")
    assert [sent["FunctionName"] for sent in aws.asked("Invoke")] == [f"{OTHER}:live"]
    assert (report.code, list(facts(report)["functions"])) == (0, ["refunds"])
    assert report.markdown.startswith("The smoke execution passed")


def test_all_are_tried_also_when_one_can_not_be_started(aws: FakeAws) -> None:
    aws.lambda_.forget(NAME)
    report = run(smoke, target(aws, DEV_OF_TWO))
    assert report.code == 1
    assert found(report) == {
        "execution_arn": None,
        "status": None,
        "version": None,
        "problems": [f"there is no function {NAME}:live in eu-west-1; deploy it first, or open it if it was drained"],
        "timeline": [],
    }
    assert found(report, "refunds")["problems"] == []
    assert "The smoke execution of billing failed:\n\n- `there is no function" in report.markdown
    assert "The smoke execution of refunds passed" in report.markdown


def test_all_are_tried_also_when_aws_refuses_one(aws: FakeAws) -> None:
    aws.deny("GetDurableExecutionHistory")
    report = run(smoke, target(aws, DEV_OF_TWO))
    assert report.code == 1
    assert "no GetDurableExecutionHistory" in found(report)["problems"][0]
    assert found(report, "refunds")["problems"] == []


def test_an_execution_that_meets_another_version_than_it_was_sent_for_fails(aws: FakeAws) -> None:
    aws.lambda_.functions[NAME].aliases["live"] = {"FunctionVersion": "1"}
    report = run(smoke, target(aws, DEV), "--versions", "billing=2")
    assert report.code == 1
    assert found(report)["problems"] == ["it met version 1, and should have met 2"]
    assert "it met version 1, and should have met 2" in report.markdown


def test_a_version_that_changes_while_the_event_is_sent_is_noticed(aws: FakeAws) -> None:
    aws.on("Invoke", lambda: aws.lambda_.functions[NAME].aliases["live"].update(FunctionVersion="1"))
    assert found(run(smoke, target(aws, DEV)))["problems"] == ["it met version 1, and should have met 2"]


def test_a_broken_promise_is_the_exit_code_and_told(aws: FakeAws) -> None:
    aws.lambda_.functions[NAME].behaviour["2"] = lambda execution: vars(execution).update(status="FAILED")
    report = run(smoke, target(aws, DEV))
    assert report.code == 1
    assert "it ended as FAILED: no error was given" in found(report)["problems"]
    assert "The smoke execution failed:" in told(report)
    assert "it ended as FAILED: no error was given" in report.markdown


def test_the_log_of_a_failed_execution_is_in_the_job_s_log_and_nowhere_else(aws: FakeAws) -> None:
    def fail(execution: FakeExecution) -> None:
        execution.status, execution.events = "FAILED", [invocation(0, 0.3, RequestId="request-1")]

    aws.lambda_.functions[NAME].behaviour["2"] = fail
    aws.formation.stack(NAME, {}, outputs={"LogGroupName": "group-1"})
    text = json.dumps({"level": "ERROR", "message": "of the function", "requestId": "request-1"})
    timestamp = round(at(0.2).timestamp() * 1000)
    aws.logged["group-1"] = [{"logStreamName": "one", "timestamp": timestamp, "message": text}]
    report = run(smoke, target(aws, DEV))
    assert "ERROR   of the function" in told(report)
    assert "of the function" not in report.markdown
    assert "of the function" not in json.dumps(facts(report), default=str)


@pytest.mark.parametrize(("options", "seconds"), [([], 300), (["--deadline", "20"], 20)])
def test_executions_that_do_not_end_in_time_fail_and_are_waited_for_together(
    options: list[str], seconds: float, aws: FakeAws
) -> None:
    for name in (NAME, OTHER):
        aws.lambda_.functions[name].behaviour.clear()
    report = run(smoke, target(aws, DEV_OF_TWO), *options)
    assert report.code == 1
    for function in ("billing", "refunds"):
        (problem,) = found(report, function)["problems"]
        assert f"is RUNNING after {seconds} s" in problem
    assert seconds <= aws.clock.monotonic() < seconds + 1


@pytest.mark.parametrize("versions", ["billing", "billing=", "billing=0", "billing=live", "billing=1.5", "a=1,b=x"])
def test_what_is_no_version_is_refused(versions: str, aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(smoke, target(aws, DEV), "--versions", versions)
    assert end.value.code == 2
    assert "must be FUNCTION=VERSION, joined by commas" in capsys.readouterr().err
    assert aws.calls == []


def test_a_version_of_no_function_is_refused(aws: FakeAws) -> None:
    with pytest.raises(UsageError, match="--versions: there is no function typo in functions/; there are billing"):
        run(smoke, target(aws, DEV), "--versions", "typo=2")
    assert aws.calls == []


def test_the_platform_below_previews_has_nothing_to_try(aws: FakeAws) -> None:
    with pytest.raises(UsageError, match="add --pull-request N"):
        run(smoke, target(aws, PREVIEW_OF_TWO))


ASKING = """
example = "bill-1"
operations = ["callback approval"]
rising = []
event = {}
result = {}
"""


def asking(aws: FakeAws, tmp_path: Path, more: str = "") -> Environment:
    """Let the function wait for a callback, with which it succeeds, and return an environment with its contract."""
    contract = tmp_path / "functions" / "billing" / "contract.toml"
    contract.parent.mkdir(parents=True)
    contract.write_text(ASKING + more)

    def ask(execution: FakeExecution) -> None:
        execution.events = [callback(0, "approval", "abc")]
        aws.on("SendDurableExecutionCallbackSuccess", lambda: aws.clock.after(0.1, end))

        def end() -> None:
            execution.status, execution.result = "SUCCEEDED", "{}"

    aws.lambda_.functions[NAME].behaviour["2"] = ask
    return environment(project=PROJECT.model_copy(update={"root": tmp_path}))


def test_callbacks_are_answered_as_the_contract_says(aws: FakeAws, tmp_path: Path) -> None:
    report = run(smoke, target(aws, asking(aws, tmp_path, '[callbacks]\napproval = {by = "{name}"}\n')))
    assert found(report)["problems"] == []
    (answer,) = aws.asked("SendDurableExecutionCallbackSuccess")
    assert json.loads(answer["Result"]) == {"by": aws.asked("Invoke")[0]["DurableExecutionName"]}


def test_a_callback_that_nobody_answers_is_why_the_execution_does_not_end(aws: FakeAws, tmp_path: Path) -> None:
    report = run(smoke, target(aws, asking(aws, tmp_path)), "--deadline", "5")
    (problem,) = found(report)["problems"]
    assert problem.endswith(
        "is RUNNING after 5 s; it was left as it is. It waits for callback approval; "
        "functions/billing/contract.toml can answer it, under [callbacks]"
    )
    assert [each["outcome"] for each in found(report)["timeline"]] == ["waiting"]
    assert "callback approval" in told(report)
    assert aws.count("SendDurableExecutionCallbackSuccess") == 0
