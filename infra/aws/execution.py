"""Durable executions as Lambda tells of them: their statuses, and what is read of one."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infra.errors import CommandError
from infra.execution_arn import ExecutionArn

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import ExecutionTypeDef, GetDurableExecutionResponseTypeDef

SUCCEEDED = "SUCCEEDED"
# DELETING follows only upon an end, so it is one too: nothing runs any more, and the result is no longer promised.
ENDED = (SUCCEEDED, "FAILED", "TIMED_OUT", "STOPPED", "DELETING")
# What pauses or is paused has not ended, and its version and its function are still needed.
NOT_ENDED = ("RUNNING", "PAUSING", "PAUSED")


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

    @classmethod
    def read(cls, response: "GetDurableExecutionResponseTypeDef") -> "Execution":
        """Return what Lambda answered when it was asked for one."""
        error = response.get("Error")
        return cls(
            arn=response["DurableExecutionArn"],
            name=response["DurableExecutionName"],
            version=response.get("Version", ""),
            status=response["Status"],
            result=json.loads(response.get("Result") or "null"),
            error=": ".join(filter(None, [error.get("ErrorType"), error.get("ErrorMessage")])) if error else None,
        )


@dataclass(frozen=True)
class Listed:
    """A durable execution as a list tells of it."""

    arn: str
    name: str
    version: str
    status: str
    started: datetime

    @classmethod
    def read(cls, execution: "ExecutionTypeDef") -> "Listed":
        """Return an entry of a list.

        Raises:
            CommandError: its ARN names no version. Whoever deletes versions must not go on without it.
        """
        try:
            arn = ExecutionArn.parse(execution["DurableExecutionArn"])
        except ValueError as error:
            raise CommandError(f"Lambda lists an execution that can't be told to a version: {error}") from error
        return cls(
            arn=execution["DurableExecutionArn"],
            name=execution["DurableExecutionName"],
            version=arn.version,
            status=execution["Status"],
            started=execution["StartTimestamp"],
        )
