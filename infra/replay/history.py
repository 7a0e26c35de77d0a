"""Recorded histories, as files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import Operation

from infra import ROOT
from infra.errors import UsageError
from infra.replay import recorded

SDK = version("aws-durable-execution-sdk-python")


class HistoryError(UsageError):
    """A recorded history is missing, can't be read or can't be recorded."""


@dataclass(frozen=True)
class History:
    """What Lambda gives to an invocation that resumes: the execution's event, and its operations in order.

    `sdk` is the version of the SDK that it was recorded with.
    """

    name: str
    sdk: str
    event: Any
    operations: list[Operation]


def load(function: str, root: Path = ROOT) -> list[History]:
    """Read the recorded histories of a function.

    Args:
        function: its folder in functions/.
        root: the folder that holds functions/ and tests/.

    Raises:
        HistoryError: there is none, or a file is not a history. It says what records them.
    """
    folder = recorded(function, root)
    command = f"`make record FUNCTION={function}` records"
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise HistoryError(f"{folder}: holds no recorded history; {command} some")
    return [_read(path, command) for path in paths]


def write(history: History, folder: Path) -> Path:
    """Write a history to a file of its name, and return the file's path."""
    path = folder / f"{history.name}.json"
    operations = [_kept(operation) for operation in history.operations]
    content: dict[str, Any] = {"sdk": history.sdk, "event": history.event, "operations": operations}
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def _read(path: Path, command: str) -> History:
    try:
        content = json.loads(path.read_text())
        operations = [Operation.from_json_dict(operation) for operation in content["operations"]]
        history = History(path.stem, content["sdk"], content["event"], operations)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        wanted = 'an object with "sdk", "event" and "operations"'
        found = f"{type(error).__name__}: {error}"
        raise HistoryError(f"{path}: is not {wanted} ({found}); {command} some") from error
    if not operations:
        raise HistoryError(f"{path}: operations: is empty; {command} some")
    return history


def _kept(operation: Operation) -> Mapping[str, Any]:
    """Leave out times: a replay does not depend on them, and they differ with each recording."""
    kept = operation.to_json_dict()
    for key in ("StartTimestamp", "EndTimestamp", "WaitDetails"):
        kept.pop(key, None)
    kept.get("StepDetails", {}).pop("NextAttemptTimestamp", None)
    return kept
