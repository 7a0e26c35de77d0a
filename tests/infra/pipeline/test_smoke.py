"""What the smoke order checks: that it met the version that it was sent for, and that the contract was kept."""

import json
from typing import Any

import pytest

from infra import naming
from infra.errors import CommandError
from infra.pipeline import smoke
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV
from tests.infra.fakes.history import event, invocation
from tests.infra.fakes.lambda_ import FakeExecution

NAME = naming.orders_stack("dev")

RESULT = {"orderId": "smoke-1", "status": "processed", "validatedAt": 1000, "processedAt": 6000}


HISTORY: list[Any] = [
    event("ExecutionStarted", 0, "smoke-1"),
    event("StepStarted", 0.1, "validate-order"),
    event("StepSucceeded", 0.2, "validate-order"),
    event("WaitStarted", 0.2, "wait-before-processing"),
    invocation(0, 0.3),
    event("WaitSucceeded", 5.2, "wait-before-processing"),
    event("StepStarted", 5.3, "process-order"),
    event("StepSucceeded", 5.4, "process-order"),
    invocation(5.2, 5.5),
    event("ExecutionSucceeded", 5.5, "smoke-1"),
]


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function of two versions, of which 2 is live, and on which orders do what is promised."""
    aws = FakeAws()
    function = aws.lambda_.function(NAME, "1", "2")

    def behave(execution: FakeExecution) -> None:
        execution.status, execution.events = "SUCCEEDED", HISTORY
        execution.result = json.dumps(RESULT | {"orderId": execution.name})

    function.behaviour |= {"1": behave, "2": behave}
    return aws


@pytest.mark.parametrize("options", [[], ["--version", "2"]])
def test_an_order_that_keeps_every_promise_on_its_version_passes(options: list[str], aws: FakeAws) -> None:
    report = run(smoke, target(aws, DEV), *options)
    (sent,) = aws.asked("Invoke")
    assert sent["FunctionName"] == f"{NAME}:live"
    assert sent["DurableExecutionName"].startswith(smoke.PREFIX)
    assert json.loads(sent["Payload"]) == {"orderId": sent["DurableExecutionName"]}
    assert report.code == 0
    assert (facts(report)["version"], facts(report)["problems"]) == ("2", [])
    assert len(facts(report)["timeline"]) == 5
    assert "The smoke order passed" in told(report)
    assert report.markdown.startswith("The smoke order passed\n\n```mermaid")


def test_an_order_that_meets_another_version_than_it_was_sent_for_fails(aws: FakeAws) -> None:
    aws.lambda_.functions[NAME].aliases["live"] = {"FunctionVersion": "1"}
    report = run(smoke, target(aws, DEV), "--version", "2")
    assert report.code == 1
    assert facts(report)["problems"] == ["it met version 1, and should have met 2"]
    assert "it met version 1, and should have met 2" in report.markdown


def test_a_version_that_changes_while_the_order_is_sent_is_noticed(aws: FakeAws) -> None:
    aws.on("Invoke", lambda: aws.lambda_.functions[NAME].aliases["live"].update(FunctionVersion="1"))
    assert facts(run(smoke, target(aws, DEV)))["problems"] == ["it met version 1, and should have met 2"]


def test_a_broken_promise_is_the_exit_code_and_told(aws: FakeAws) -> None:
    aws.lambda_.functions[NAME].behaviour["2"] = lambda execution: vars(execution).update(status="FAILED")
    report = run(smoke, target(aws, DEV))
    assert report.code == 1
    assert "it ended as FAILED: no error was given" in facts(report)["problems"]
    assert "The smoke order failed:" in told(report)
    assert "it ended as FAILED: no error was given" in report.markdown


@pytest.mark.parametrize(("options", "seconds"), [([], 300), (["--deadline", "20"], 20)])
def test_an_order_that_does_not_end_in_time_fails(options: list[str], seconds: float, aws: FakeAws) -> None:
    del aws.lambda_.functions[NAME].behaviour["2"]
    with pytest.raises(CommandError, match=f"is RUNNING after {seconds} s"):
        run(smoke, target(aws, DEV), *options)
    assert seconds <= aws.clock.monotonic() < seconds + 1


@pytest.mark.parametrize("version", ["", "0", "live", "$LATEST", "1.5"])
def test_what_is_no_version_is_refused(version: str, aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(smoke, target(aws, DEV), "--version", version)
    assert end.value.code == 2
    assert "is not the number of a version" in capsys.readouterr().err
    assert aws.calls == []
