"""The ids of callbacks, which the local runner makes of their executions. AWS does not say what is in its own."""

import json
from base64 import b64decode

from infra.execution_arn import ExecutionArn


def execution_of(callback_id: str) -> ExecutionArn:
    """Return the execution that waits for a callback.

    Raises:
        ValueError: it is no id of a callback.
    """
    try:
        return ExecutionArn.parse(json.loads(b64decode(callback_id, validate=True))["arn"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"Invalid CallbackId: {callback_id}") from error
