"""What others' tools find in .github."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra import ROOT
from tests.workflows.reading import ACTION_FILES, GITHUB, WORKFLOW_FILES, ask_github


def _run(tool: str, *arguments: str | Path) -> None:
    command = [str(Path(sys.executable).with_name(tool)), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing_as_an_auditor() -> None:
    _run("zizmor", "--offline", "--persona", "auditor", "--no-progress", GITHUB)


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", WORKFLOW_FILES),
        ("github-actions", ACTION_FILES),
        ("dependabot", [GITHUB / "dependabot.yml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_follow_their_schema(schema: str, files: list[Path]) -> None:
    _run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)


def test_github_itself_can_read_every_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # reusable workflows are named from there
    files = {"workflows": WORKFLOW_FILES, "actions": ACTION_FILES}
    assert ask_github("parse", {kind: [str(p.relative_to(ROOT)) for p in paths] for kind, paths in files.items()}) == []
