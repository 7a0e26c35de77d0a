"""A durable function with an operation of every kind that the SDK has."""

import json
import os
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, ParallelBranch, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

SECOND = Duration.from_seconds(1)
TWICE = StepConfig(retry_strategy=create_retry_strategy(RetryStrategyConfig(max_attempts=2, initial_delay=SECOND)))


@durable_execution
def handler(event: Any, context: Any) -> Any:
    bill = event["billId"]
    context.step(charge, name="charge", config=TWICE)
    context.wait(SECOND, name="pause")
    approval = read(context.wait_for_callback(ask, name="approval"))
    receipt = context.create_callback(name="receipt")
    context.step(partial(ask, receipt.callback_id), name="send")
    packed = context.run_in_child_context(pack, name="pack")
    context.parallel([ParallelBranch(label, name="label"), ParallelBranch(glue, name="glue")], name="wrap")
    weights = context.map([1, 2], weigh, name="weigh")
    context.wait_for_condition(look, WaitForConditionConfig(twice, 0), name="shipped")
    refund = context.invoke(f"{os.environ['REFUNDS']}:live", {"refundId": bill}, name="refund")
    entry = context.invoke(os.environ["LEDGER"], {"bill": bill}, name="enter")
    return {
        "billId": bill,
        "approved": approval["approved"],
        "receipt": read(receipt.result()),
        "packed": packed,
        "weights": weights.get_results(),
        "refund": refund,
        "entry": entry,
    }


def read(answer: str | None) -> Any:
    """Return what a callback was answered with, which the SDK gives as it was sent."""
    return json.loads(answer or "null")


def label(branch: DurableContext) -> None:
    branch.step(lambda _: "a label", name="print")


def glue(branch: DurableContext) -> None:
    branch.wait(SECOND, name="dry")


def pack(child: DurableContext) -> str:
    return child.step(lambda _: "in a box", name="box")


def weigh(item: DurableContext, grams: int, _index: int, _items: Any) -> int:
    return item.step(lambda _: grams * 10, name="scale")


def look(seen: int, _: object) -> int:
    return seen + 1


def twice(seen: int, _attempt: int) -> WaitForConditionDecision:
    return WaitForConditionDecision.stop_polling() if seen > 1 else WaitForConditionDecision.continue_waiting(SECOND)


def charge(step: StepContext) -> None:
    if step.attempt == 1:
        raise ConnectionError("nobody pays at once")


def ask(callback_id: str, _: object = None) -> None:
    """Stands for telling somebody which callback to answer."""
