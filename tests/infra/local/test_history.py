"""What histories tell, by Lambda's API."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import aws_durable_execution_sdk_python
import pytest

from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack, eventually

SOURCE = """
import os, sys
sys.path.insert(0, {packages!r})
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

SECOND = Duration.from_seconds(1)

def attempt(context):
    if context.attempt == 1:
        raise ValueError("the first attempt fails")
    return "done"

def retried(error, attempts):
    return RetryDecision.retry(SECOND)

def until_two(state, attempts):
    return WaitForConditionDecision.stop_polling() if state == 2 else WaitForConditionDecision.continue_waiting(SECOND)

def crash_once(file):
    if not os.path.exists(file):
        open(file, "w").close()
        os._exit(1)

@durable_execution
def handler(event, context):
    match event["does"]:
        case "retry":
            context.step(attempt, name="step", config=StepConfig(retry_strategy=retried))
        case "poll":
            context.wait_for_condition(lambda state, _: state + 1, WaitForConditionConfig(until_two, 0), name="poll")
        case "call":
            timeouts = CallbackConfig(timeout=Duration.from_hours(1), heartbeat_timeout=Duration.from_minutes(1))
            context.create_callback(name="call", config=timeouts).result()
        case "crash":
            context.step(lambda _: crash_once(event["file"]), name="crash")
"""


@pytest.fixture(scope="module")
def doing(local_aws: LocalAws) -> DurableStack:
    """A deployed function that does what its event says."""
    stack = DurableStack(local_aws.session(ACCOUNT, REGION), f"history-{uuid4().hex[:12]}")
    packages = str(Path(aws_durable_execution_sdk_python.__file__).parents[1])
    stack.deploy("one", Code={"ZipFile": SOURCE.format(packages=packages)})
    return stack


def events(stack: DurableStack, arn: str, kind: str, **options: Any) -> list[dict[str, Any]]:
    """Return the events of a kind of an execution."""
    history = stack.lambda_.get_durable_execution_history(DurableExecutionArn=arn, **options)["Events"]
    return [dict(event) for event in history if event.get("EventType") == kind]


def details(stack: DurableStack, arn: str, kind: str, **options: Any) -> list[dict[str, Any]]:
    return [event[f"{kind}Details"] for event in events(stack, arn, kind, **options)]


def test_the_attempts_of_a_step_are_numbered(doing: DurableStack) -> None:
    doing.ended(arn := doing.start({"does": "retry"}))
    [failed] = details(doing, arn, "StepFailed")
    assert failed["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 1}
    [succeeded] = details(doing, arn, "StepSucceeded", IncludeExecutionData=True)
    assert succeeded == {"Result": {"Payload": '"done"', "Truncated": False}, "RetryDetails": {"CurrentAttempt": 2}}


def test_each_poll_has_its_result(doing: DurableStack) -> None:
    doing.ended(arn := doing.start({"does": "poll"}))
    first, second = details(doing, arn, "StepSucceeded", IncludeExecutionData=True)
    assert first["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 1}
    assert second["RetryDetails"] == {"CurrentAttempt": 2}
    assert [poll["Result"] for poll in (first, second)] == [
        {"Payload": "1", "Truncated": False},
        {"Payload": "2", "Truncated": False},
    ]
    assert details(doing, arn, "StepSucceeded")[0]["Result"] == {"Truncated": True}


def test_a_callback_has_its_timeouts_and_one_without_has_none(doing: DurableStack, stack: DurableStack) -> None:
    arn = doing.start({"does": "call"})
    [started] = eventually(lambda: details(doing, arn, "CallbackStarted"))
    assert (started["Timeout"], started["HeartbeatTimeout"]) == (3600, 60)
    doing.lambda_.stop_durable_execution(DurableExecutionArn=arn)
    held = stack.start_held()
    [started] = details(stack, held, "CallbackStarted")
    assert started.keys() == {"CallbackId"}
    stack.lambda_.stop_durable_execution(DurableExecutionArn=held)


def test_an_invocation_whose_process_ended_says_so_and_is_repeated(doing: DurableStack, tmp_path: Path) -> None:
    arn = doing.start({"does": "crash", "file": str(tmp_path / "crashed")})
    assert doing.ended(arn)["Status"] == "SUCCEEDED"
    crashed, repeated = details(doing, arn, "InvocationCompleted")
    assert crashed["Error"]["Payload"]["ErrorType"] == "Runtime.ExitError"
    assert crashed["StartTimestamp"] < crashed["EndTimestamp"] < repeated["StartTimestamp"]
    assert "Error" not in repeated


def test_a_stop_keeps_its_reason(stack: DurableStack) -> None:
    arn = stack.start_held()
    error: Any = {"ErrorType": "Drained", "ErrorMessage": "the environment goes"}
    stack.lambda_.stop_durable_execution(DurableExecutionArn=arn, Error=error)
    [stopped] = details(stack, arn, "ExecutionStopped", IncludeExecutionData=True)
    assert stopped["Error"]["Payload"] == error
    assert stack.ended(arn)["Error"] == error
