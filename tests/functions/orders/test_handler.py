"""The workflow on AWS's local runner of durable executions, which skips waits and delays."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from aws_durable_execution_sdk_python.lambda_service import ErrorObject, InvocationStatus, OperationType
from aws_durable_execution_sdk_python.types import LambdaContext
from aws_durable_execution_sdk_python_testing import DurableFunctionTestResult, DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import Event, StartDurableExecutionInput

from infra import contract
from infra.aws.execution import Execution as Ended
from orders.handler import PROCESSING_RETRIES, handler
from orders.order import Json, Order, TransientError, validate
from tests.local_runner import answers, local_runner

ORDER: Json = {"orderId": "order-123"}
STEP_ERROR = "aws_durable_execution_sdk_python.exceptions.StepError"


class ProcessDied(BaseException):
    """Stands for the end of the process that runs an invocation: no code in it can catch that."""


@dataclass
class Outcome:
    result: DurableFunctionTestResult
    events: list[Event]

    @property
    def history(self) -> list[tuple[str, str | None]]:
        return [(event.event_type, event.name) for event in self.events]

    @property
    def error(self) -> tuple[str | None, str | None]:
        """Type and message of the error that the history ends with."""
        details = self.events[-1].execution_failed_details
        assert details
        assert details.error
        assert details.error.payload == self.result.error
        return typed(details.error.payload)

    @property
    def step_failures(self) -> list[tuple[str | None, tuple[str | None, str | None]]]:
        """Step, and type and message of its error, of each failed attempt."""
        failed = [(event.name, event.step_failed_details) for event in self.events if event.step_failed_details]
        return [(name, typed(details.error.payload if details.error else None)) for name, details in failed]


def typed(error: ErrorObject | None) -> tuple[str | None, str | None]:
    assert error
    return error.type, error.message


class Workflow:
    """Runs executions of the handler, and notes which operations each invocation was given to replay."""

    runner: DurableFunctionTestRunner

    def __init__(self) -> None:
        self.replayed: list[list[str | None]] = []

    def run(self, event: Json = ORDER, name: str = "first") -> Outcome:
        arn = self.runner.run_async(input=json.dumps(event), function_name="orders-dev", execution_name=name)
        result = self.runner.wait_for_result(arn)
        return Outcome(result, self.runner.get_execution_history(arn, include_execution_data=True).events)

    def invoke(self, event: Any, context: LambdaContext) -> Any:
        operations = event.initial_execution_state.operations
        self.replayed.append([o.name for o in operations if o.operation_type is not OperationType.EXECUTION])
        try:
            return handler(event, context)
        except ProcessDied as death:
            raise RuntimeError from death


@pytest.fixture
def workflow() -> Iterator[Workflow]:
    workflow = Workflow()
    with local_runner(workflow.invoke, answers("orders", "order-123")) as workflow.runner:
        yield workflow


@dataclass
class Processing:
    """Takes the place of `process`. An attempt fails with the next of the failures, while there are any."""

    failures: Iterator[BaseException] = field(default_factory=lambda: iter(()))
    keys: list[str] = field(default_factory=list[str])

    def fails_with(self, *failures: BaseException) -> None:
        self.failures = iter(failures)

    def __call__(self, order: Order, idempotency_key: str) -> None:
        assert order == Order("order-123")
        self.keys.append(idempotency_key)
        if failure := next(self.failures, None):
            raise failure


@pytest.fixture
def processing(monkeypatch: pytest.MonkeyPatch) -> Processing:
    processing = Processing()
    monkeypatch.setattr("orders.handler.process", processing)
    return processing


@pytest.mark.parametrize(
    "failures",
    [[], [TransientError("throttled"), ProcessDied(), TransientError("timed out")]],
    ids=["at once", "after retries"],
)
def test_an_order_keeps_the_contract(workflow: Workflow, processing: Processing, failures: list[BaseException]) -> None:
    processing.fails_with(*failures)
    promised = contract.load("orders")
    outcome = workflow.run(promised.sample, promised.example)
    result = json.loads(outcome.result.result or "null")
    ended = Ended("arn", promised.example, "1", outcome.result.status.value, result, None)
    events: Any = [event.to_dict() for event in outcome.events]
    found = contract.problems(promised, promised.example, ended, events)
    assert found == [], "functions/orders/contract.toml says otherwise; edit it where the change is meant"
    assert result.keys() == promised.result.keys(), "functions/orders/contract.toml names other keys of the result"


def test_the_wait_takes_five_seconds(workflow: Workflow) -> None:
    durations = [e.wait_started_details.duration for e in workflow.run().events if e.wait_started_details]
    assert durations == [5]


def test_the_result_says_when_the_steps_were_done_and_reads_no_clock_outside_them(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(1_700_000_000_000)
    monkeypatch.setattr("orders.handler._now", lambda: next(clock))
    result = workflow.run().result
    assert result.status is InvocationStatus.SUCCEEDED
    assert json.loads(result.result or "") == {
        "orderId": "order-123",
        "status": "processed",
        "validatedAt": 1_700_000_000_000,
        "processedAt": 1_700_000_000_001,
    }
    assert next(clock) == 1_700_000_000_002


def test_times_are_in_milliseconds_since_the_epoch(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.handler.time.time_ns", lambda: 1_700_000_000_123_999_999)
    result = json.loads(workflow.run().result.result or "")
    assert (result["validatedAt"], result["processedAt"]) == (1_700_000_000_123, 1_700_000_000_123)


def test_a_replay_runs_no_step_again(
    workflow: Workflow, processing: Processing, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated: list[Json] = []

    def validate_noting(event: Json) -> Order:
        validated.append(event)
        return validate(event)

    monkeypatch.setattr("orders.handler.validate", validate_noting)
    workflow.run(ORDER)
    first, *later = workflow.replayed
    assert first == []
    assert later
    assert all("validate-order" in each for each in later)
    assert validated == [ORDER]
    assert len(processing.keys) == 1


def test_processing_is_tried_again_after_transient_failures(workflow: Workflow, processing: Processing) -> None:
    processing.fails_with(TransientError("throttled"), TransientError("timed out"))
    outcome = workflow.run()
    assert outcome.result.status is InvocationStatus.SUCCEEDED
    began = outcome.history.index(("StepStarted", "process-order"))
    assert outcome.history[began : began + 8] == [
        ("StepStarted", "process-order"),
        ("StepFailed", "process-order"),
        ("InvocationCompleted", None),
        ("StepStarted", "process-order"),
        ("StepFailed", "process-order"),
        ("InvocationCompleted", None),
        ("StepStarted", "process-order"),
        ("StepSucceeded", "process-order"),
    ]
    assert outcome.step_failures == [
        ("process-order", ("orders.order.TransientError", "throttled")),
        ("process-order", ("orders.order.TransientError", "timed out")),
    ]


def test_processing_that_stays_unavailable_fails_the_order_after_six_attempts(
    workflow: Workflow, processing: Processing
) -> None:
    processing.fails_with(*[TransientError("throttled")] * 100)
    outcome = workflow.run()
    assert len(processing.keys) == 6
    assert outcome.step_failures == [("process-order", ("orders.order.TransientError", "throttled"))] * 6
    assert outcome.error == (STEP_ERROR, "throttled")


@pytest.mark.parametrize(
    ("jitter", "delays"), [(0.0, [1, 1, 1, 1, 1]), (0.5, [1, 2, 4, 8, 15]), (1.0, [2, 4, 8, 16, 30])]
)
def test_the_delays_between_attempts_double_up_to_a_bound_and_are_spread(
    jitter: float, delays: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: jitter)
    decisions = [PROCESSING_RETRIES(TransientError(), attempt) for attempt in range(1, 7)]
    assert [decision.delay_seconds for decision in decisions if decision.should_retry] == delays
    assert not decisions[-1].should_retry


def test_a_permanent_failure_of_processing_fails_the_order_at_once(workflow: Workflow, processing: Processing) -> None:
    processing.fails_with(PermissionError("not your order"))
    outcome = workflow.run()
    assert len(processing.keys) == 1
    assert outcome.step_failures == [("process-order", ("PermissionError", "not your order"))]
    assert outcome.error == (STEP_ERROR, "not your order")


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (None, "the event is not an object"),
        (["order-123"], "the event is not an object"),
        ({}, "it is missing"),
        ({"orderId": 123}, "it is not a string"),
        ({"orderId": ""}, "it is empty"),
        ({"orderId": "o" * 65}, "it has 65 characters"),
        ({"orderId": "order 123"}, "it contains ' '"),
    ],
)
def test_an_invalid_order_fails_at_once_and_is_never_tried_again(
    event: Json, found: str, workflow: Workflow, processing: Processing
) -> None:
    outcome = workflow.run(event)
    assert outcome.history == [
        ("ExecutionStarted", "first"),
        ("StepStarted", "validate-order"),
        ("StepFailed", "validate-order"),
        ("InvocationCompleted", None),
        ("ExecutionFailed", "first"),
    ]
    error_type, message = outcome.error
    assert error_type == "orders.order.InvalidOrder"
    assert message
    assert message.startswith("orderId must be a string of 1 to 64 ")
    assert message.endswith(f"; {found}")
    assert outcome.step_failures == [("validate-order", (error_type, message))]
    assert processing.keys == []


def test_an_event_without_a_payload_is_an_invalid_order(workflow: Workflow) -> None:
    result = workflow.runner.run(input="")
    assert typed(result.error)[0] == "orders.order.InvalidOrder"


def test_a_defect_in_validation_is_neither_retried_nor_taken_for_an_invalid_order(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defective(_: Json) -> Order:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("orders.handler.validate", defective)
    outcome = workflow.run()
    assert outcome.step_failures == [("validate-order", ("ZeroDivisionError", "a defect"))]
    assert outcome.error == (STEP_ERROR, "a defect")


def test_every_attempt_for_one_execution_has_the_same_idempotency_key(
    workflow: Workflow, processing: Processing
) -> None:
    processing.fails_with(TransientError(), ProcessDied(), TransientError())
    assert workflow.run().result.status is InvocationStatus.SUCCEEDED
    assert len(processing.keys) == 4
    assert len(set(processing.keys)) == 1


def test_executions_differ_in_their_idempotency_keys_even_where_they_share_a_name(
    workflow: Workflow, processing: Processing
) -> None:
    for name in ("first", "second", "second"):
        workflow.run(name=name)
    assert len(set(processing.keys)) == 3


def test_an_idempotency_key_fits_the_client_tokens_of_aws(workflow: Workflow, processing: Processing) -> None:
    workflow.run(name="n" * 64)
    assert len(processing.keys[0]) == 36
    assert processing.keys[0].isascii()


def logged(records: Iterable[logging.LogRecord], *fields: str) -> list[tuple[object, ...]]:
    """Level, message and fields of each record that names its execution."""
    return [
        (record.levelname, record.getMessage(), *(vars(record).get(field) for field in fields))
        for record in records
        if "executionName" in vars(record)
    ]


def test_each_log_line_is_written_once_and_carries_order_and_execution(
    workflow: Workflow, processing: Processing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    processing.fails_with(TransientError())
    workflow.run()
    assert len(workflow.replayed) > 1
    key = processing.keys[0]
    assert logged(caplog.records, "orderId", "executionName", "attempt", "idempotencyKey") == [
        ("INFO", "Order validated", "order-123", "first", None, None),
        ("INFO", "Processing order", "order-123", "first", 1, key),
        ("INFO", "Processing order", "order-123", "first", 2, key),
        ("INFO", "Order processed", "order-123", "first", None, None),
    ]


def test_a_refused_order_is_logged_once_with_the_reason(workflow: Workflow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    _, message = workflow.run({}).error
    assert logged(caplog.records, "executionName") == [("WARNING", f"Order refused: {message}", "first")]


def test_an_execution_without_an_arn_is_logged_by_its_identifier(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def execution_without_an_arn(input: StartDurableExecutionInput) -> Execution:  # noqa: A002 - named by the runner
        return Execution(f"no-arn/{input.invocation_id}", input, operations=[])

    monkeypatch.setattr(Execution, "new", staticmethod(execution_without_an_arn))
    caplog.set_level(logging.INFO)
    workflow.run()
    names = [name for _, _, name in logged(caplog.records, "executionName")]
    assert names == ["no-arn/inv-12345678-1234-1234-1234-123456789012"] * 3


def test_step_results_stay_far_below_the_sizes_that_the_sdk_and_the_service_bear(workflow: Workflow) -> None:
    """Of the largest order; 256 KB and more is where trouble begins."""
    result = workflow.run({"orderId": "o" * 64, "note": "n" * 500_000}).result
    sizes = {name: len(result.get_step(name).result or "") for name in ("validate-order", "process-order")}
    assert min(sizes.values()) > 0
    assert max(sizes.values()) < 1024
