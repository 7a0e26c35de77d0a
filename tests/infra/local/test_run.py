"""`make run`: the main job, as a person starts it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra import ROOT, contract, functions
from infra.local.aws import LocalAws
from infra.local.running import announced
from tests.checkout import BROKEN, FOLDER, TWIN, Tree, holding
from tests.infra.local.durable_stack import PATIENCE_SECONDS, eventually
from tests.infra.local.proxy import recording_proxy
from tests.infra.local.test_aws import processes

# Code that invokes another function, with what grants that, as docs/operations.md says.
INVOKING = """
import os

from aws_durable_execution_sdk_python import durable_execution


@durable_execution
def handler(event, context):
    return context.invoke(f"{os.environ['OTHER']}:live", event, name="other")
"""
GRANTING = f"""
import aws_cdk as cdk
from aws_cdk import aws_iam as iam


def add(stack, function, alias):
    other = stack.stack_name.removesuffix({FOLDER.replace("_", "-")!r}) + {TWIN.replace("_", "-")!r}
    name = cdk.ArnFormat.COLON_RESOURCE_NAME
    arn = stack.format_arn(service="lambda", resource="function", resource_name=f"{{other}}:live", arn_format=name)
    function.add_to_role_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[arn]))
    function.add_environment("OTHER", other)
"""


def run(
    *arguments: str, root: Path = ROOT, variables: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.local.run", *arguments]
    environ = os.environ | (variables or {})
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


def test_every_function_runs_its_sample_past_any_proxy(tmp_path: Path) -> None:
    # In a copy, for which no local AWS runs whatever does for this checkout.
    with recording_proxy() as (variables, asked):
        ended = run("--json", root=Tree(tmp_path).root, variables=variables)
    assert not [request for request in asked if "127.0.0.1" in request or "localhost" in request]
    assert ended.returncode == 0, ended.stderr
    assert "Starting a local AWS on http://127.0.0.1:" in ended.stderr
    executions = {each["function"]: each for each in json.loads(ended.stdout)["executions"]}
    assert list(executions) == list(functions.names())
    for name, execution in executions.items():
        promised = contract.load(name)
        assert execution["status"] == "SUCCEEDED"
        assert execution["result"].keys() >= promised.result.keys()
        told = {f"{span['kind']} {span['name']}" for span in execution["timeline"]}
        assert told >= {"invocation 1", *promised.operations}


def test_a_local_aws_that_runs_is_used_and_gets_what_has_changed(tmp_path: Path) -> None:
    """One that checks permissions, with a function that invokes another, and fails from its second version on."""
    tree = Tree(tmp_path)
    tree.add_twin()
    tree.append(holding(1, "held"), TWIN)
    tree.append(INVOKING)
    tree.add_infrastructure(GRANTING)
    (tmp_path / "event.json").write_text("{}")
    arguments = ["--function", FOLDER, "--event", str(tmp_path / "event.json")]
    with LocalAws.start(tree.root / "build" / "local-aws", enforce_iam=True) as aws:
        with announced(aws, tree.root / "build" / "local-aws"):
            ran = run(*arguments, root=tree.root)
            tree.append(BROKEN)
            failed = run(*arguments, root=tree.root)
        assert aws.answers(PATIENCE_SECONDS)
    assert ran.returncode == 0, ran.stderr
    for each in (ran, failed):
        # What the event lacks of the contract's is said before.
        assert f"\nUsing the local AWS on {aws.endpoint}\n" in f"\n{each.stderr}"
    assert "on version 1: SUCCEEDED" in ran.stdout
    assert 'result  {"code": "held"}' in ran.stdout
    assert failed.returncode == 1
    assert "on version 2: FAILED" in failed.stdout
    assert "broken on purpose" in failed.stdout
    assert failed.stderr.splitlines()[-1] == f"The local AWS logged to {aws.log}"
    # Its account is ready since the first time.
    assert [f"Preparing account {tree.environment.account}" in each.stderr for each in (ran, failed)] == [True, False]


def test_what_can_not_be_built_is_told_and_ends_the_local_aws(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.append("\n(")
    ended = run(root=tree.root)
    assert ended.returncode == 2
    assert f"functions/{FOLDER}/handler.py" in ended.stderr
    assert "is not Python" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.local.run"]
    with subprocess.Popen(command, cwd=Tree(tmp_path).root, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        began = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(PATIENCE_SECONDS) == 130
        finally:
            process.kill()
    assert "Starting a local AWS on http://127.0.0.1:" in began
    eventually(lambda: not processes(began.split()[-1]))


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
