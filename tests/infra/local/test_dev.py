"""`make dev`: the loop, as a person starts it. Its tests share one loop, and each writes what it needs."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.aws.assembly import Assembly
from infra.aws.target import Target
from infra.local.aws import RunningAws
from infra.local.running import find
from tests.checkout import BROKEN, FOLDER, Tree, holding
from tests.infra.local.durable_stack import eventually
from tests.infra.local.test_aws import processes

pytestmark = pytest.mark.usefixtures("installed_dependencies")

RESTING = "Waiting for a change"
NOTHING = "Nothing was deployed"
CALLING_BACK = """
from aws_durable_execution_sdk_python import durable_execution


@durable_execution
def handler(event, context):
    return context.create_callback(name="answer").result()
"""


class Loop:
    """A loop on a copy of the checkout."""

    def __init__(self, folder: Path) -> None:
        self.tree = Tree(folder)
        self.handler = self.tree.root / "functions" / FOLDER / "handler.py"
        self.event = folder / "event.json"
        self.event.write_text("{}")
        self._original = self.handler.read_text()
        self.save(holding(1, "first"))
        options = ["--function", FOLDER, "--event", str(self.event)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.dev", *options],
            cwd=self.tree.root,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def save(self, code: str) -> None:
        """Save the function with code of a test's own."""
        self.handler.write_text(self._original + code)

    def until(self, text: str) -> str:
        """Return what it says, up to a line with that text."""
        said = ""
        assert self.process.stdout
        for line in self.process.stdout:
            said += line
            assert not line.startswith(NOTHING), said
            if text in line:
                return said
        raise AssertionError(f"it ended before it said {text!r}: {said}")

    @property
    def aws(self) -> RunningAws:
        """Its local AWS."""
        found = find(self.tree.root / "build" / "local-aws")
        assert found
        return found

    @property
    def target(self) -> Target:
        """What is deployed there."""
        environment = self.tree.environment
        return Target(environment, given_session=self.aws.session(environment.account, environment.region))


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    loop = Loop(tmp_path_factory.mktemp("dev"))
    try:
        said = loop.until(RESTING)
        assert "by the long way" in said
        assert '"code": "first"' in said
        yield loop
    finally:
        loop.process.kill()
        loop.process.communicate()


def test_code_takes_the_short_way_and_an_event_goes_through_it(loop: Loop) -> None:
    loop.save(holding(1, "short"))
    said = loop.until(RESTING)
    assert f"The code of {FOLDER} alone, by the short way" in said
    assert "CloudFormation does not know of it" in said
    assert '"code": "short"' in said
    assert "long way" not in said


def test_a_failed_execution_is_told_with_its_traceback_and_the_loop_goes_on(loop: Loop) -> None:
    loop.save(BROKEN)
    said = loop.until(RESTING)
    assert "ValueError: broken on purpose" in said
    assert re.search(rf'\| +File "functions/{FOLDER}/handler.py", line \d+, in handler', said)
    loop.save(holding(1, "mended"))
    assert '"code": "mended"' in loop.until(RESTING)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("\ndef broken(:\n", "is not Python: invalid syntax"),
        ("\nimport not_there\n", "can't be imported: ModuleNotFoundError: No module named 'not_there'"),
    ],
)
def test_code_that_can_not_be_imported_is_told_with_its_place_and_not_deployed(
    code: str, error: str, loop: Loop
) -> None:
    loop.save(code)
    line = 2 + len(loop.handler.read_text().removesuffix(code).splitlines())
    said = loop.until(RESTING)
    assert f"functions/{FOLDER}/handler.py:{line}: {error}" in said
    assert "is live" not in said
    loop.save(holding(1, "mended again"))
    assert '"code": "mended again"' in loop.until(RESTING)


def test_a_bad_event_is_told_and_the_loop_goes_on(loop: Loop) -> None:
    loop.event.write_text("event: 7")
    assert f"{loop.event} is not JSON" in loop.until(RESTING)
    loop.event.write_text(json.dumps({"some": "event"}))
    assert "SUCCEEDED" in loop.until(RESTING)


def test_an_execution_that_runs_holds_nothing_up_and_is_told_of_once_it_fails(loop: Loop) -> None:
    loop.save(CALLING_BACK)
    loop.until("is live")
    function = loop.target.function(FOLDER)
    (running,) = eventually(function.running)
    loop.save(holding(1, "meanwhile"))
    assert '"code": "meanwhile"' in loop.until(RESTING)
    client: Any = loop.target.session.client("lambda")
    (callback,) = eventually(lambda: callbacks(client, running.arn))
    client.send_durable_execution_callback_failure(CallbackId=callback, Error={"ErrorMessage": "answered badly"})
    said = loop.until("answered badly")
    assert f"{FOLDER}: {running.name} on version {running.version}: FAILED" in said
    loop.until(running.arn)


def callbacks(client: Any, arn: str) -> list[str]:
    events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    return [event["CallbackStartedDetails"]["CallbackId"] for event in events if "CallbackStartedDetails" in event]


def test_the_long_way_brings_in_line_what_took_the_short_one(loop: Loop) -> None:
    settings = loop.tree.root / "environments" / "local.toml"
    loop.save(holding(1, "deployed"))
    loop.until(RESTING)
    settings.write_text(settings.read_text() + "\n")
    assert '"code": "deployed"' in loop.until(RESTING)
    loop.save(holding(1, "past it"))
    assert '"code": "past it"' in loop.until(RESTING)
    # Of the function's template its code is what CloudFormation deployed last, and something else is not.
    loop.save(holding(1, "deployed"))
    settings.write_text(re.sub(r"(?m)^timeout_seconds = \d+", "timeout_seconds = 59", settings.read_text()))
    said = loop.until(RESTING)
    if "by the long way" not in said:  # it saw the first file before the second was there
        said = loop.until(RESTING)
    assert "by the long way" in said
    assert '"code": "deployed"' in said
    function = loop.target.function(FOLDER)
    (assembly,) = sorted((loop.tree.root / "build" / "local" / "local").iterdir(), key=os.path.getmtime)[-1:]
    live = function.live()
    assert live
    assert function.code_sha256(live) == Assembly(assembly / "stacks").code_sha256(function.name)
    assert loop.target.stacks.get(function.name).outputs["Version"] == live


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    try:
        loop.until("Starting the local AWS")
        endpoint = eventually(lambda: find(tmp_path / "tree" / "build" / "local-aws")).endpoint
        assert processes(endpoint)
        loop.process.send_signal(signal.SIGINT)
        loop.process.communicate()
    finally:
        loop.process.kill()
    assert loop.process.returncode == 130
    eventually(lambda: not processes(endpoint) and not processes(str(loop.tree.root)))
