"""Deployments over a version that works: the way back from one that does not, and what a diff tells before."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.errors import CommandError
from infra.pipeline import deploy as deploy_command
from tests.checkout import BROKEN, FOLDER, TWIN, Tree, holding, marked
from tests.deployments.deployment import ENVIRONMENT, FUNCTION, PLATFORM, follow, name, start, synthesize
from tests.infra.fakes.commands import facts, run


def test_a_failed_smoke_execution_takes_the_alias_back_and_every_execution_ends_on_its_version(
    function: DeployedFunction,
    deploy: Callable[[Path], int],
    pipeline: Callable[..., int],
    tmp_path: Path,
) -> None:
    assert deploy(synthesize(tmp_path / "good")) == 0
    good = function.live()
    on_good = start(function, name())
    assert deploy(synthesize(tmp_path / "bad", BROKEN)) == 0
    bad = function.live()
    on_bad = start(function, name())
    assert pipeline("smoke") == 1
    assert pipeline("roll-back", "--versions", f"{FOLDER}={good}") == 0
    assert function.live() == good != bad
    assert pipeline("smoke") == 0
    ended = [follow(function, arn) for arn in (on_good, on_bad)]
    assert [(each.status, each.version) for each in ended] == [("SUCCEEDED", good), ("FAILED", bad)]
    assert ended[1].error == "ValueError: broken on purpose"


def test_a_diff_tells_what_would_change_and_nothing_else(
    deploy: Callable[[Path], int], pipeline: Callable[..., int], tmp_path: Path
) -> None:
    def changes(assembly: Path) -> dict[str, str]:
        report = tmp_path / "report.json"
        assert pipeline("diff", "--assembly", str(assembly), "--report", str(report)) == 0
        return json.loads(report.read_text())["changes"]

    deployed = synthesize(tmp_path / "deployed", marked("before the diff"))
    assert deploy(deployed) == 0
    later = synthesize(tmp_path / "later", marked("before the diff"), commit="1" * 40)
    assert all("There were no differences" in text for text in changes(later).values())
    found = changes(synthesize(tmp_path / "changed", marked("after the diff")))
    assert "AWS::Lambda::Function" in found.pop(FUNCTION)
    assert all("There were no differences" in text for text in found.values())
    assert PLATFORM in found


# CloudFormation can't make it, and takes everything back.
FAILING = """
from aws_cdk import aws_lambda

before_it_fails = add


def add(stack, function, alias):
    before_it_fails(stack, function, alias)
    aws_lambda.CfnFunction(
        stack,
        "TestTaken",
        function_name=stack.stack_name,
        role=function.role.role_arn,
        runtime=function.runtime.name,
        handler="index.handler",
        code={"zipFile": "handler = print"},
    )
"""


def test_a_deployment_that_fails_says_which_resource_did_and_why(
    function: DeployedFunction, deploy: Callable[[Path], int], target: Target, tmp_path: Path
) -> None:
    assert deploy(synthesize(tmp_path / "before")) == 0
    tree, before = Tree(tmp_path), function.live()
    tree.add_infrastructure(FAILING)
    with pytest.raises(
        CommandError, match=rf"^{FUNCTION}: AWS::Lambda::Function TestTaken: .* already exists\ncdk .*\.log$"
    ):
        run(deploy_command, target, "--assembly", str(tree.build(tmp_path / "after")))
    assert function.live() == before


def test_of_two_functions_each_is_released_and_removed_by_itself(
    session: boto3.Session, pipeline: Callable[..., int], tmp_path: Path
) -> None:
    assert pipeline
    tree = Tree(tmp_path)
    tree.add_twin()

    def released(name: str) -> dict[str, Any]:
        """Deploy the copy of the checkout as it is now."""
        target = Target(tree.environment, given_session=session)
        report = run(deploy_command, target, "--assembly", str(tree.build(tmp_path / name)))
        assert report.code == 0
        return facts(report)["functions"]

    before = released("both")
    first, second = before[FOLDER]["version"], before[TWIN]["version"]
    tree.append(holding(60), TWIN)
    after = released("second changed")
    assert (after[FOLDER]["version"], after[FOLDER]["previous_version"]) == (first, first)
    assert (after[TWIN]["version"] != second, after[TWIN]["previous_version"]) == (True, second)

    target = Target(tree.environment, given_session=session)
    twin, identifier = target.function(TWIN), name()
    arn = start(twin, identifier)
    tree.remove(TWIN)
    with pytest.raises(CommandError, match=rf"{identifier} on version (.|\n)*--function {TWIN}"):
        released("while an execution runs")
    # Nothing was done: it takes new executions still.
    assert twin.live() == after[TWIN]["version"]
    assert twin.stop(arn, "the test says so")
    assert follow(twin, arn).status == "STOPPED"
    assert released("second removed")[FOLDER]["version"] == first
    assert target.stacks.find(twin.name) is None
    assert [function.folder for function in target.deployed_functions()] == list(ENVIRONMENT.function_names)
