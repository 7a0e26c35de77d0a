"""Which Python a checkout runs on: the one that Lambda has where it is found, else the one at hand."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra import find_python


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path and a pyenv without any Python."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def make(path: Path, exit_code: int = 0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    path.chmod(0o755)
    return str(path)


def found(capsys: pytest.CaptureFixture[str]) -> str:
    assert find_python.main() == 0
    return capsys.readouterr().out.strip()


def test_lambdas_python_on_the_path_is_taken(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = make(places / "bin" / "python3.13")
    make(places / "bin" / "python3.14")
    assert found(capsys) == expected


def test_a_newer_one_that_lambda_has_as_well_will_do(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert found(capsys) == find_python.own()
    assert make(places / "bin" / "python3.14") == found(capsys)


def test_a_shim_without_a_python_behind_it_is_passed_over(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(places / "bin" / "python3.13", exit_code=127)
    assert make(places / "pyenv" / "versions" / "3.13.0" / "bin" / "python3") == found(capsys)


def test_that_of_a_virtual_environment_does_not_count() -> None:
    assert sys.prefix != sys.base_prefix
    assert not find_python.works(sys.executable)
    assert find_python.works(find_python.own())


@pytest.mark.usefixtures("places")
def test_a_python_that_is_too_old_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(find_python, "OLDEST", (99, 0))
    assert find_python.main() == 2
    assert "Python 3.11 or newer" in capsys.readouterr().err


def test_an_older_one_that_will_do_is_taken_where_python3_is_too_old(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))  # macOS's own
    assert make(places / "bin" / "python3.12") == found(capsys)


def test_an_interrupt_ends_it_at_once_and_without_a_traceback(tmp_path: Path) -> None:
    # The candidate opens the pipe once it is asked, so then the search is under way.
    os.mkfifo(started := tmp_path / "started")
    candidate = tmp_path / "python3.13"
    candidate.write_text(f"#!/bin/sh\n: > {started}\nexec sleep 60\n")
    candidate.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    with subprocess.Popen(
        [sys.executable, find_python.__file__], env=environ, stderr=subprocess.PIPE, start_new_session=True
    ) as search:
        started.read_bytes()
        os.killpg(search.pid, signal.SIGINT)  # as a terminal does
        assert search.communicate(timeout=30)[1] == b""
    assert search.returncode == -signal.SIGINT  # a shell's 130
