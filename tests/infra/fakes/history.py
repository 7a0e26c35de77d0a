"""Events of a history, as Lambda tells them (Lambda API, GetDurableExecutionHistory)."""

from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return the moment so long after the start of an execution."""
    return START + timedelta(seconds=seconds)


def event(kind: str, seconds: float, operation: str | None = None, **more: Any) -> Any:
    """Return an event. An operation is known by its name, and an event of the execution itself is of none."""
    known = {"Id": operation, "Name": operation} if operation else {}
    return {"EventType": kind, "EventTimestamp": at(seconds), **known, **more}


def invocation(start: float, end: float, **details: Any) -> Any:
    """Return the event of an invocation that has ended."""
    told = {"StartTimestamp": at(start), "EndTimestamp": at(end), "RequestId": "some", **details}
    return event("InvocationCompleted", end, InvocationCompletedDetails=told)


def callback(seconds: float, name: str, identifier: str, **more: Any) -> Any:
    """Return the event of a callback that has started, under an id by which it can be answered."""
    return event("CallbackStarted", seconds, name, CallbackStartedDetails={"CallbackId": identifier}, **more)
