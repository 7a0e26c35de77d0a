"""The command line: what wrong input gets, what is left of a failure, and how a command is interrupted."""

import json
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from github.GithubException import GithubException

from infra import ROOT
from infra import project as projects
from infra.aws import target as targets
from infra.aws.target import Target
from infra.console.report import Notice, Report
from infra.environment import Environment, names
from infra.errors import CommandError, UsageError
from infra.github import issues
from infra.pipeline import __main__ as command_line
from infra.pipeline import build
from infra.pipeline.__main__ import COMMANDS, OF_PREVIEWS, OF_PROJECT, main
from infra.toml import FileError
from tests.infra.fakes.environments import DEV, PREVIEW, PROJECT

# One that the checkout has, whatever it is called there.
NAME = projects.load().promote[0]
# What commands require beside a target.
REQUIRED = {
    "callback": ["succeed", "id"],
    "comment": ["--commit", "0" * 40, "--reports", "reports"],
    "target": ["--purpose", "deploy"],
}


def takes(option: str, command: str) -> bool:
    parser = ArgumentParser()
    COMMANDS[command].add_arguments(parser)
    return option in parser.format_help()


def takes_pull_request(command: str) -> bool:
    return takes("--pull-request", command)


@dataclass(frozen=True)
class Ended:
    """What a command leaves behind."""

    code: int
    printed: str
    error: str
    report: dict[str, Any]
    outputs: str
    summary: str


End = Callable[..., Ended]


@pytest.fixture
def end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> End:
    """Let `build` report or raise something, in a workflow's job."""
    output, summary, report = (tmp_path / name for name in ("output", "summary", "report.json"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    def end(outcome: Report | BaseException, *options: str) -> Ended:
        def run(_: Target, __: Namespace) -> Report:
            if isinstance(outcome, Report):
                return outcome
            raise outcome

        monkeypatch.setattr(build, "run", run)
        code = main(["build", "--environment", NAME, "--report", str(report), *options])
        written = (json.loads(report.read_text()), output.read_text(), summary.read_text() if summary.exists() else "")
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err, *written)

    return end


def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be the tests' own project in place of the checkout's."""

    def load(name: str) -> Environment:
        return {"dev": DEV, "preview": PREVIEW}[name]

    monkeypatch.setattr(projects, "load", lambda: PROJECT)
    monkeypatch.setattr(command_line, "load", load)


def test_every_module_of_the_commands_is_one() -> None:
    modules = {path.stem for path in (ROOT / "infra" / "pipeline").glob("*.py")} - {"__init__", "__main__", "arguments"}
    assert modules == {name.replace("-", "_") for name in (*COMMANDS, *OF_PROJECT)}


@pytest.mark.parametrize("command", [*COMMANDS, *OF_PROJECT])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert ("--environment" in capsys.readouterr().out) == (command in COMMANDS)


def test_an_unknown_environment_is_named_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--environment", "nowhere"]) == 2
    error = capsys.readouterr().err
    assert "nowhere" in error
    assert ", ".join(names()) in error


@pytest.mark.parametrize("command", [*filter(takes_pull_request, COMMANDS)])
def test_a_pull_request_where_there_are_no_previews_is_refused_before_anything_is_done(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(target: Target, _: Namespace) -> Report:
        assert (target.environment, target.pull_request) == (PREVIEW, 7)
        return Report({})

    known(monkeypatch)
    monkeypatch.setattr(COMMANDS[command], "run", run)
    more = REQUIRED.get(command, [])
    assert main([command, "--environment", "dev", "--pull-request", "7", *more]) == 2
    assert "dev hosts no previews" in capsys.readouterr().err
    assert main([command, "--environment", "preview", "--pull-request", "7", *more]) == 0
    # The one that hosts previews is known.
    assert main([command, "--pull-request", "7", *more]) == 0


@pytest.mark.parametrize("command", [each for each in OF_PREVIEWS if not takes_pull_request(each)])
def test_what_works_on_previews_alone_needs_no_environment(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(target: Target, _: Namespace) -> Report:
        assert (target.environment, target.pull_request) == (PREVIEW, None)
        return Report({})

    known(monkeypatch)
    monkeypatch.setattr(COMMANDS[command], "run", run)
    assert main([command]) == 0


@pytest.mark.parametrize("command", sorted({*COMMANDS} - {*OF_PREVIEWS}))
def test_any_other_command_refuses_to_guess_an_environment(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, *REQUIRED.get(command, [])]) == 2
    assert f"say on which environment: --environment NAME, of {', '.join(names())}" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["contract", "drain", "invoke", "roll-back", "smoke"])
def test_what_works_on_functions_asks_whose_preview_is_meant(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known(monkeypatch)
    assert main([command, "--environment", "preview"]) == 2
    assert capsys.readouterr().err == "preview has functions for each preview alone: add --pull-request N\n"


@pytest.mark.parametrize("command", [each for each in COMMANDS if takes("--function", each)])
def test_one_function_may_be_meant(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(target: Target, _: Namespace) -> Report:
        assert (target.environment, target.only) == (DEV, "billing")
        return Report({})

    known(monkeypatch)
    monkeypatch.setattr(COMMANDS[command], "run", run)
    assert main([command, "--environment", "dev", "--function", "billing"]) == 0


def test_these_commands_take_a_function() -> None:
    expected = {"smoke", "invoke", "roll-back", "executions", "drain", "teardown", "prune", "wake", "contract"}
    assert {each for each in COMMANDS if takes("--function", each)} == expected


def test_these_commands_take_a_pull_request() -> None:
    whole = {"access", "bootstrap", "doctor", "drift", "status", "sweep", "target"}
    assert set(filter(takes_pull_request, COMMANDS)) == set(COMMANDS) - whole


@pytest.mark.parametrize("number", ["", "0", "-1", "x", "1.5", "\u0667"])
def test_a_pull_request_is_a_positive_number(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["build", f"--pull-request={number}"])
    assert end.value.code == 2
    assert "is not the number of a pull request" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (UsageError("the digest is wrong"), 2, "the digest is wrong"),
        (FileError("dev.toml"), 2, "dev.toml"),
        (FileError("project.toml"), 2, "project.toml"),
        (CommandError("the stack failed"), 1, "the stack failed"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetRole"), 1, "AWS: An error occurred"),
        (EndpointConnectionError(endpoint_url="url"), 1, "AWS: Could not connect"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_each_kind_of_failure_has_its_exit_code_and_is_told_to_machines_too(
    raised: BaseException, code: int, said: str, end: End
) -> None:
    ended = end(raised, "--json")
    assert ended.code == code
    assert ended.error.startswith(said)
    assert "Traceback" not in ended.error
    assert ended.report["error"].startswith(said)
    assert ended.report["exit_code"] == code
    assert json.loads(ended.printed) == ended.report
    assert f"exit_code={code}\n" in ended.outputs
    assert ended.summary.startswith(f"```\n{said}")


def test_a_report_is_printed_or_given_as_json_and_its_code_is_the_exit_code(end: End) -> None:
    report = Report({"clean": False}, ["something differs"], code=1)
    assert (end(report).printed, end(report).code) == ("something differs\n", 1)
    assert json.loads(end(report, "--json").printed) == {"clean": False}


def found(code: int = 0) -> Report:
    notice = Notice("sweep", "Previews that could not be removed", "one")
    return Report({"failed": 1}, ["a preview stays"], "- a preview stays", code=code, notice=notice)


@pytest.mark.parametrize("code", [0, 1])
def test_a_github_that_can_not_be_told_costs_nothing_of_what_was_found(
    code: int, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repository(**_: Any) -> None:
        raise GithubException(502, {"message": "Bad Gateway"})

    monkeypatch.setattr(issues, "repository", repository)
    ended = end(found(code))
    assert ended.code == 1
    assert ended.printed == "a preview stays\n"
    assert ended.error.startswith("GitHub could not be asked for the issue on sweep: 502")
    assert ended.report == {"failed": 1}
    assert (ended.outputs, ended.summary) == ("failed=1\n", "- a preview stays\n")
    assert json.loads(end(found(code), "--json").printed) == {"failed": 1}


def test_github_is_told_once_everything_is_shown(
    end: End, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Notice] = []

    def keep(notice: Notice) -> None:
        assert capsys.readouterr().out == "a preview stays\n"
        assert (tmp_path / "summary").exists()
        told.append(notice)

    monkeypatch.setattr(issues, "keep", keep)
    assert end(found()).code == 0
    assert told == [found().notice]
    assert end(found(1)).code == 1
    assert told == [found().notice] * 2
    assert end(Report({}, code=1)).code == 1
    assert len(told) == 2


def test_a_command_works_on_the_target_that_the_command_line_names(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Environment] = []

    def open_session(environment: Environment) -> Any:
        opened.append(environment)
        raise UsageError("no usable AWS credentials")

    monkeypatch.setattr(targets, "open_session", open_session)
    assert main(["executions", "--environment", NAME]) == 2
    assert [each.name for each in opened] == [NAME]


CHILD = """
import runpy, signal, sys
from infra.pipeline import build

def run(target, arguments):
    signal.alarm(30)  # where nothing else ends it
    try:
        print("running", flush=True)
        while True:
            pass
    finally:
        print("putting back", flush=True)
        sys.stdin.readline()
        print("put back", flush=True)

build.run = run
sys.argv[1:] = ["build", "--environment", sys.argv[2], "--report", sys.argv[1]]
runpy.run_module("infra.pipeline", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_interrupted_puts_back_what_it_has_to_and_ends_in_order(
    first: signal.Signals, second: signal.Signals, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    # A shell lets what it starts in the background ignore SIGINT.
    command = ["/bin/sh", "-c", 'trap "" INT; exec "$0" -c "$1" "$2" "$3"', sys.executable, CHILD, str(report), NAME]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == "running\n"
        child.send_signal(first)
        assert child.stdout.readline() == "putting back\n"
        child.send_signal(second)
        printed, error = child.communicate("\n")
    assert (printed, error, child.returncode) == ("put back\n", "interrupted\n", 130)
    assert json.loads(report.read_text()) == {"error": "interrupted", "exit_code": 130}
