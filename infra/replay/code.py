"""A function's code, as a process of its own would import it."""

import os
import runpy
import sys
from collections.abc import Collection, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from unittest.mock import patch

from infra.errors import UsageError
from infra.replay import recording
from infra.replay.resume import Handler


@contextmanager
def imported(function: str, root: Path) -> Generator[Handler]:
    """Import a function's handler, and forget it afterwards with all that it imported of functions/.

    The environment variables that its recording.py names are set meanwhile.

    So each function has a copy of its own of what several share, as on Lambda, and no other checkout's.

    Raises:
        UsageError: there is no durable handler in its handler.py, or its recording.py says something else.
    """
    folder = root / "functions"
    ours = {path.stem for path in folder.iterdir()}
    others = _taken_out(ours)
    sys.path.insert(0, str(folder))
    invalidate_caches()
    try:
        with patch.dict(os.environ, _said(function, root, "ENVIRONMENT")):
            yield _handler(import_module(f"{function}.handler"), function)
    finally:
        sys.path.remove(str(folder))
        _taken_out(ours)
        sys.modules.update(others)


def replaced(function: str, root: Path) -> AbstractContextManager[object]:
    """Return within what a function is recorded, as `infra.replay` says.

    Raises:
        UsageError: its recording.py does not say it.
    """
    path = recording(function, root)
    if not path.exists():
        return nullcontext()
    said = runpy.run_path(str(path))
    if "replaced" not in said and said.keys() & {"INVOKED", "ENVIRONMENT"}:
        return nullcontext()
    found = said.get("replaced")
    context: Any = found() if callable(found) else None
    if not hasattr(context, "__enter__"):
        raise UsageError(f"{path}: must have a function replaced() that returns a context manager")
    return context


def invoked(function: str, root: Path) -> dict[str, Any]:
    """Return what the functions that a function invokes return while it is recorded, by their names.

    Raises:
        UsageError: its recording.py does not say it.
    """
    return _said(function, root, "INVOKED")


def _said(function: str, root: Path, name: str) -> dict[str, Any]:
    """Return a dictionary of a function's recording.py, which need not have it."""
    path = recording(function, root)
    found: object = runpy.run_path(str(path)).get(name, {}) if path.exists() else {}
    if not isinstance(found, dict):
        raise UsageError(f"{path}: {name} must be a dictionary")
    return cast("dict[str, Any]", found)


def _handler(module: ModuleType, function: str) -> Handler:
    handler: Any = getattr(module, "handler", None)
    if not hasattr(handler, "__wrapped__"):
        raise UsageError(f"functions/{function}/handler.py: must have a function handler() under @durable_execution")
    return handler


def _taken_out(packages: Collection[str]) -> dict[str, ModuleType]:
    """Take the modules of some packages out of what is imported, and return them."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in packages}
