"""Answering what durable executions wait for. A callback's id names its execution, and none else can be made of it."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ID = r"[A-Za-z0-9+/]{1,1024}={0,2}"  # Lambda API, CallbackId


class Callbacks:
    """The callbacks of an account and region. All methods raise CommandError where nobody waits for one any more."""

    def __init__(self, client: "LambdaClient") -> None:
        self._client = client

    def succeed(self, callback_id: str, result: bytes | None) -> None:
        """Let an execution go on, with what the callback returns in it."""
        options: Any = {} if result is None else {"Result": result}
        self._send(partial(self._client.send_durable_execution_callback_success, **options), callback_id)

    def fail(self, callback_id: str, message: str) -> None:
        """Let an execution go on, with an error that the callback raises in it."""
        error: Any = {"ErrorType": "CallbackFailed", "ErrorMessage": message}
        self._send(partial(self._client.send_durable_execution_callback_failure, Error=error), callback_id)

    def heartbeat(self, callback_id: str) -> None:
        """Let a callback's heartbeat timeout begin anew."""
        self._send(self._client.send_durable_execution_callback_heartbeat, callback_id)

    def _send(self, send: Callable[..., object], callback_id: str) -> None:
        errors = self._client.exceptions
        try:
            send(CallbackId=callback_id)
        except errors.CallbackTimeoutException as error:
            raise CommandError(f"the callback was answered already, or has timed out: {_message(error)}") from error
        except (errors.ResourceNotFoundException, errors.InvalidParameterValueException) as error:
            region = self._client.meta.region_name
            raise CommandError(f"no execution in {region} waits for this callback: {_message(error)}") from error


def _message(error: ClientError) -> str:
    return error.response["Error"].get("Message", "AWS says no more")
