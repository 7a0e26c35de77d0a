"""The stand-ins for third-party actions, as act runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rehearsal.act import STAND_INS
from tests.rehearsal.repository import Repository

UPLOAD = {"NAME": "a", "FROM": "made", "HIDDEN": "false", "NOTHING_FOUND": "error", "OVERWRITE": "false"}
DOWNLOAD = {"NAME": "", "PATTERN": "", "INTO": "got"}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REHEARSAL_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("GITHUB_RUN_ID", "1001")
    for name in ("seen", ".hidden/file", "folder/inner"):
        (tmp_path / "made" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "made" / name).write_text(name)
    return tmp_path


def run(script: str, inputs: dict[str, str]) -> int:
    environ = os.environ | inputs
    return subprocess.run(
        [sys.executable, STAND_INS / script], env=environ, check=False, capture_output=True
    ).returncode


def upload(**inputs: str) -> int:
    return run("upload-artifact/upload.py", UPLOAD | inputs)


def download(**inputs: str) -> int:
    return run("download-artifact/download.py", DOWNLOAD | inputs)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_an_artifact_arrives_without_the_hidden_files(job: Path) -> None:
    assert (upload(), download(NAME="a")) == (0, 0)
    assert files(job / "got") == {"seen", "folder/inner"}


def test_an_artifact_arrives_with_the_hidden_files_that_were_asked_for(job: Path) -> None:
    assert (upload(HIDDEN="true"), download(NAME="a")) == (0, 0)
    assert files(job / "got") == {"seen", "folder/inner", ".hidden/file"}


def test_artifacts_of_a_pattern_arrive_in_folders_of_their_own(job: Path) -> None:
    assert (upload(NAME="report-a"), upload(NAME="report-b"), upload(NAME="other")) == (0, 0, 0)
    assert download(PATTERN="report-*") == 0
    assert files(job / "got") == {"report-a/seen", "report-a/folder/inner", "report-b/seen", "report-b/folder/inner"}


@pytest.mark.usefixtures("job")
def test_an_artifact_is_overwritten_only_when_that_was_asked_for() -> None:
    assert (upload(), upload(), upload(OVERWRITE="true")) == (0, 1, 0)


@pytest.mark.usefixtures("job")
def test_what_is_not_there_is_an_error_unless_it_may_be_missing() -> None:
    assert (upload(FROM="nowhere"), upload(FROM="nowhere", NOTHING_FOUND="ignore")) == (1, 0)
    assert (download(NAME="a"), download(PATTERN="report-*")) == (1, 0)


@pytest.mark.usefixtures("job")
def test_artifacts_are_those_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert upload() == 0
    monkeypatch.setenv("GITHUB_RUN_ID", "1002")
    assert download(NAME="a") == 1


@pytest.mark.parametrize(("depth", "commits"), [("1", 1), ("0", 2)])
def test_a_checkout_is_as_deep_as_it_was_asked_for_and_older_than_what_is_installed(
    depth: str, commits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path)
    commit = repository.commit("main", lambda tree: (tree / "new").write_text("x"), "More", "refs/heads/main")
    (workspace := tmp_path / "workspace").mkdir()
    monkeypatch.chdir(workspace)
    inputs = {"REHEARSAL_REPOSITORY": str(repository.path), "REF": "main", "DEPTH": depth}
    assert run("checkout/checkout.py", inputs | {"GITHUB_OUTPUT": str(tmp_path / "outputs")}) == 0
    assert (tmp_path / "outputs").read_text() == f"commit={commit}\n"
    log = subprocess.run(["git", "log", "--format=%h"], check=True, capture_output=True, text=True)  # noqa: S607 - any
    assert len(log.stdout.split()) == commits
    assert (workspace / "Makefile").stat().st_mtime < 1_000_000_000
