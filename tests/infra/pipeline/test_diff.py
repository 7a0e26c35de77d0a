"""What of a diff deserves a look first, in the words of the real CDK CLI."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.aws import cdk
from infra.aws.assembly import Assembly
from infra.pipeline.diff import attention, compare

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
    (tmp_path / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"orders-dev": STACK}}))
    (tmp_path / "template.json").write_text(json.dumps({"Resources": built}))
    text = compare(Assembly(tmp_path), "orders-dev", json.dumps({"Resources": deployed}))
    assert all(f" {name}" in text for name in deployed | built)
    assert attention({"orders-dev": text}) == [
        "orders-dev: IAM Statement Changes",
        "orders-dev: IAM Policy Changes",
        "orders-dev: IAM Identity Center Changes",
        "orders-dev: Security Group Changes",
        "orders-dev: [-] AWS::SSM::Parameter Gone destroy",
        "orders-dev: [~] AWS::SQS::Queue Renamed replace",
        "orders-dev: [~] AWS::EC2::Instance Resized may be replaced",
    ]
