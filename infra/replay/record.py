"""Recording of histories."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any
from unittest.mock import patch

from aws_durable_execution_sdk_python.lambda_service import (
    InvocationStatus,
    Operation,
    OperationStatus,
    OperationSubType,
    OperationType,
)
from aws_durable_execution_sdk_python_testing import DurableFunctionTestResult, DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing import runner as runners
from aws_durable_execution_sdk_python_testing.clock import Clock, real_now
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput

from infra.replay.history import SDK, History, HistoryError, write
from infra.replay.resume import EXECUTION_ARN, EXECUTION_ID, Handler

MOST_SECONDS = 60
# How soon to look again whether an invocation has ended.
_POLL_SECONDS = 0.01
_HINT = "what it calls is for recording.py beside that folder to replace"


@dataclass(frozen=True)
class Answers:
    """What an execution waits for: answers to its callbacks, and what functions that it invokes return, by names."""

    callbacks: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    invoked: Mapping[str, Any] = field(default_factory=dict[str, Any])


NONE = Answers()


def record(
    handler: Handler, event: Any, folder: Path, seconds: int = MOST_SECONDS, answers: Answers = NONE
) -> list[Path]:
    """Replace the histories in a folder by what an execution leaves after each invocation.

    It runs on AWS's local runner. What it calls, and what differs each time, is the caller's to replace.

    Args:
        handler: of the function.
        event: of the execution.
        folder: of the histories; it need not be there.
        seconds: how long the execution may take. What it waits is skipped.
        answers: what it waits for.

    Raises:
        HistoryError: it does not succeed, or has no operation. The histories stay as they are.
    """
    try:
        states = _Recorder(handler, event, answers).run(seconds)
    except HistoryError as error:
        raise HistoryError(f"{folder}: stays as it is, since the execution of the contract's event {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    return [write(_history(number, event, operations), folder) for number, operations in enumerate(states, start=1)]


def open_callbacks(operations: Sequence[Operation]) -> Iterator[tuple[str, str]]:
    """Yield the name and the id of each callback that an execution waits for."""
    parents = {each.operation_id: each for each in operations}
    for each in operations:
        if each.callback_details and each.status is OperationStatus.STARTED:
            around = parents.get(each.parent_id or "")
            named = around if around and around.sub_type == OperationSubType.WAIT_FOR_CALLBACK else each
            yield named.name or "", each.callback_details.callback_id


def _history(number: int, event: Any, operations: list[Operation]) -> History:
    last = operations[-1]
    # Names of operations may hold what names of files can't.
    label = re.sub(r"[^A-Za-z0-9_-]+", "-", last.name or last.operation_type.value.lower())
    return History(f"{number}-{label}-{last.status.value.lower()}", SDK, event, operations)


class _Recorder:
    """Runs an execution, and notes its state after each invocation."""

    def __init__(self, handler: Handler, event: Any, answers: Answers) -> None:
        self._handler = handler
        self._event = event
        self._answers = answers
        self._states: list[list[Operation]] = []
        self._unanswered: list[str] = []
        self._idle = Event()
        self._idle.set()
        with patch.object(runners, "SkipClock", partial(_Clock, self._idle)):
            self._runner = DurableFunctionTestRunner(self._invoke)

    def run(self, seconds: int) -> list[list[Operation]]:
        """Return the states.

        Raises:
            HistoryError: it does not succeed in that time, or has no operation.
        """
        for name, returned in self._answers.invoked.items():
            self._runner.register_function(name, partial(self._return, returned))
        result = self._end(seconds)
        if self._unanswered:
            names = ", ".join(self._unanswered)
            raise HistoryError(f"waits for callback {names}: [callbacks] in contract.toml says no answer")
        if result.status is not InvocationStatus.SUCCEEDED:
            found = f"{result.error.type}: {result.error.message}" if result.error else "no error was given"
            raise HistoryError(f"ends {result.status.value}: {found}; {_HINT}")
        if not all(self._states):
            raise HistoryError("has no operations: nothing of it could resume")
        return self._states

    def _end(self, seconds: int) -> DurableFunctionTestResult:
        with patch.object(Execution, "new", staticmethod(_execution)), self._runner as runner:
            try:
                # With a timeout of its own the execution could end as failed just before nobody waits for it any more.
                arn = runner.run_async(input=json.dumps(self._event), execution_timeout=2 * seconds)
                return runner.wait_for_result(arn, timeout=seconds)
            except TimeoutError as error:
                raise HistoryError(f"does not end within {seconds} s; {_HINT}") from error

    def _invoke(self, invocation: Any, context: Any) -> Any:
        self._idle.clear()
        try:
            return self._handler(invocation, context)
        finally:
            arn, token = invocation.durable_execution_arn, invocation.checkpoint_token
            state = invocation.service_client.get_execution_state(arn, token, "")
            operations = [o for o in state.operations if o.operation_type is not OperationType.EXECUTION]
            self._states.append(operations)
            # An answer begins the next invocation at once, so nothing is skipped before that one has ended too.
            if not self._answer(operations):
                self._idle.set()

    def _answer(self, operations: list[Operation]) -> bool:
        """Answer the callbacks that are open, and return whether there were any.

        It is done after each invocation, so that every recording does so at one time.
        """
        callbacks = list(open_callbacks(operations))
        for name, callback_id in callbacks:
            if name in self._answers.callbacks:
                self._runner.send_callback_success(callback_id, self._answers.callbacks[name])
            else:
                self._unanswered.append(name)
                self._runner.send_callback_failure(callback_id)
        return bool(callbacks)

    def _return(self, result: Any, _event: Any, _context: Any) -> Any:
        """Stand for a function that is invoked, and that returns once the invocation that began it has ended."""
        self._idle.wait(MOST_SECONDS)
        return result


class _Clock(Clock):
    """Stands still, but for what is waited for between invocations, which it skips.

    The runner's own ends a wait at once, now before and now after the invocation that begins it has ended, and so does
    an invocation that takes longer than the wait.
    """

    def __init__(self, idle: Event) -> None:
        self._idle = idle
        self._now = real_now()
        self._lock = Lock()

    def now(self) -> datetime:
        # Every time that is read is another one, as the runner expects.
        with self._lock:
            self._now += timedelta(microseconds=1)
            return self._now

    def arm(self, wake: datetime) -> float:
        if not self._idle.is_set():
            return _POLL_SECONDS
        with self._lock:
            self._now = max(self._now, wake)
        return 0.0


def _execution(input: StartDurableExecutionInput) -> Execution:  # noqa: A002 - named by the runner
    """Begin an execution under the ARN that it has when it is replayed, where the runner's own is a random one."""
    return Execution(EXECUTION_ARN, replace(input, invocation_id=EXECUTION_ID), operations=[])
