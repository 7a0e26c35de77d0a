"""Cloud assemblies on disk."""

import json
from pathlib import Path

import pytest

from infra.pipeline.assembly import default_folder, stack_names
from infra.pipeline.errors import UsageError


def test_only_stacks_are_named(tmp_path: Path) -> None:
    artifacts = {
        "orders-dev.assets": {"type": "cdk:asset-manifest"},
        "orders-dev": {"type": "aws:cloudformation:stack"},
        "Tree": {"type": "cdk:tree"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    assert stack_names(tmp_path) == ["orders-dev"]


def test_a_folder_without_an_assembly_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no cloud assembly"):
        stack_names(tmp_path)


def test_each_preview_has_a_folder_of_its_own() -> None:
    folders = {default_folder("preview", None), default_folder("preview", 1), default_folder("preview", 2)}
    assert [folder.name for folder in sorted(folders)] == ["preview", "preview-pr-1", "preview-pr-2"]
