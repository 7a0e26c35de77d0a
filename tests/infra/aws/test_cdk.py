"""Running the CDK CLI, with a stand-in for it on disk."""

from pathlib import Path

import pytest

from infra.aws import cdk as module
from infra.aws.cdk import cdk
from infra.errors import CommandError


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cdk"
    monkeypatch.setattr(module, "CLI", path)
    monkeypatch.setattr(module, "LOGS", tmp_path / "log")
    return path


def write(cli: Path, script: str) -> None:
    cli.write_text(f"#!/bin/sh\n{script}\n")
    cli.chmod(0o755)


@pytest.mark.usefixtures("cli")
def test_a_missing_cli_says_how_to_get_it() -> None:
    with pytest.raises(CommandError, match="make setup"):
        cdk(["synth"], log="build")


def test_what_it_prints_is_kept_and_not_shown(cli: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(cli, 'echo "$@"; echo problem >&2')
    cdk(["deploy", "--all"], log="deploy-dev")
    logged = (tmp_path / "log" / "deploy-dev.log").read_text()
    assert "deploy --all" in logged
    assert "problem" in logged
    assert capfd.readouterr() == ("", "")


def test_verbose_shows_it_on_standard_error(cli: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(cli, "echo progress")
    cdk(["deploy"], log="deploy-dev", verbose=True)
    assert capfd.readouterr() == ("", "progress\n")


def test_a_failure_names_the_log_and_ends_with_the_last_lines(cli: Path, tmp_path: Path) -> None:
    write(cli, "seq 100; exit 3")
    with pytest.raises(CommandError) as failure:
        cdk(["deploy"], log="deploy-dev")
    message = str(failure.value)
    assert "exit code 3" in message
    assert str(tmp_path / "log" / "deploy-dev.log") in message
    assert message.endswith("\n99\n100\n")
    assert "\n70\n" not in message
