"""The policies against the templates that are deployed with them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra import app
from infra.environment import Environment, load_all
from infra.policies import authorities
from infra.policies.boundary import boundary, boundary_arn
from infra.policies.execution import by_type, execution
from infra.policies.given_to_platform import platform_roles, role_arn
from tests.infra.policies.iam import may
from tests.infra.policies.things import ENVIRONMENTS, templates
from tests.infra.synthesis import Resources, Synthesize, of_type, resources_of

# Those of this checkout, whatever they are.
each_environment = pytest.mark.parametrize("environment", load_all().values(), ids=lambda each: each.name)

FREE = {"AWS::CDK::Metadata"}


@pytest.fixture
def deployed(environment: Environment, synthesize_checkout: Synthesize) -> list[Resources]:
    """The resources of every stack that workflows deploy to an environment."""
    synthesized = synthesize_checkout(environment.name, "7" if environment.hosts_previews else None)
    return [resources_of(stack) for stack in synthesized.stacks]


def properties(deployed: list[Resources], kind: str) -> Iterator[dict[str, Any]]:
    for stack in deployed:
        yield from (each["Properties"] for each in of_type(stack, kind).values())


@each_environment
def test_every_resource_type_of_an_environment_may_be_made_and_no_other(
    environment: Environment, deployed: list[Resources]
) -> None:
    used = {resource["Type"] for stack in deployed for resource in stack.values()}
    assert {kind for kind, _ in by_type(environment, app.templates(environment))} == used - FREE


@each_environment
def test_roles_are_made_under_the_boundary_with_policies_that_may_be_attached_and_passed_to_those_that_they_trust(
    environment: Environment, deployed: list[Resources]
) -> None:
    statements = execution(environment, app.templates(environment))
    place = "pr-7" if environment.hosts_previews else environment.name
    made = role_arn(environment, f"{environment.project.name}-{place}-any-Role")
    for role in properties(deployed, "AWS::IAM::Role"):
        context = {"iam:PermissionsBoundary": role["PermissionsBoundary"]}
        assert context == {"iam:PermissionsBoundary": boundary_arn(environment)}
        assert may(statements, "iam:CreateRole", made, context)
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            service = statement["Principal"]["Service"]
            assert may(statements, "iam:PassRole", made, {"iam:PassedToService": service})


@each_environment
def test_a_platform_makes_no_role_and_takes_those_that_it_may_pass(
    environment: Environment, synthesize_checkout: Synthesize
) -> None:
    platform = resources_of(synthesize_checkout(environment.name).stacks[0])
    assert not of_type(platform, "AWS::IAM::Role") | of_type(platform, "AWS::IAM::Policy")
    given = {role_arn(environment, role.name): role.service for role in platform_roles(environment)}
    assert {*re.findall(r'"(arn:aws:iam::[^"]+:role/[^"]+)"', json.dumps(platform))} == {*given}
    if not environment.hosts_previews:
        statements = execution(environment, app.templates(environment))
        for arn, service in given.items():
            assert may(statements, "iam:PassRole", arn, {"iam:PassedToService": service})


@each_environment
def test_what_carries_tags_has_those_by_which_it_is_told(
    environment: Environment, synthesize_checkout: Synthesize
) -> None:
    wanted = {"environment": environment.name, "project": environment.project.name}
    platform = resources_of(synthesize_checkout(environment.name).stacks[0])
    found = {name: each for name, each in platform.items() if each["Type"].startswith("AWS::EC2::")}
    for name, each in found.items():
        tagging = authorities.schema(each["Type"], environment.region).get("tagging", {})
        if tagging.get("taggable"):
            assert tagging["tagOnCreate"], each["Type"]
            tags = {tag["Key"]: tag["Value"] for tag in each["Properties"]["Tags"]}
            assert wanted.items() <= tags.items(), name


@each_environment
def test_the_boundary_allows_what_roles_are_granted(environment: Environment, deployed: list[Resources]) -> None:
    allowed = {
        action for statement in boundary(environment, app.templates(environment)) for action in statement["Action"]
    }
    for policy in properties(deployed, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            assert {*([actions] if isinstance(actions, str) else actions)} <= allowed


# What is missing in policies that are written from memory, by resource type (infra/policies/making.py reads it off).
OFTEN_FORGOTTEN = {
    "AWS::EC2::Route": "ec2:DescribeNetworkInterfaces",
    "AWS::EC2::SecurityGroup": "ec2:DescribeInstances ec2:UpdateSecurityGroupRuleDescriptionsEgress "
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    "AWS::EC2::VPC": "ec2:DescribeVpcEncryptionControls",
    "AWS::EC2::VPCGatewayAttachment": "ec2:DescribeVpnGateways",
    "AWS::Logs::LogGroup": "logs:DescribeIndexPolicies logs:DescribeResourcePolicies",
}


def test_what_is_often_forgotten_is_there() -> None:
    taken = dict(by_type(ENVIRONMENTS["dev"], templates(ENVIRONMENTS["dev"])))
    for kind, listed in OFTEN_FORGOTTEN.items():
        anywhere = {action for each in taken[kind] if each["Resource"] == ["*"] for action in each["Action"]}
        changing = {action for each in taken[kind] for action in each["Action"] if "Describe" not in action}
        assert {*listed.split()} <= anywhere | changing


def test_no_service_is_called_that_no_property_is_for() -> None:
    statements = execution(ENVIRONMENTS["prod"], templates(ENVIRONMENTS["prod"]))
    services = {action.partition(":")[0] for each in statements for action in each.get("Action", [])}
    assert services == {"autoscaling", "ec2", "iam", "lambda", "logs", "route53", "s3", "ssm"}
