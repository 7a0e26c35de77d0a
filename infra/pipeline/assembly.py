"""A built cloud assembly: what `build` writes and `deploy` brings to AWS."""

import json
from pathlib import Path

from infra.pipeline.cdk import ROOT
from infra.pipeline.errors import UsageError


def default_folder(environment: str, pull_request: int | None) -> Path:
    """Where `build` writes an assembly, and `deploy` looks for it, unless told otherwise."""
    suffix = f"-pr-{pull_request}" if pull_request is not None else ""
    return ROOT / "build" / "assembly" / f"{environment}{suffix}"


def stack_names(folder: Path) -> list[str]:
    """Return the names of the stacks in an assembly.

    Raises:
        UsageError: there is no assembly in that folder.
    """
    try:
        artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    except FileNotFoundError as error:
        raise UsageError(f"{folder} holds no cloud assembly; the build command writes one") from error
    return [name for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"]
