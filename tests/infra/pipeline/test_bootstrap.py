import copy
import json
from functools import cache
from typing import Any

import pytest

from infra.aws.cdk import cdk
from infra.environment import load
from infra.errors import CommandError
from infra.pipeline.bootstrap import VARIANT, narrow


@cache
def original() -> dict[str, Any]:
    """The template of the CDK CLI that is installed here."""
    return json.loads(cdk(["bootstrap", "--show-template", "--json"], log="test-bootstrap-template"))


def deploy_statements(environment: str) -> list[dict[str, Any]]:
    role = narrow(original(), load(environment))["Resources"]["DeploymentActionRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    [policy] = role["Policies"]
    return policy["PolicyDocument"]["Statement"]


def stacks(account: str, *names: str) -> list[str]:
    return [f"arn:aws:cloudformation:eu-west-1:{account}:stack/{name}/*" for name in names]


@pytest.mark.parametrize(
    ("environment", "own"),
    [
        ("dev", stacks("111111111111", "platform-dev", "orders-dev")),
        ("preview", stacks("111111111111", "orders-pr-*")),
        ("prod", stacks("222222222222", "platform-prod", "orders-prod")),
    ],
)
def test_the_deploy_role_may_change_its_environments_stacks_and_no_others(environment: str, own: list[str]) -> None:
    for statement in deploy_statements(environment):
        called = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        if any(action.startswith("cloudformation:") for action in called):
            reads = all(action.endswith("*") for action in called)
            toolkit = stacks(own[0].split(":")[4], f"CDKToolkit-{load(environment).qualifier}") if reads else []
            assert statement["Resource"] == own + toolkit
        assert "*" not in statement["Resource"]


def test_what_nothing_here_uses_is_not_made() -> None:
    narrowed = narrow(original(), load("dev"))
    assert not [kind for kind in (r["Type"] for r in narrowed["Resources"].values()) if kind.startswith("AWS::ECR")]
    assert not {"LookupRole", "ImagePublishingRole"} & set(narrowed["Resources"])
    assert "ReadOnlyAccess" not in json.dumps(narrowed)


def test_what_is_left_refers_to_nothing_that_is_gone() -> None:
    text = json.dumps(narrow(original(), load("dev")))
    for name in ("ContainerAssetsRepository", "ImagePublishingRole", "LookupRole"):
        assert f'"Ref": "{name}"' not in text
        assert f"${{{name}" not in text


def test_the_clis_own_template_can_not_replace_it() -> None:
    variant = narrow(original(), load("dev"))["Parameters"]["BootstrapVariant"]["Default"]
    assert variant == VARIANT != original()["Parameters"]["BootstrapVariant"]["Default"]


def test_the_clis_template_is_left_as_it_was() -> None:
    before = copy.deepcopy(original())
    narrow(original(), load("dev"))
    assert original() == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DeployPermissions", "DeploymentPermissions", "the statements of DeploymentActionRole are"),
        ("AWSCloudFormationReadOnlyAccess", "ReadOnlyAccess", "does not have the managed policy"),
        ('"DeploymentActionRole"', '"DeployRole"', "it has no DeploymentActionRole"),
        ('"LookupRole"', '"Lookup"', "it has no LookupRole"),
        ("BootstrapVariant", "Variant", "it has no BootstrapVariant"),
    ],
)
def test_another_template_of_the_cli_is_refused(old: str, new: str, message: str) -> None:
    text = json.dumps(original())
    assert old in text
    with pytest.raises(CommandError, match=r"another than infra/pipeline/bootstrap\.py knows") as failure:
        narrow(json.loads(text.replace(old, new)), load("dev"))
    assert message in str(failure.value)


def test_a_further_statement_of_the_deploy_role_is_refused() -> None:
    template = copy.deepcopy(original())
    [policy] = template["Resources"]["DeploymentActionRole"]["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"].append({"Sid": "New", "Effect": "Allow", "Action": "*", "Resource": "*"})
    with pytest.raises(CommandError, match="New"):
        narrow(template, load("dev"))
