"""The durable function: validate an order, wait, process it.

Every invocation of an execution runs the handler from its top, and steps that are done return what they returned
before. So outside steps the handler must do the same each time: no clock, no randomness, no input or output.
A running execution is matched with the code by the order, kind and name of its operations: a change of those is safe
only because executions stay on the version of the function that they began on.

On Managed Instances several processes of this module share an environment and its /tmp. Each serves one invocation at
a time, is never frozen, and is not stopped at the function's timeout: what does not return holds its process for good.
So bound whatever can block, and keep nothing in /tmp or in globals.
"""

import time
from typing import TypedDict
from uuid import NAMESPACE_URL, uuid5

from aws_durable_execution_sdk_python import DurableContext, StepContext, StepError, durable_execution, durable_step
from aws_durable_execution_sdk_python.config import Duration, JitterStrategy, StepConfig
from aws_durable_execution_sdk_python.retries import RetryPresets, RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.types import DurableExecutionArn

from orders.order import InvalidOrder, Json, Order, TransientError, process, validate

WAIT_BEFORE_PROCESSING = Duration.from_seconds(5)

VALIDATION_RETRIES = RetryPresets.none()
PROCESSING_RETRIES = create_retry_strategy(
    RetryStrategyConfig(
        max_attempts=6,
        initial_delay=Duration.from_seconds(2),
        max_delay=Duration.from_seconds(30),
        backoff_rate=2,
        jitter_strategy=JitterStrategy.FULL,
        retryable_error_types=[TransientError],
    )
)
"""Up to 2, 4, 8, 16 and 30 seconds between six attempts, spent suspended: no process is held."""


class ValidatedOrder(TypedDict):
    """Result of the step `validate-order`. Times are in milliseconds since the epoch."""

    orderId: str
    validatedAt: int


class ProcessedOrder(ValidatedOrder):
    """Result of the execution."""

    status: str
    processedAt: int


@durable_execution
def handler(event: Json, context: DurableContext) -> ProcessedOrder:
    """Run one order. An event that is not an order fails the execution with InvalidOrder."""
    execution_arn = context.execution_context.durable_execution_arn
    log_fields = {"executionName": _execution_name(execution_arn)}

    validated = _validate(context, event, log_fields)
    order = Order(validated["orderId"])
    log_fields["orderId"] = order.order_id
    context.logger.info("Order validated", extra=log_fields)

    context.wait(WAIT_BEFORE_PROCESSING, name="wait-before-processing")

    processed_at = context.step(
        _process_order(order, _idempotency_key(execution_arn), log_fields),
        name="process-order",
        config=StepConfig(retry_strategy=PROCESSING_RETRIES),
    )
    context.logger.info("Order processed", extra=log_fields)
    return {**validated, "status": "processed", "processedAt": processed_at}


def _validate(context: DurableContext, event: Json, log_fields: dict[str, str]) -> ValidatedOrder:
    """Run the validation step. Raises InvalidOrder as itself, where the SDK raises every step's error as StepError."""
    try:
        return context.step(
            _validate_order(event), name="validate-order", config=StepConfig(retry_strategy=VALIDATION_RETRIES)
        )
    except StepError as error:
        if error.error_type != f"{InvalidOrder.__module__}.{InvalidOrder.__qualname__}":
            raise
        context.logger.warning("Order refused: %s", error, extra=log_fields)
        raise InvalidOrder(str(error)) from None


@durable_step
def _validate_order(_: StepContext, event: Json) -> ValidatedOrder:
    return {"orderId": validate(event).order_id, "validatedAt": _now()}


@durable_step
def _process_order(step: StepContext, order: Order, idempotency_key: str, log_fields: dict[str, str]) -> int:
    step.logger.info("Processing order", extra={**log_fields, "idempotencyKey": idempotency_key})
    process(order, idempotency_key)
    return _now()


def _idempotency_key(execution_arn: str) -> str:
    """Return the key of the processing step, unique since an ARN is never used again even where a name is."""
    return str(uuid5(NAMESPACE_URL, f"{execution_arn}/process-order"))


def _execution_name(execution_arn: str) -> str:
    """Return the execution's name, or `execution_arn` itself where an emulator gives no ARN."""
    arn = DurableExecutionArn.from_arn(execution_arn)
    return arn.execution_name if arn else execution_arn


def _now() -> int:
    return time.time_ns() // 1_000_000
