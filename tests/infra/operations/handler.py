"""A durable function with an operation of every kind that the SDK has."""

import json
import os
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, ParallelBranch, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

SECOND = Duration.from_seconds(1)
TWICE = StepConfig(retry_strategy=create_retry_strategy(RetryStrategyConfig(max_attempts=2, initial_delay=SECOND)))


@durable_execution
def handler(event: Any, context: DurableContext) -> Any:
    bill = event["billId"]
    context.step(lambda step: charge(bill, step.attempt), name="charge", config=TWICE)
    context.wait(SECOND, name="pause")
    approval = json.loads(context.wait_for_callback(ask, name="approval") or "null")
    receipt = context.create_callback(name="receipt")
    context.step(lambda _: ask(receipt.callback_id), name="send")
    packed = context.run_in_child_context(pack, name="pack")
    context.parallel(
        [
            ParallelBranch(lambda branch: branch.step(lambda _: "a label", name="print"), name="label"),
            ParallelBranch(lambda branch: branch.wait(SECOND, name="dry"), name="glue"),
        ],
        name="wrap",
    )
    weights = context.map([1, 2], weigh, name="weigh")
    context.wait_for_condition(lambda seen, _: seen + 1, WaitForConditionConfig(twice, 0), name="shipped")
    refund = context.invoke(f"{os.environ['REFUNDS']}:live", {"refundId": bill}, name="refund")
    entry = context.invoke(os.environ["LEDGER"], {"bill": bill}, name="enter")
    return {
        "billId": bill,
        "approved": approval["approved"],
        "receipt": json.loads(receipt.result() or "null"),
        "packed": packed,
        "weights": weights.get_results(),
        "refund": refund,
        "entry": entry,
    }


def pack(child: DurableContext) -> str:
    return child.step(lambda _: "in a box", name="box")


def weigh(item: DurableContext, grams: int, _index: int, _items: Any) -> int:
    return item.step(lambda _: grams * 10, name="scale")


def twice(seen: int, _attempt: int) -> WaitForConditionDecision:
    return WaitForConditionDecision.stop_polling() if seen > 1 else WaitForConditionDecision.continue_waiting(SECOND)


def charge(bill: str, attempt: int) -> str:
    if attempt == 1:
        raise ConnectionError(f"nobody charges {bill} at once")
    return bill


def ask(callback_id: str, _: object = None) -> None:
    """Stands for telling somebody which callback to answer."""
