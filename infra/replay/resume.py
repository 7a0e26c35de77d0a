"""One replay of an execution, by the SDK itself."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from aws_durable_execution_sdk_python.execution import (
    DurableExecutionInvocationInputWithClient,
    InitialExecutionState,
    durable_execution,
)
from aws_durable_execution_sdk_python.lambda_service import (
    CheckpointOutput,
    CheckpointUpdatedExecutionState,
    ExecutionDetails,
    InvocationStatus,
    Operation,
    OperationStatus,
    OperationType,
    StateOutput,
)
from aws_durable_execution_sdk_python.plugin import (
    DurableInstrumentationPlugin,
    InvocationStartInfo,
    OperationEndInfo,
    OperationStartInfo,
    UserFunctionStartInfo,
)

EXECUTION_ID = "0b7a4c1e-3f4e-3a55-9a0e-6f2c1f0b9d11"
EXECUTION_ARN = f"arn:aws:lambda:eu-west-1:000000000000:function:recorded:1/durable-execution/recorded/{EXECUTION_ID}"

_UNFINISHED = {OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY}

Handler = Callable[[Any, Any], Mapping[str, Any]]


@dataclass
class Replay:
    """What a replay reached, by the operations' ids, and the new operation or the error that ended it."""

    recorded: Collection[str]
    reached: set[str] = field(default_factory=set[str])
    began: OperationStartInfo | None = None
    error: str | None = None


def is_finished(operation: Operation) -> bool:
    """Return whether a replay takes the operation's result from the history."""
    return operation.status not in _UNFINISHED


def resume(handler: Handler, event: Any, operations: Sequence[Operation]) -> Replay:
    """Run the handler on recorded operations up to where new work would begin. No step's body runs."""
    replay = Replay([operation.operation_id for operation in operations])
    decorate: Callable[[Any], Handler] = cast(
        "Any", durable_execution(plugins=[_Observer(replay)])
    )  # typed for no arguments
    try:
        output = decorate(cast("Any", handler).__wrapped__)(_invocation(event, operations), None)
        if output["Status"] == InvocationStatus.FAILED.value:
            replay.error = f"{output['Error'].get('ErrorType')}: {output['Error'].get('ErrorMessage')}"
    except _EndOfHistory:
        pass
    return replay


def _invocation(event: Any, operations: Sequence[Operation]) -> DurableExecutionInvocationInputWithClient:
    details = ExecutionDetails(json.dumps(event))
    root = Operation(EXECUTION_ID, OperationType.EXECUTION, OperationStatus.STARTED, execution_details=details)
    return DurableExecutionInvocationInputWithClient(
        EXECUTION_ARN,
        "token",
        InitialExecutionState([root, *operations], next_marker=""),
        # The SDK tells plugins of a finished operation only where it finished since the last invocation.
        updated_operation_ids=[o.operation_id for o in operations if is_finished(o)],
        service_client=_Service(),
    )


class _EndOfHistory(SystemExit):
    """Ends a replay where new work would begin. Of a plugin's errors, the SDK lets only a few built-in ones through."""


class _Observer(DurableInstrumentationPlugin):
    """Notes on a replay which operations it reaches, and ends it where new work would begin."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay

    def create_plugin(self, info: InvocationStartInfo, /) -> DurableInstrumentationPlugin:  # noqa: ARG002 - the SDK's
        return self

    def on_operation_start(self, info: OperationStartInfo) -> None:
        self.replay.reached.add(info.operation_id)
        if info.operation_id not in self.replay.recorded:
            self.replay.began = info
            raise _EndOfHistory

    def on_operation_end(self, info: OperationEndInfo) -> None:
        self.replay.reached.add(info.operation_id)

    def on_user_function_start(self, info: UserFunctionStartInfo) -> None:
        if info.operation_type.value != OperationType.CONTEXT.value:
            raise _EndOfHistory


class _Service:
    """Stands for Lambda. It keeps nothing and withdraws the invocation's token, upon which the SDK suspends."""

    def checkpoint(self, *_: object, **__: object) -> CheckpointOutput:
        return CheckpointOutput(None, CheckpointUpdatedExecutionState())

    def get_execution_state(self, *_: object, **__: object) -> StateOutput:
        return StateOutput([], None)
