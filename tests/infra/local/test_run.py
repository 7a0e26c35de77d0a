"""`make run`: the main job, as a person starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import ROOT
from tests.infra.local.proxy import recording_proxy


def run(*arguments: str, variables: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.local.run", *arguments]
    environ = os.environ | (variables or {})
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_the_sample_order_succeeds_through_the_deployed_function_past_any_proxy() -> None:
    with recording_proxy() as (variables, asked):
        ended = run("--json", variables=variables)
    assert not [request for request in asked if "127.0.0.1" in request or "localhost" in request]
    assert ended.returncode == 0, ended.stderr
    execution = json.loads(ended.stdout)
    assert execution["status"] == "SUCCEEDED"
    assert execution["result"]["orderId"] == "order-123"
    assert [span["kind"] for span in execution["timeline"]] == ["invocation", "step", "wait", "invocation", "step"]


def test_a_bad_order_fails_with_the_field_and_the_log_s_place(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"orderId": ["order-123"]}')
    ended = run("--order", str(tmp_path / "order.json"))
    assert ended.returncode == 1
    assert "FAILED" in ended.stdout
    assert "orderId must be a string" in ended.stdout
    log = Path(ended.stderr.splitlines()[-1].removeprefix("The local AWS logged to "))
    assert log.is_file()


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("orderId: 7", "is not JSON")])
def test_an_order_that_can_not_be_read_starts_nothing(content: str | None, said: str, tmp_path: Path) -> None:
    order = tmp_path / "order.json"
    if content is not None:
        order.write_text(content)
    ended = run("--order", str(order))
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Starting" not in ended.stderr
