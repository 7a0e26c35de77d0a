"""Executions of a handler on AWS's local runner of durable executions, which skips waits and delays.

Callbacks are answered as `[callbacks]` of the function's contract.toml says, once the invocation that asked has ended.
"""

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.model import Event, StartDurableExecutionInput

from infra import contract
from infra.aws.execution import Execution as Ended
from infra.execution_arn import ExecutionArn
from infra.local.durable_executions import numbered
from infra.replay.record import open_callbacks

VERSION_ARN = "arn:aws:lambda:eu-west-1:111111111111:function:tested"


@dataclass(frozen=True)
class Outcome:
    """How an execution ended, and its history as Lambda's API tells of it."""

    ended: Ended
    events: Any

    def failures_of(self, step: str) -> list[str]:
        """Return the messages of the errors with which attempts of a step ended."""
        failed = [event for event in self.events if event["EventType"] == "StepFailed" and event["Name"] == step]
        return [event["StepFailedDetails"]["Error"]["Payload"]["ErrorMessage"] for event in failed]


def run(handler: Any, event: object, name: str = "tested", callbacks: Mapping[str, Any] | None = None) -> Outcome:
    """Run one execution to its end.

    Args:
        handler: of a function.
        event: of the execution.
        name: of the execution.
        callbacks: what callbacks are answered with, as JSON, where that is not what the contract says.
    """
    with local_runner(handler, answers(handler.__module__.partition(".")[0], name, callbacks)) as runner:
        arn = runner.run_async(input=json.dumps(event), function_name="tested", execution_name=name)
        result = runner.wait_for_result(arn)
        events = runner.get_execution_history(arn, include_execution_data=True).events
    error = f"{result.error.type}: {result.error.message}" if result.error else None
    ended = Ended(arn, name, "1", result.status.value, json.loads(result.result or "null"), error)
    return Outcome(ended, [event.to_dict() for event in events])


def answers(function: str, name: str, callbacks: Mapping[str, Any] | None = None) -> dict[str, bytes]:
    """Return what the callbacks of an execution are answered with: as the contract says, but for those given here."""
    given = {key: json.dumps(value).encode() for key, value in (callbacks or {}).items()}
    return contract.load(function).answers_of(name) | given


@contextmanager
def local_runner(handler: Any, answered: Mapping[str, bytes]) -> Generator[DurableFunctionTestRunner]:
    """Yield a runner, which names executions and numbers events as AWS does.

    Args:
        handler: what it invokes.
        answered: what callbacks are answered with, by their names. Any other is for the caller to answer.
    """
    loop = asyncio.new_event_loop()
    with ExitStack() as stack:
        # The runner leaves the event loop open that it asks for.
        stack.enter_context(closing(loop))
        stack.enter_context(patch.object(asyncio, "new_event_loop", lambda: loop))
        stack.enter_context(patch.object(Execution, "new", staticmethod(_with_an_arn)))
        stack.enter_context(patch.object(Event, "from_event_with_id", staticmethod(numbered)))
        # It waits 5 s after a lost invocation even where it skips time.
        stack.enter_context(patch.object(Executor, "RETRY_BACKOFF_SECONDS", 0))
        yield stack.enter_context(_Answering(handler, answered))


class _Answering(DurableFunctionTestRunner):
    def __init__(self, handler: Any, answered: Mapping[str, bytes]) -> None:
        self._answered_handler = handler
        self._answered = answered
        super().__init__(self._invoke)

    def _invoke(self, invocation: Any, context: Any) -> Any:
        try:
            return self._answered_handler(invocation, context)
        finally:
            arn, token = invocation.durable_execution_arn, invocation.checkpoint_token
            state = invocation.service_client.get_execution_state(arn, token, "")
            for name, callback_id in open_callbacks(state.operations):
                if name in self._answered:
                    self.send_callback_success(callback_id, self._answered[name])


def _with_an_arn(input: StartDurableExecutionInput) -> Execution:  # noqa: A002 - named by the runner
    start = replace(input, invocation_id=str(uuid4()))
    arn = ExecutionArn(VERSION_ARN, "1", str(start.execution_name), str(start.invocation_id))
    return Execution(durable_execution_arn=str(arn), start_input=start, operations=[])
