"""What the smoke order checks: each broken promise is found."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.aws.execution import Execution
from infra.pipeline.smoke import problems

START = datetime(2026, 1, 1, tzinfo=UTC)
RESULT = {"orderId": "smoke-1", "status": "processed", "validatedAt": 1000, "processedAt": 6000}


def event(kind: str, seconds: float, name: str | None = None) -> dict[str, Any]:
    return {"EventType": kind, "EventTimestamp": START + timedelta(seconds=seconds), **({"Name": name} if name else {})}


def invocation(start: float, end: float) -> dict[str, Any]:
    times = {"StartTimestamp": START + timedelta(seconds=start), "EndTimestamp": START + timedelta(seconds=end)}
    return {**event("InvocationCompleted", end), "InvocationCompletedDetails": times}


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


def ended(status: str = "SUCCEEDED", result: Any = None, error: str | None = None) -> Execution:
    return Execution("arn", "smoke-1", "7", status, RESULT if result is None else result, error)


def found(execution: Execution | None = None, history: Any = None) -> str:
    return "\n".join(problems(execution or ended(), history or HISTORY, "smoke-1"))


def test_an_order_that_keeps_every_promise_has_no_problem() -> None:
    assert found() == ""


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "STOPPED", "DELETING"])
def test_any_end_but_success_is_a_problem(status: str) -> None:
    assert f"it ended as {status}: boom" in found(ended(status, error="boom"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"orderId": "another"},
        {"status": "pending"},
        {"validatedAt": None},
        {"processedAt": None},
        {"processedAt": "6000"},
    ],
)
def test_a_wrong_result_is_a_problem(wrong: dict[str, Any]) -> None:
    assert found(ended(result=RESULT | wrong)) != ""


@pytest.mark.parametrize("result", ["processed", [], 7])
def test_a_result_that_is_no_object_is_a_problem(result: Any) -> None:
    assert "its result is" in found(ended(result=result))


def test_an_order_processed_before_it_was_validated_is_a_problem() -> None:
    assert "not after 1000" in found(ended(result=RESULT | {"processedAt": 999}))


@pytest.mark.parametrize("index", [1, 3, 5, 7])
def test_a_missing_event_is_a_problem(index: int) -> None:
    assert "its history is" in found(history=[*HISTORY[:index], *HISTORY[index + 1 :]])


def test_a_repeated_step_is_a_problem() -> None:
    assert "its history is" in found(history=[*HISTORY[:3], *HISTORY[1:]])


def test_a_wait_that_held_the_function_is_a_problem() -> None:
    history = copy.deepcopy(HISTORY)
    history[4] = invocation(0, 5.3)
    assert "no durable wait" in found(history=history)


def test_one_invocation_is_a_problem() -> None:
    assert "invoked 1 times" in found(history=[*HISTORY[:4], *HISTORY[5:]])
