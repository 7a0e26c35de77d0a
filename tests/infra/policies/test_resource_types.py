"""The policies against the templates that are deployed with them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.environment import load, names
from infra.policies.execution import MANAGED_POLICIES, boundary, boundary_arn, execution
from infra.policies.resource_types import ACTIONS, ORDERS_TYPES, platform_types
from tests.infra.synthesis import Resources, Synthesize, of_type, resources_of

each_environment = pytest.mark.parametrize("name", names())


def templates(name: str, synthesize: Synthesize) -> Iterator[Resources]:
    """Yield the resources of every stack that workflows deploy to an environment."""
    for stack in synthesize(name, "7" if load(name).hosts_previews else None).stacks:
        yield resources_of(stack)


def roles(name: str, synthesize: Synthesize) -> Iterator[dict[str, Any]]:
    for template in templates(name, synthesize):
        yield from (role["Properties"] for role in of_type(template, "AWS::IAM::Role").values())


@each_environment
def test_every_resource_type_of_an_environment_may_be_made_and_no_other(name: str, synthesize: Synthesize) -> None:
    used = {resource["Type"] for template in templates(name, synthesize) for resource in template.values()}
    platform = () if load(name).hosts_previews else platform_types(load(name))
    assert {*ORDERS_TYPES, *platform} == used


def test_the_table_knows_no_type_that_no_environment_uses() -> None:
    used = {kind for name in names() for kind in platform_types(load(name))}
    assert set(ACTIONS) == used | set(ORDERS_TYPES)


@each_environment
def test_managed_policies_of_roles_are_those_that_may_be_attached(name: str, synthesize: Synthesize) -> None:
    known = {policy.partition(":policy/")[2] for policy in MANAGED_POLICIES}
    attached = [json.dumps(arn) for role in roles(name, synthesize) for arn in role.get("ManagedPolicyArns", [])]
    assert {arn.partition(":policy/")[2].partition('"')[0] for arn in attached} <= known


@each_environment
def test_roles_are_passed_to_the_services_that_they_trust(name: str, synthesize: Synthesize) -> None:
    [passing] = [statement for statement in execution(load(name)) if statement["Action"] == ["iam:PassRole"]]
    trusting = {
        statement["Principal"]["Service"]
        for role in roles(name, synthesize)
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
    }
    assert set(passing["Condition"]["StringEquals"]["iam:PassedToService"]) == trusting


def test_a_previews_roles_have_its_boundary_which_allows_what_its_function_may_do(synthesize: Synthesize) -> None:
    [template] = templates("preview", synthesize)
    for role in of_type(template, "AWS::IAM::Role").values():
        assert role["Properties"]["PermissionsBoundary"] == boundary_arn(load("preview"))
    statements = [
        statement
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    allowed = {action for statement in boundary(load("preview")) for action in statement["Action"]}
    assert {action for statement in statements for action in statement["Action"]} == allowed
