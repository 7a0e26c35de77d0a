"""A built cloud assembly: what `build` writes and `deploy` brings to AWS."""

import hashlib
import json
from pathlib import Path
from typing import Any

from infra import ROOT
from infra.errors import UsageError


def default_folder(environment: str, pull_request: int | None) -> Path:
    """Where `build` writes an assembly, and `deploy` looks for it, unless told otherwise."""
    suffix = f"-pr-{pull_request}" if pull_request is not None else ""
    return ROOT / "build" / "assembly" / f"{environment}{suffix}"


def stack_names(folder: Path) -> list[str]:
    """Return the names of the stacks in an assembly.

    Raises:
        UsageError: there is no assembly in that folder.
    """
    return list(_stacks(folder))


def stack_tags(folder: Path, stack_name: str) -> dict[str, str]:
    """Return the tags that a stack of an assembly is deployed with."""
    return _stacks(folder)[stack_name]["properties"].get("tags", {})


def _stacks(folder: Path) -> dict[str, Any]:
    try:
        artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    except FileNotFoundError as error:
        raise UsageError(f"{folder} holds no cloud assembly; the build command writes one") from error
    return {name: artifact for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}


def digest(folder: Path) -> str:
    """Return the SHA-256 of everything in an assembly: names and contents of all files, and nothing else of them.

    Not counted is what the CDK CLI leaves there while it works: its locks, and the archives that it publishes.
    """
    total = hashlib.sha256()
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    for name, path in sorted(files.items()):
        if name.parts[0] != ".cache" and name.suffix != ".lock":
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{content}  {name.as_posix()}\n".encode())
    return total.hexdigest()
