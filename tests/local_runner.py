"""Executions of a handler on AWS's local runner of durable executions, which skips waits and delays."""

import asyncio
import json
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.model import Event, StartDurableExecutionInput

from infra.aws.execution import Execution as Ended
from infra.execution_arn import ExecutionArn
from infra.local.durable_executions import numbered

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


def run(handler: Any, event: object, name: str = "tested") -> Outcome:
    """Run one execution of that name to its end."""
    loop = asyncio.new_event_loop()
    with ExitStack() as stack:
        # The runner names executions and numbers events otherwise than AWS does, and leaves the event loop open that it
        # asks for.
        stack.enter_context(closing(loop))
        stack.enter_context(patch.object(asyncio, "new_event_loop", lambda: loop))
        stack.enter_context(patch.object(Execution, "new", staticmethod(_with_an_arn)))
        stack.enter_context(patch.object(Event, "from_event_with_id", staticmethod(numbered)))
        # It waits 5 s after a lost invocation even where it skips time.
        stack.enter_context(patch.object(Executor, "RETRY_BACKOFF_SECONDS", 0))
        runner = stack.enter_context(DurableFunctionTestRunner(handler))
        arn = runner.run_async(input=json.dumps(event), function_name="tested", execution_name=name)
        result = runner.wait_for_result(arn)
        events = runner.get_execution_history(arn, include_execution_data=True).events
    error = f"{result.error.type}: {result.error.message}" if result.error else None
    ended = Ended(arn, name, "1", result.status.value, json.loads(result.result or "null"), error)
    return Outcome(ended, [event.to_dict() for event in events])


def _with_an_arn(input: StartDurableExecutionInput) -> Execution:  # noqa: A002 - named by the runner
    start = replace(input, invocation_id=str(uuid4()))
    arn = ExecutionArn(VERSION_ARN, "1", str(start.execution_name), str(start.invocation_id))
    return Execution(durable_execution_arn=str(arn), start_input=start, operations=[])
