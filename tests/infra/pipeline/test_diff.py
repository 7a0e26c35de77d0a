"""What of a diff deserves a look first, in the words of the real CDK CLI, and what is removed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infra import naming
from infra.aws import cdk
from infra.aws.assembly import Assembly
from infra.console.report import Report
from infra.environment import Environment
from infra.pipeline import diff
from infra.pipeline.diff import attention, compare
from tests.infra.fakes import assemblies
from tests.infra.fakes.access import access, deployed
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW

STACK = {
    "type": "aws:cloudformation:stack",
    "environment": "aws://unknown-account/unknown-region",
    "properties": {"templateFile": "template.json"},
}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def role(action: str, *managed: str) -> dict[str, Any]:
    document = {"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    inline = [{"PolicyName": "policy", "PolicyDocument": document}]
    return resource("AWS::IAM::Role", Policies=inline, ManagedPolicyArns=managed)


def group(port: int) -> dict[str, Any]:
    ingress = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"}
    return resource("AWS::EC2::SecurityGroup", GroupDescription="group", SecurityGroupIngress=[ingress])


def test_security_comes_first_and_then_what_is_destroyed_or_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = {
        "InPlace": resource("AWS::SQS::Queue", DelaySeconds=1),
        "Kept": resource("AWS::SSM::Parameter", Value="a") | {"DeletionPolicy": "Retain"},
        "Gone": resource("AWS::SSM::Parameter", Value="a"),
        "Renamed": resource("AWS::SQS::Queue", QueueName="a"),
        "Resized": resource("AWS::EC2::Instance", SubnetId="a", InstanceType="t3.micro"),
        "Role": role("sqs:SendMessage"),
        "Group": group(443),
    }
    built = {
        "InPlace": resource("AWS::SQS::Queue", DelaySeconds=2),
        "New": resource("AWS::SSM::Parameter", Value="a"),
        "Renamed": resource("AWS::SQS::Queue", QueueName="b"),
        "Resized": resource("AWS::EC2::Instance", SubnetId="a", InstanceType="t3.large"),
        "Role": role("sqs:*", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        "Group": group(22),
        "Assignment": resource("AWS::SSO::Assignment", InstanceArn="a", PermissionSetArn="b", PrincipalId="c"),
    }
    monkeypatch.setattr(cdk, "LOGS", tmp_path / "log")
    monkeypatch.setenv("CDK_DISABLE_CLI_TELEMETRY", "true")
    (tmp_path / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"acme-dev-billing": STACK}}))
    (tmp_path / "template.json").write_text(json.dumps({"Resources": built}))
    text = compare(Assembly(tmp_path), "acme-dev-billing", json.dumps({"Resources": deployed}))
    assert all(f" {name}" in text for name in deployed | built)
    assert attention({"acme-dev-billing": text}) == [
        "acme-dev-billing: IAM Statement Changes",
        "acme-dev-billing: IAM Policy Changes",
        "acme-dev-billing: IAM Identity Center Changes",
        "acme-dev-billing: Security Group Changes",
        "acme-dev-billing: [-] AWS::SSM::Parameter Gone destroy",
        "acme-dev-billing: [~] AWS::SQS::Queue Renamed replace",
        "acme-dev-billing: [~] AWS::EC2::Instance Resized may be replaced",
    ]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the CDK CLI see no change, and remember of which stacks."""
    stacks: list[str] = []

    def cdk(arguments: Sequence[str], **_: Any) -> str:
        stacks.append(arguments[1])
        return "Stack x\nThere were no differences\n"

    monkeypatch.setattr(diff, "cdk", cdk)
    return stacks


def shown(aws: FakeAws, folder: Path, on: Environment, pull_request: int | None = None) -> Report:
    there = target(aws, on, pull_request)
    return run(diff, there, "--assembly", str(assemblies.write(folder, there)))


def accessible(environment: Environment) -> FakeAws:
    """Return an account in which workflows may do all that they need."""
    return deployed(naming.access_stack(environment), access(environment))


def test_every_stack_of_the_assembly_is_compared(compared: list[str], tmp_path: Path) -> None:
    report = shown(accessible(DEV), tmp_path, DEV_OF_TWO)
    assert compared == ["acme-platform-dev", "acme-dev-billing", "acme-dev-refunds"]
    assert facts(report)["warnings"] == []
    assert list(facts(report)["changes"]) == compared


def test_what_a_person_deploys_first_is_the_first_warning(compared: list[str], tmp_path: Path) -> None:
    report = shown(FakeAws(), tmp_path, DEV)
    (said,) = facts(report)["deploy_first"]
    assert facts(report)["warnings"] == [said]
    assert said.startswith("acme-access-dev: there is no such stack")
    assert told(report, 300).splitlines()[0] == said
    assert said.partition(",")[0] in report.markdown
    assert report.code == 0
    assert compared


def test_of_a_preview_that_is_all_that_is_shown(compared: list[str], tmp_path: Path) -> None:
    report = shown(accessible(PREVIEW), tmp_path, PREVIEW, 7)
    assert facts(report) == {"deploy_first": [], "warnings": [], "changes": {}}
    assert not compared


def test_a_function_whose_folder_is_gone_is_a_warning(compared: list[str], tmp_path: Path) -> None:
    aws = accessible(DEV)
    for name, tags in (("billing", naming.tags(DEV)), ("refunds", naming.tags(DEV)), ("others", {})):
        aws.formation.stack(f"acme-dev-{name}", tags)
        aws.formation.templates[f"acme-dev-{name}"] = {}
    report = shown(aws, tmp_path, DEV)
    assert facts(report)["warnings"] == ["acme-dev-refunds: is removed"]
    assert "acme-dev-refunds" not in compared
    assert told(report).splitlines()[0] == "acme-dev-refunds: is removed"
    assert "- `acme-dev-refunds: is removed`" in report.markdown
    assert facts(shown(aws, tmp_path, DEV_OF_TWO))["warnings"] == []
