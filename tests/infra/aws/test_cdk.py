"""Running the CDK CLI, with a stand-in for it on disk."""

import os
import sys
from pathlib import Path

import boto3
import pytest

from infra.aws import cdk as module
from infra.aws.cdk import cdk
from infra.errors import CommandError, UsageError

# What the CLI would choose by.
KNOWN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cdk"
    monkeypatch.setattr(module, "CLI", path)
    monkeypatch.setattr(module, "LOGS", tmp_path / "log")
    return path


def write(cli: Path, script: str) -> None:
    cli.write_text(f"#!/bin/sh\n{script}\n")
    cli.chmod(0o755)


def environ(cli: Path, session: boto3.Session | None) -> dict[str, str]:
    """Return the environment that the CLI has."""
    write(cli, "env")
    return dict(line.split("=", 1) for line in cdk(["deploy"], log="some", session=session).splitlines() if "=" in line)


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


def test_what_the_app_refuses_is_told_in_its_words_alone(cli: Path) -> None:
    ended = "python -m infra.app: Subprocess exited with error"
    write(cli, f"echo 'dev.toml: a = 1: must be 2' >&2; echo '{ended} 2' >&2; echo >&2; exit 1")
    with pytest.raises(UsageError) as refused:
        cdk(["synth"], log="build")
    assert str(refused.value) == "dev.toml: a = 1: must be 2"
    write(cli, f"echo Traceback >&2; echo '{ended} 1' >&2; exit 1")
    with pytest.raises(CommandError, match="Traceback"):
        cdk(["synth"], log="build")


@pytest.mark.parametrize("token", ["token", None])
def test_it_has_the_credentials_and_the_region_that_were_checked_and_nothing_to_choose(
    token: str | None, cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = boto3.Session("key", "secret", token, region_name="us-east-1")
    for name in KNOWN:
        monkeypatch.setenv(name, "the caller's")
    found = environ(cli, session)
    expected = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    expected |= {"AWS_SESSION_TOKEN": token} if token else {}
    assert {name: found[name] for name in KNOWN if name in found} == expected


def test_without_a_session_it_has_no_credentials(cli: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KNOWN:
        monkeypatch.setenv(name, "the caller's")
    assert environ(cli, None).keys() & set(KNOWN) == {"AWS_REGION"}


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"GITHUB_RUN_ID": "123"}, "gha-123"),
        ({"LOGNAME": "jane"}, "cdk-jane"),
        ({"LOGNAME": "DOMAIN\\jane doé"}, "cdk-DOMAIN-jane-do-"),
        ({"LOGNAME": "j" * 100}, f"cdk-{'j' * 60}"),
        ({"GITHUB_RUN_ID": "123", "CDK_ROLE_SESSION_NAME": "ours"}, "ours"),
    ],
)
def test_its_sessions_are_called_after_the_run_or_the_person(
    variables: dict[str, str], name: str, cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("GITHUB_RUN_ID", "CDK_ROLE_SESSION_NAME"):
        monkeypatch.delenv(each, raising=False)
    for each, value in variables.items():
        monkeypatch.setenv(each, value)
    assert environ(cli, None)["CDK_ROLE_SESSION_NAME"] == name


def test_a_person_whom_nobody_has_named_gives_a_session_a_name_too(cli: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    monkeypatch.delenv("CDK_ROLE_SESSION_NAME", raising=False)
    monkeypatch.setattr(module, "getuser", nobody)
    assert environ(cli, None)["CDK_ROLE_SESSION_NAME"] == "cdk-unknown"


def test_it_calls_home_with_nothing_and_finds_the_node_beside_this_interpreter(
    cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CDK_DISABLE_CLI_TELEMETRY", raising=False)
    found = environ(cli, None)
    assert found["CDK_DISABLE_CLI_TELEMETRY"] == "true"
    assert found["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_an_interruption_ends_it_as_well(cli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interruption(BaseException):
        """Another than Ctrl-C, upon which Python would not see the end of what it started."""

    class Terminal:
        def write(self, _: str) -> None:
            raise Interruption

    # One that is not terminated goes on until nobody reads what it prints.
    write(cli, f"trap '' PIPE; while echo working; do :; done 2> /dev/null; touch {tmp_path}/survived")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(Interruption):
        cdk(["deploy"], log="some", verbose=True)
    assert not (tmp_path / "survived").exists()
