"""Every policy of every role and boundary of an access stack, against IAM's reference: that it can work as it is meant.

Its sizes are in tests/infra/stacks/test_access_stack.py.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import aws_cdk as cdk
import pytest

from infra import app
from infra.environment import Environment, load_all
from infra.policies import authorities
from infra.policies.execution import by_type, execution
from infra.policies.places import Templates
from infra.policies.resources import Statement
from infra.stacks.access import Access
from tests.infra.policies.additions import REFERENCE, everything
from tests.infra.policies.things import ENVIRONMENTS, PREVIEW, PROD, templates
from tests.infra.synthesis import of_type, resources_of

# Those of the tests, of this checkout, and two whose functions add one resource of each type.
CASES: list[tuple[str, Environment]] = [
    *((f"tests' {name}", each) for name, each in ENVIRONMENTS.items()),
    *((f"this checkout's {name}", each) for name, each in load_all().items()),
    *((f"{each.name} with everything", each) for each in (PREVIEW, PROD)),
]
CONDITIONS = {
    # Of actions (service authorization reference); cfn-lint's excerpt has the keys of resources alone.
    "iam:PassedToService": ("iam:PassRole",),
    "iam:PermissionsBoundary": (
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DetachRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
    ),
    "iam:PolicyARN": ("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    "lambda:FunctionArn": ("lambda:*EventSourceMapping",),
}
# Its handlers do not say so: what roles are passed to, what a deployment by the CDK reads, and for the private DNS of
# endpoints.
BEYOND_HANDLERS = {"iam:PassRole", "route53:AssociateVPCWithHostedZone", "ssm:GetParameters"}


def held(name: str, environment: Environment) -> Templates:
    if "everything" in name:
        return templates(environment, billing=everything())
    return templates(environment) if name.startswith("tests'") else app.templates(environment)


@pytest.fixture(scope="module", params=CASES, ids=[name for name, _ in CASES])
def case(request: pytest.FixtureRequest) -> tuple[Environment, Templates, list[Statement]]:
    """An environment, what its stacks hold, and the statements of all policies of its access stack."""
    name, environment = request.param
    found = held(name, environment)
    stack = resources_of(Access(cdk.App(), environment, found))
    documents = [each["Properties"]["PolicyDocument"] for each in of_type(stack, "AWS::IAM::ManagedPolicy").values()]
    for role in of_type(stack, "AWS::IAM::Role").values():
        documents += [policy["PolicyDocument"] for policy in role["Properties"]["Policies"]]
    return environment, found, [statement for document in documents for statement in document["Statement"]]


def allowed(statements: list[Statement]) -> Iterator[tuple[str, Statement]]:
    assert len(statements) > 10
    for statement in statements:
        if statement["Effect"] == "Allow":
            yield from ((action, statement) for action in statement["Action"])


def formats(action: str, environment: Environment) -> list[str]:
    """Return how ARNs begin of what an action can be allowed on, by the reference; none where that is all alone."""
    service, _, name = action.lower().partition(":")
    found: list[dict[str, Any]] = [
        each for known, each in REFERENCE[service]["Actions"].items() if fnmatchcase(known, name)
    ]
    kinds: set[str] = {kind.lower() for each in found for kind in each.get("Resources", [])}
    arns: list[str] = [arn for kind in kinds for arn in REFERENCE[service]["Resources"][kind]["ARNFormats"]]
    values = {"${Partition}": "aws", "${Region}": environment.region, "${Account}": environment.account}
    for key, value in values.items():
        arns = [arn.replace(key, value) for arn in arns]
    return [arn.partition(".*")[0] for arn in arns]


def test_each_action_exists(case: tuple[Environment, Templates, list[Statement]]) -> None:
    for action, _ in allowed(case[2]):
        assert authorities.is_known(action), action


def test_each_resource_can_be_one_of_the_action(case: tuple[Environment, Templates, list[Statement]]) -> None:
    environment, _, statements = case
    for action, statement in allowed(statements):
        beginnings = formats(action, environment)
        resources: list[str] = statement["Resource"]
        if not beginnings:
            assert resources == ["*"], f"{action} can be allowed on * alone"
            continue
        for resource in resources:
            fixed = resource.partition("*")[0]
            can_be = any(fixed.startswith(each) or each.startswith(fixed) for each in beginnings)
            assert resource != "*", action
            assert can_be or "apigateway" in resource, f"{action} on {resource}"


def test_each_condition_is_one_that_the_action_knows(case: tuple[Environment, Templates, list[Statement]]) -> None:
    _, _, statements = case
    for action, statement in allowed(statements):
        for key in [key for operator in statement.get("Condition", {}).values() for key in operator]:
            name, _, _ = key.partition("/")
            if name == "aws:ResourceTag":
                kinds = [REFERENCE["ec2"]["Resources"][kind] for kind in authorities.kinds_of(action)]
                assert any("aws:ResourceTag/${TagKey}" in kind["ConditionKeys"] for kind in kinds), action
            else:
                assert any(fnmatchcase(action, each) for each in CONDITIONS[key]), f"{action}: {key}"


def test_nothing_is_granted_that_no_template_needs(case: tuple[Environment, Templates, list[Statement]]) -> None:
    environment, found, _ = case
    kinds = {kind for kind, _ in by_type(environment, found)}
    listed = {
        action
        for kind in kinds
        for actions in authorities.handlers(kind, environment.region).values()
        for action in actions
    }
    granted = {action for action, _ in allowed(execution(environment, found))}
    assert granted - listed - BEYOND_HANDLERS == set()
