"""Durable executions seen from outside: start one, follow it, read its history."""

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from infra.pipeline.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.literals import ExecutionStatusType
    from mypy_boto3_lambda.type_defs import EventTypeDef, GetDurableExecutionResponseTypeDef

SUCCEEDED = "SUCCEEDED"
# DELETING follows only upon an end, so it is one too: nothing runs any more, and the result is no longer promised.
ENDED = frozenset({SUCCEEDED, "FAILED", "TIMED_OUT", "STOPPED", "DELETING"})

NOT_ENDED = ["RUNNING", "PAUSING", "PAUSED"]

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


def running(client: "LambdaClient", function: str) -> list[str]:
    """Return the ARNs of the executions of a function that have not ended."""
    # The types of the AWS clients do not know of pausing yet.
    statuses = cast("list[ExecutionStatusType]", NOT_ENDED)
    try:
        pages = client.get_paginator("list_durable_executions_by_function").paginate(
            FunctionName=function, Statuses=statuses
        )
        return [execution["DurableExecutionArn"] for page in pages for execution in page["DurableExecutions"]]
    except client.exceptions.ResourceNotFoundException:
        return []


def stop(client: "LambdaClient", arn: str, reason: str) -> None:
    """Stop an execution. Code of it that runs now goes on until its next checkpoint."""
    client.stop_durable_execution(DurableExecutionArn=arn, Error={"ErrorType": "Stopped", "ErrorMessage": reason})


def _get(client: "LambdaClient", arn: str, *, tolerate_absence: bool) -> "GetDurableExecutionResponseTypeDef | None":
    try:
        # The default of IncludeExecutionData is documented both ways, so it is always said.
        return client.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=True)
    except client.exceptions.ResourceNotFoundException:
        if tolerate_absence:
            return None
        raise


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
