"""Durable executions seen from outside: start one, follow it, read its history, list those of a function, stop one."""

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from infra.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.literals import ExecutionStatusType
    from mypy_boto3_lambda.type_defs import EventTypeDef, ExecutionTypeDef, GetDurableExecutionResponseTypeDef

SUCCEEDED = "SUCCEEDED"
# DELETING follows only upon an end, so it is one too: nothing runs any more, and the result is no longer promised.
ENDED = (SUCCEEDED, "FAILED", "TIMED_OUT", "STOPPED", "DELETING")

NOT_ENDED = ("RUNNING", "PAUSING", "PAUSED")

# Well below the 30 GetDurableExecution calls a second that an account has (Lambda quotas).
POLL_SECONDS = 0.5
# An asynchronous start answers before the execution can be read.
APPEARS_WITHIN_SECONDS = 30


@dataclass(frozen=True)
class Execution:
    """A durable execution as it was last read."""

    arn: str
    name: str
    version: str
    status: str
    result: Any
    error: str | None

    @property
    def succeeded(self) -> bool:
        """Whether it ended with a result."""
        return self.status == SUCCEEDED


@dataclass(frozen=True)
class Listed:
    """A durable execution as a list tells of it."""

    arn: str
    name: str
    version: str
    status: str
    started: datetime


def start(client: "LambdaClient", alias_arn: str, name: str, event: bytes) -> str:
    """Start a durable execution asynchronously through an alias, and return its ARN.

    The same name with the same event returns the execution that exists already.

    Raises:
        CommandError: Lambda answered without starting a durable execution.
    """
    response = client.invoke(FunctionName=alias_arn, InvocationType="Event", DurableExecutionName=name, Payload=event)
    arn = response.get("DurableExecutionArn")
    if not arn:
        raise CommandError(
            f"{alias_arn}: Lambda started no durable execution; does the function have a durable config?"
        )
    return arn


def follow(
    client: "LambdaClient",
    arn: str,
    deadline_seconds: float,
    poll_seconds: float = POLL_SECONDS,
) -> Execution:
    """Read an execution until it has ended.

    Raises:
        CommandError: it has not ended within the deadline; the execution itself goes on.
    """
    started = time.monotonic()
    status = "not visible yet"
    while True:
        elapsed = time.monotonic() - started
        if response := _get(client, arn, tolerate_absence=elapsed < APPEARS_WITHIN_SECONDS):
            status = response["Status"]
            if status in ENDED:
                return _execution(response)
        if elapsed >= deadline_seconds:
            raise CommandError(f"{arn} is {status} after {deadline_seconds:.0f} s; it was left as it is")
        time.sleep(poll_seconds)


def history(client: "LambdaClient", arn: str) -> "list[EventTypeDef]":
    """Return all events of an execution, oldest first, with the data of its operations."""
    pages = client.get_paginator("get_durable_execution_history").paginate(
        DurableExecutionArn=arn, IncludeExecutionData=True
    )
    return [event for page in pages for event in page["Events"]]


def executions(
    client: "LambdaClient", function: str, statuses: Iterable[str] = (*NOT_ENDED, *ENDED)
) -> Iterator[Listed]:
    """List the executions of all versions of a function, newest first, as far as Lambda still knows of them.

    Args:
        client: a client of the function's account and region.
        function: its name; one that does not exist has no executions.
        statuses: those with one of these alone.
    """
    # The types of the AWS clients do not know of pausing yet.
    chosen = cast("list[ExecutionStatusType]", list(statuses))
    pages = client.get_paginator("list_durable_executions_by_function").paginate(FunctionName=function, Statuses=chosen)
    try:
        for page in pages:
            yield from map(_listed, page["DurableExecutions"])
    except client.exceptions.ResourceNotFoundException:
        return


def running(client: "LambdaClient", function: str) -> list[Listed]:
    """Return the executions of a function that have not ended, paused ones too, oldest first."""
    return sorted(executions(client, function, NOT_ENDED), key=lambda execution: execution.started)


def stop(client: "LambdaClient", arn: str, reason: str) -> bool:
    """Stop an execution. Code of it that runs now goes on until its next checkpoint.

    Returns:
        False where it had ended by itself.
    """
    try:
        client.stop_durable_execution(DurableExecutionArn=arn, Error={"ErrorType": "Stopped", "ErrorMessage": reason})
    except client.exceptions.ClientError:
        if client.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=False)["Status"] in ENDED:
            return False
        raise
    return True


def _get(client: "LambdaClient", arn: str, *, tolerate_absence: bool) -> "GetDurableExecutionResponseTypeDef | None":
    try:
        # The default of IncludeExecutionData is documented both ways, so it is always said.
        return client.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=True)
    except client.exceptions.ResourceNotFoundException:
        if tolerate_absence:
            return None
        raise


def _listed(execution: "ExecutionTypeDef") -> Listed:
    arn = execution["DurableExecutionArn"]
    qualifier = re.search(r":([^:/]+)/durable-execution/", arn)
    return Listed(
        arn=arn,
        name=execution["DurableExecutionName"],
        version=qualifier[1] if qualifier else "",
        status=execution["Status"],
        started=execution["StartTimestamp"],
    )


def _execution(response: "GetDurableExecutionResponseTypeDef") -> Execution:
    error = response.get("Error")
    return Execution(
        arn=response["DurableExecutionArn"],
        name=response["DurableExecutionName"],
        version=response.get("Version", ""),
        status=response["Status"],
        result=json.loads(response.get("Result") or "null"),
        error=": ".join(filter(None, [error.get("ErrorType"), error.get("ErrorMessage")])) if error else None,
    )
