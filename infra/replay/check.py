"""The check of recorded histories against a handler."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import Operation, OperationStatus, OperationType
from aws_durable_execution_sdk_python.plugin import OperationStartInfo

from infra.contract import Contract, listed
from infra.operations import kind
from infra.replay.history import SDK, History
from infra.replay.resume import Handler, Replay, is_finished, resume

_MOST_NEW_OPERATIONS = 100  # ends the walk through a handler that loops for as long as nothing happens


@dataclass(frozen=True)
class Break:
    """Why a history does not replay: the operation, what became of it, and the error that ended the replay, if any."""

    history: str
    operation: str
    reason: str
    error: str | None
    sdk: str

    def __str__(self) -> str:
        lines = [f"{self.history}: {self.operation}: {self.reason}"]
        if self.error:
            lines.append(self.error)
        if self.sdk != SDK:
            lines.append(f"recorded with version {self.sdk} of the SDK, replayed with {SDK}")
        return "\n  ".join(lines)


def check(handler: Handler, histories: Sequence[History]) -> list[Break]:
    """Replay every history up to where new work would begin, and return the breaks. No step's body runs."""
    # In parallel, since the SDK idles for a tenth of a second at the end of each invocation.
    with ThreadPoolExecutor() as pool:
        breaks = pool.map(partial(_break, handler, histories), histories)
        return [each for each in breaks if each]


def compare(function: str, contract: Contract, histories: Sequence[History]) -> list[str]:
    """Return where a function's contract is to be edited, because the recorded histories have other operations."""
    whole = max((history.operations for history in histories), key=len)
    recorded = listed(contract, [[*map(_label, _around(each, whole)), _label(each)] for each in whole])
    if recorded == contract.operations:
        return []
    # As TOML, to be pasted.
    return [
        f"functions/{function}/contract.toml: operations: must be {json.dumps(recorded)}, as in the recorded histories"
    ]


def _break(handler: Handler, histories: Sequence[History], history: History) -> Break | None:
    replay = resume(handler, history.event, history.operations)
    needed = [o for o in history.operations if _is_needed(o, history)]
    # The SDK says of an operation that is another one than recorded which it is, by its id.
    missed = [
        o
        for o in history.operations
        if (o in needed and o.operation_id not in replay.reached) or f"id='{o.operation_id}'" in (replay.error or "")
    ]
    if not replay.error and not missed:
        return None
    if missed:
        operation = missed[0]
        reason = _reason(handler, history, operation, replay, histories)
    else:
        operation, reason = needed[-1], "the handler fails after it"
    label = f"operation {history.operations.index(operation) + 1}, {_label(operation)}"
    return Break(history.name, label, reason, replay.error, history.sdk)


def _is_needed(operation: Operation, history: History) -> bool:
    """Return whether a replay that reaches the end of the history must have told of the operation.

    A finished parent gives its result without running its children again, and the SDK does not tell plugins of the
    finished branches of an unfinished parallel or map, nor of what finished after a callback that is still open.
    """
    around = _around(operation, history.operations)
    parent = around[-1] if around else None
    is_branch = operation.operation_type is OperationType.CONTEXT and is_finished(operation)
    if any(_follows_open_callback(each, history) for each in (operation, *around)):
        return False
    return parent is None or not (is_finished(parent) or is_branch)


def _around(operation: Operation, whole: Sequence[Operation]) -> list[Operation]:
    """Return the operations that one runs in, outermost first."""
    parent = next((each for each in whole if each.operation_id == operation.parent_id), None)
    return [*_around(parent, whole), parent] if parent else []


def _follows_open_callback(operation: Operation, history: History) -> bool:
    before = history.operations[: history.operations.index(operation)]
    return any(
        each.operation_type is OperationType.CALLBACK
        and not is_finished(each)
        and each.parent_id == operation.parent_id
        for each in before
    )


def _reason(handler: Handler, history: History, missed: Operation, replay: Replay, histories: Sequence[History]) -> str:
    """Say what became of the first operation that a replay did not reach."""
    recorded = [operation for each in (*histories, history) for operation in each.operations]
    reached = [operation for operation in history.operations if operation.operation_id in replay.reached]
    walk, is_whole = _walk(handler, history.event, reached, recorded)
    now = next((o for o in walk if o.operation_id == missed.operation_id), missed)
    is_new = now.name not in {o.name for o in recorded}
    if _identity(now) == _identity(missed):
        return "the handler fails before it" if replay.error else "removed, or not reached any more"
    if now.name == missed.name:
        fate = "changed"
    elif missed.name in {o.name for o in walk}:
        fate = "another is inserted before it" if is_new else "reordered"
    elif is_whole:
        fate = "renamed or replaced" if is_new else "removed"
    else:
        fate = "renamed, removed or moved"
    return f"{fate}: the code now has {_label(now)} here"


def _walk(
    handler: Handler, event: Any, reached: Sequence[Operation], recorded: Sequence[Operation]
) -> tuple[list[Operation], bool]:
    """Return the operations that the code has now, and whether it comes to its end with them.

    Each that it begins is taken for done, with the result recorded under its name, or else at its place. Where neither
    is of use to the handler, it ends early.
    """
    done = {key: o for o in recorded if is_finished(o) for key in (o.operation_id, o.name)}
    walk = list(reached)
    for _ in range(_MOST_NEW_OPERATIONS):
        replay = resume(handler, event, walk)
        began = replay.began
        if not began:
            return walk, replay.error is None
        walk.append(_as_begun(began, done.get(began.name) or done.get(began.operation_id)))
    return walk, False


def _as_begun(began: OperationStartInfo, done: Operation | None) -> Operation:
    operation_type = OperationType(began.operation_type.value)
    return replace(
        done or Operation(began.operation_id, operation_type, OperationStatus.SUCCEEDED),
        operation_id=began.operation_id,
        operation_type=operation_type,
        sub_type=began.sub_type,
        name=began.name,
        parent_id=began.parent_id,
    )


def _identity(operation: Operation) -> tuple[object, ...]:
    """Return what the SDK compares."""
    return operation.operation_type, operation.sub_type, operation.name, operation.parent_id


def _label(operation: Operation) -> str:
    type_ = operation.operation_type.value.title().replace("_", "")
    return f"{kind(type_, operation.sub_type)} {operation.name}"
