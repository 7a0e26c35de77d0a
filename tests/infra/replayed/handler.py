"""A durable function that tests copy, changed in one thing or another, into functions/billing of a checkout."""

import time
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration


@durable_execution
def handler(event: Any, context: DurableContext) -> Any:
    checked = context.step(lambda _: check(event), name="check")
    bill = checked["billId"]
    context.logger.info("Checked")
    context.wait(Duration.from_seconds(5), name="pause")
    paid_at = context.step(lambda _: pay(bill), name="pay")
    return {**checked, "status": "paid", "paidAt": paid_at}


def check(event: Any) -> dict[str, Any]:
    return {"billId": event["billId"], "checkedAt": now()}


def pay(bill: str) -> int:
    raise ConnectionError(f"nobody pays {bill} in a test")


def now() -> int:
    return time.time_ns() // 1_000_000
