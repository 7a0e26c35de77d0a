"""Recording of histories."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aws_durable_execution_sdk_python.lambda_service import InvocationStatus, Operation, OperationType
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput

from infra.replay.history import SDK, History, HistoryError, write
from infra.replay.resume import EXECUTION_ARN, EXECUTION_ID, Handler

MOST_SECONDS = 60


def record(handler: Handler, event: Any, folder: Path, seconds: int = MOST_SECONDS) -> list[Path]:
    """Replace the histories in a folder by what an execution leaves after each invocation.

    It runs on AWS's local runner. What it calls, and what differs each time, is the caller's to replace.

    Args:
        handler: of the function.
        event: of the execution.
        folder: of the histories; it need not be there.
        seconds: how long the execution may take. What it waits is skipped.

    Raises:
        HistoryError: it does not succeed, or has no operation. The histories stay as they are.
    """
    try:
        states = _states_after_each_invocation(handler, event, seconds)
    except HistoryError as error:
        raise HistoryError(f"{folder}: stays as it is, since the execution of the contract's event {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    return [write(_history(number, event, operations), folder) for number, operations in enumerate(states, start=1)]


def _history(number: int, event: Any, operations: list[Operation]) -> History:
    last = operations[-1]
    # Names of operations may hold what names of files can't.
    label = re.sub(r"[^A-Za-z0-9_-]+", "-", last.name or last.operation_type.value.lower())
    return History(f"{number}-{label}-{last.status.value.lower()}", SDK, event, operations)


def _states_after_each_invocation(handler: Handler, event: Any, seconds: int) -> list[list[Operation]]:
    states: list[list[Operation]] = []

    def invoke(invocation: Any, context: Any) -> Any:
        try:
            return handler(invocation, context)
        finally:
            arn, token = invocation.durable_execution_arn, invocation.checkpoint_token
            state = invocation.service_client.get_execution_state(arn, token, "")
            states.append([o for o in state.operations if o.operation_type is not OperationType.EXECUTION])

    _run(invoke, event, seconds)
    if not all(states):
        raise HistoryError("has no operations: nothing of it could resume")
    return states


def _run(invoke: Handler, event: Any, seconds: int) -> None:
    hint = "what it calls is for recording.py beside that folder to replace"
    with patch.object(Execution, "new", staticmethod(_execution)), DurableFunctionTestRunner(invoke) as runner:
        try:
            # With a timeout of its own the execution could end as failed just before nobody waits for it any more.
            execution_arn = runner.run_async(input=json.dumps(event), execution_timeout=2 * seconds)
            result = runner.wait_for_result(execution_arn, timeout=seconds)
        except TimeoutError as error:
            raise HistoryError(f"does not end within {seconds} s; {hint}") from error
    if result.status is not InvocationStatus.SUCCEEDED:
        found = f"{result.error.type}: {result.error.message}" if result.error else "no error was given"
        raise HistoryError(f"ends {result.status.value}: {found}; {hint}")


def _execution(input: StartDurableExecutionInput) -> Execution:  # noqa: A002 - named by the runner
    """Begin an execution under the ARN that it has when it is replayed, where the runner's own is a random one."""
    return Execution(EXECUTION_ARN, replace(input, invocation_id=EXECUTION_ID), operations=[])
