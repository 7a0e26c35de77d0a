"""The policies against the templates that are deployed with them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra import needs as infrastructure
from infra.environment import Environment, load_all
from infra.policies.execution import MANAGED_POLICIES, boundary, boundary_arn, execution, types
from infra.policies.places import Added
from infra.policies.resource_types import ACTIONS, FUNCTION_TYPES, platform_types
from infra.stacks.function import needs
from tests.infra.synthesis import ENVIRONMENTS, Resources, Synthesize, of_type, resources_of

# Those of this checkout, whatever they are.
each_environment = pytest.mark.parametrize("environment", load_all().values(), ids=lambda each: each.name)
PREVIEW = ENVIRONMENTS["preview"]


def templates(environment: Environment, synthesize: Synthesize) -> Iterator[Resources]:
    """Yield the resources of every stack that workflows deploy to an environment."""
    for stack in synthesize(environment.name, "7" if environment.hosts_previews else None).stacks:
        yield resources_of(stack)


def added(environment: Environment) -> Added:
    """Return what the functions of this checkout add to their stacks."""
    return {
        name: needs(environment, name, infrastructure.load(name, environment.project.root)).resources
        for name in environment.function_names
    }


def roles(environment: Environment, synthesize: Synthesize) -> Iterator[dict[str, Any]]:
    for template in templates(environment, synthesize):
        yield from (role["Properties"] for role in of_type(template, "AWS::IAM::Role").values())


@each_environment
def test_every_resource_type_of_an_environment_may_be_made_and_no_other(
    environment: Environment, synthesize_checkout: Synthesize
) -> None:
    used = {
        resource["Type"] for template in templates(environment, synthesize_checkout) for resource in template.values()
    }
    assert {*types(environment, added(environment))} == used


def test_the_table_knows_no_type_that_no_environment_uses() -> None:
    used = {kind for each in ENVIRONMENTS.values() for kind in platform_types(each)}
    assert set(ACTIONS) == used | set(FUNCTION_TYPES)


@each_environment
def test_managed_policies_of_roles_are_those_that_may_be_attached(
    environment: Environment, synthesize_checkout: Synthesize
) -> None:
    known = {policy.partition(":policy/")[2] for policy in MANAGED_POLICIES}
    attached = [
        json.dumps(arn) for role in roles(environment, synthesize_checkout) for arn in role.get("ManagedPolicyArns", [])
    ]
    assert {arn.partition(":policy/")[2].partition('"')[0] for arn in attached} <= known


@each_environment
def test_roles_are_passed_to_the_services_that_they_trust(
    environment: Environment, synthesize_checkout: Synthesize
) -> None:
    [passing] = [statement for statement in execution(environment) if statement["Action"] == ["iam:PassRole"]]
    trusting = {
        statement["Principal"]["Service"]
        for role in roles(environment, synthesize_checkout)
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
    }
    assert set(passing["Condition"]["StringEquals"]["iam:PassedToService"]) == trusting


def test_a_previews_roles_have_its_boundary_which_allows_what_its_functions_may_do(synthesize: Synthesize) -> None:
    allowed = {action for statement in boundary(PREVIEW) for action in statement["Action"]}
    for template in templates(PREVIEW, synthesize):
        for role in of_type(template, "AWS::IAM::Role").values():
            assert role["Properties"]["PermissionsBoundary"] == boundary_arn(PREVIEW)
        [policy] = of_type(template, "AWS::IAM::Policy").values()
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        assert {action for statement in statements for action in statement["Action"]} == allowed
