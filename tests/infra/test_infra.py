"""What all of our commands have in common."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra import ROOT
from infra.project import LOCAL
from tests.checkout import FOLDER, Tree


@pytest.mark.parametrize(
    ("raised", "code", "last_line"),
    [("KeyboardInterrupt", -signal.SIGINT, ""), ("ValueError(7)", 1, "ValueError: 7")],
)
def test_of_all_that_ends_a_command_only_an_interrupt_has_no_traceback(raised: str, code: int, last_line: str) -> None:
    command = [sys.executable, "-c", f"import infra\nraise {raised}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.rpartition("\n")[0].rpartition("\n")[2]) == (code, last_line)
    assert ("Traceback" in done.stderr) is bool(last_line)


def run(tree: Tree, command: list[str]) -> "subprocess.CompletedProcess[str]":
    environ = os.environ | {"CDK_CONTEXT_JSON": json.dumps({"environment": LOCAL})}
    started = [sys.executable, "-m", f"infra.{command[0]}", *command[1:]]
    return subprocess.run(started, cwd=tree.root, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A copy of the checkout in which a value of an environment is wrong."""
    tree = Tree(tmp_path)
    file = tree.root / "environments" / f"{LOCAL}.toml"
    file.write_text(re.sub(r"(?m)^memory_mb = .*", "memory_mb = 1", file.read_text()))
    return tree


@pytest.mark.parametrize(
    "command",
    [
        ["bundle"],
        ["local"],
        ["local.run"],
        ["pipeline", "build", "--environment", LOCAL],
        ["pipeline", "access", "--environment", LOCAL],
        ["app"],
    ],
    ids=" ".join,
)
def test_a_wrong_value_in_a_file_is_all_that_a_command_says(command: list[str], tree: Tree) -> None:
    done = run(tree, command)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"environments/{LOCAL}.toml: function.memory_mb = 1: must be ")


def test_what_the_app_refuses_is_all_that_a_build_says_as_well(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    (handler := tree.root / "functions" / FOLDER / "handler.py").write_text("def handler(:")
    done = run(tree, ["pipeline", "build", "--environment", LOCAL])
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line == f"{handler}:1: is not Python: invalid syntax"
