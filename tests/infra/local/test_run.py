"""`make run`: the main job, as a person starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import ROOT, contract, functions
from tests.checkout import BROKEN, FOLDER, Tree
from tests.infra.local.proxy import recording_proxy


def run(
    *arguments: str, root: Path = ROOT, variables: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.local.run", *arguments]
    environ = os.environ | (variables or {})
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


def test_every_function_runs_its_sample_past_any_proxy() -> None:
    with recording_proxy() as (variables, asked):
        ended = run("--json", variables=variables)
    assert not [request for request in asked if "127.0.0.1" in request or "localhost" in request]
    assert ended.returncode == 0, ended.stderr
    executions = {each["function"]: each for each in json.loads(ended.stdout)["executions"]}
    assert list(executions) == list(functions.names())
    for name, execution in executions.items():
        promised = contract.load(name)
        assert execution["status"] == "SUCCEEDED"
        assert execution["result"].keys() >= promised.result.keys()
        told = {f"{span['kind']} {span['name']}" for span in execution["timeline"]}
        assert told >= {"invocation 1", *promised.operations}


def test_a_failed_execution_is_told_with_its_error_and_the_log_s_place(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.append(BROKEN)
    (tmp_path / "event.json").write_text("{}")
    ended = run("--function", FOLDER, "--event", str(tmp_path / "event.json"), root=tree.root)
    assert ended.returncode == 1
    assert "FAILED" in ended.stdout
    assert "broken on purpose" in ended.stdout
    log = Path(ended.stderr.splitlines()[-1].removeprefix("The local AWS logged to "))
    assert log.is_file()


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("event: 7", "is not JSON")])
def test_an_event_that_can_not_be_read_starts_nothing(content: str | None, said: str, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    if content is not None:
        event.write_text(content)
    ended = run("--event", str(event), "--function", FOLDER)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Starting" not in ended.stderr


def test_a_function_that_is_not_there_starts_nothing() -> None:
    ended = run("--function", "not_there")
    assert ended.returncode == 2
    assert "there is no function not_there in functions/" in ended.stderr
    assert "Starting" not in ended.stderr


def test_an_event_for_several_functions_starts_nothing(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.add_twin()
    (tmp_path / "event.json").write_text("{}")
    ended = run("--event", str(tmp_path / "event.json"), root=tree.root)
    assert ended.returncode == 2
    assert "--function" in ended.stderr
    assert "Starting" not in ended.stderr
