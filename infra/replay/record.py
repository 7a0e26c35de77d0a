"""Recording of histories."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from aws_durable_execution_sdk_python.lambda_service import InvocationStatus, Operation, OperationType
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner

from infra.replay.history import SDK, History, HistoryError, write

NOW = 1_700_000_000_000


def record(module: ModuleType, event: Any, folder: Path) -> list[Path]:
    """Replace the histories by what an order leaves after each invocation, when processing it fails once.

    It runs on AWS's local runner, with the event of an order. Processing itself is replaced, and so is the clock:
    recording calls nobody, and the same code gives the same bytes.

    Raises:
        HistoryError: the order does not succeed. The histories stay as they are.
    """
    states = _states_after_each_invocation(module, event)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    return [write(_history(number, event, operations), folder) for number, operations in enumerate(states, start=1)]


def _history(number: int, event: Any, operations: list[Operation]) -> History:
    last = operations[-1]
    return History(f"{number}-{last.name}-{last.status.value.lower()}", SDK, event, operations)


def _states_after_each_invocation(module: ModuleType, event: Any) -> list[list[Operation]]:
    states: list[list[Operation]] = []

    def invoke(invocation: Any, context: Any) -> Any:
        try:
            return module.handler(invocation, context)
        finally:
            arn, token = invocation.durable_execution_arn, invocation.checkpoint_token
            state = invocation.service_client.get_execution_state(arn, token, "")
            states.append([o for o in state.operations if o.operation_type is not OperationType.EXECUTION])

    with (
        patch.object(module, "process", side_effect=[module.TransientError("recorded"), None]),
        patch.object(module, "_now", return_value=NOW),
        DurableFunctionTestRunner(invoke) as runner,
    ):
        result = runner.run(input=json.dumps(event), execution_timeout=60)
    if result.status is not InvocationStatus.SUCCEEDED:
        raise HistoryError(f"nothing is recorded: the order ends {result.status.value}: {result.error}")
    return states
