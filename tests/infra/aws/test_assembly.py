"""Cloud assemblies on disk."""

import json
from pathlib import Path

import pytest

from infra.aws.assembly import default_folder, digest, stack_names
from infra.errors import UsageError


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


def make(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_equal_assemblies_have_equal_digests(tmp_path: Path) -> None:
    first, second = (make(tmp_path / name, manifest="{}", asset__index="x") for name in ("first", "second"))
    assert digest(first) == digest(second)


@pytest.mark.parametrize(
    "change", [{"manifest": "[]"}, {"asset__other": ""}, {"asset__index": "y"}, {".hidden": "x"}, {"cache__x": ""}]
)
def test_any_change_of_an_assembly_changes_its_digest(change: dict[str, str], tmp_path: Path) -> None:
    before = digest(make(tmp_path, manifest="{}", asset__index="x"))
    assert digest(make(tmp_path, **change)) != before


def test_what_the_cli_leaves_while_it_works_is_not_of_the_assembly(tmp_path: Path) -> None:
    before = digest(make(tmp_path, manifest="{}"))
    (tmp_path / "synth.lock").write_text("1")
    assert digest(make(tmp_path, **{".cache__asset.zip": "x", "read.7.1.lock": "7"})) == before
