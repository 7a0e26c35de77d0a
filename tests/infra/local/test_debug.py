"""`make debug`: a handler in this process, as a person starts it."""

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.checkout import BROKEN, FOLDER, Tree

STOPPING = """
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration


def work(event):
    breakpoint()
    return {"doubled": 2 * event["number"]}


@durable_execution
def handler(event, context):
    context.wait(Duration.from_days(1), name="a-day")
    return context.step(lambda _: work(event), name="work")
"""
CALLING = """
import boto3
from aws_durable_execution_sdk_python import durable_execution


@durable_execution
def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Account"]
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "infra.local.debug", "--function", FOLDER, *arguments]


def debug(tree: Tree, *arguments: str) -> "subprocess.CompletedProcess[str]":
    variables = {"AWS_PROFILE": "of-a-real-account"}
    environ = os.environ | variables
    return subprocess.run(command(*arguments), cwd=tree.root, env=environ, capture_output=True, text=True, check=False)


def event(tree: Tree, content: object) -> str:
    path = tree.root / "event.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_the_result_is_told_and_waits_are_skipped(tree: Tree) -> None:
    tree.append(STOPPING.replace("breakpoint()", "pass"))
    ended = debug(tree, "--event", event(tree, {"number": 21}))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == 'result  {"doubled": 42}\n'
    assert "reaches nothing" in ended.stderr


def test_a_failure_is_told_with_its_traceback(tree: Tree) -> None:
    tree.append(BROKEN)
    ended = debug(tree, "--event", event(tree, {}))
    assert ended.returncode == 1
    assert ended.stdout == "error   ValueError: broken on purpose\n"
    assert 'handler.py", line' in ended.stderr
    assert "ValueError: broken on purpose" in ended.stderr


def test_what_it_calls_of_aws_reaches_nothing_unless_it_is_said_what(tree: Tree) -> None:
    tree.append(CALLING)
    ended = debug(tree, "--event", event(tree, {}))
    assert ended.returncode == 1
    assert "EndpointConnectionError" in ended.stdout


def test_the_local_aws_is_named_where_there_is_none(tree: Tree) -> None:
    ended = debug(tree, "--aws", "local", "--event", event(tree, {}))
    assert ended.returncode == 2
    assert "`make dev` or `make local` starts one" in ended.stderr


def test_an_event_that_is_not_json_is_told(tree: Tree) -> None:
    path = tree.root / "event.json"
    path.write_text("event: 7")
    ended = debug(tree, "--event", str(path))
    assert ended.returncode == 2
    assert "is not JSON" in ended.stderr


def test_one_of_several_functions_has_to_be_named(tree: Tree) -> None:
    tree.add_twin()
    ended = subprocess.run(
        [sys.executable, "-m", "infra.local.debug"], cwd=tree.root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "FUNCTION=NAME" in ended.stderr


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._end, theirs = pty.openpty()
        self.shown = ""
        self._read_to = 0
        self.process = subprocess.Popen(
            arguments, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def until(self, text: str) -> None:
        """Read on in what it shows, to the end of a text."""
        while (found := self.shown.find(text, self._read_to)) < 0:
            try:
                read = os.read(self._end, 4096)
            except OSError:  # on Linux, once nobody has the other end any more
                read = b""
            assert read, f"it ended before it showed {text!r}: {self.shown}"
            self.shown += read.decode(errors="replace")
        self._read_to = found + len(text)

    def type(self, text: str) -> None:
        """Type a line, or a key."""
        os.write(self._end, text.encode())

    def close(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._end)


def test_a_breakpoint_in_a_step_stops_it_on_a_terminal(tree: Tree) -> None:
    tree.append(STOPPING)
    terminal = Terminal(command("--event", event(tree, {"number": 21})), tree.root)
    try:
        terminal.until("(Pdb)")
        terminal.type("p event['number'] + 1\n")
        terminal.until("22")
        terminal.until("(Pdb)")
        terminal.type("event['number'] = 50\n")
        terminal.until("(Pdb)")
        terminal.type("continue\n")
        terminal.until('"doubled": 100')
        assert terminal.process.wait() == 0
    finally:
        terminal.close()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_at_a_breakpoint_ends_it(ending: signal.Signals, tree: Tree) -> None:
    tree.append(STOPPING)
    terminal = Terminal(command("--event", event(tree, {"number": 21})), tree.root)
    try:
        terminal.until("(Pdb)")
        os.killpg(terminal.process.pid, ending)
        assert terminal.process.wait() == 130
    finally:
        terminal.close()
