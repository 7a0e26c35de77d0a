"""The access stack. What its roles may do, and whom they trust, is in tests/infra/policies."""

import json
from typing import Any

import aws_cdk as cdk
import pytest

from infra import app
from infra.environment import Environment
from infra.errors import UsageError
from infra.policies import trust
from infra.policies.boundary import boundary
from infra.policies.execution import execution_policies
from infra.policies.given_to_platform import platform_roles
from infra.policies.purposes import PURPOSES
from infra.policies.resources import LONGEST_OF_ROLE, LONGEST_POLICY
from infra.policies.roles import permissions
from infra.project import Repository
from infra.stacks.access import Access, check_size
from tests.infra.fakes.environments import PROJECT, environment
from tests.infra.policies.things import DEV, ENVIRONMENTS, PROD, templates
from tests.infra.synthesis import Resources, of_type, resources_of

# IAM quota of who may assume a role, in characters without white space.
LONGEST_TRUST = 2048

# GitHub's limits of an owner's name and of a repository's.
_REPOSITORY = Repository(owner="o" * 39, name="r" * 100, owner_id=10**12, id=10**12, subject_has_ids=True)


def largest(*, nat_gateways: int, preview_days: int) -> Environment:
    """Return an environment that asks for as much as it may, with names as long as they may be."""
    return environment(
        "e" * 10,
        ("f" * 20, "g" * 20),
        PROJECT.model_copy(update={"name": "p" * 12, "repository": _REPOSITORY}),
        region="ap-southeast-7",
        network={"zones": ["ap-southeast-7a"], "nat_gateways": nat_gateways, "flow_logs": True},
        preview_days=preview_days,
    )


SIZED = pytest.mark.parametrize(
    "sized",
    [largest(nat_gateways=number, preview_days=days) for number in (0, 1) for days in (0, 1)],
    ids=["endpoints", "endpoints and previews", "NAT", "NAT and previews"],
)


def made(environment: Environment, *, takes_existing_provider: bool = False) -> Resources:
    held = templates(environment) if environment in ENVIRONMENTS.values() else app.templates(environment)
    return resources_of(Access(cdk.App(), environment, held, takes_existing_provider=takes_existing_provider))


@pytest.fixture(scope="module", params=ENVIRONMENTS.values(), ids=list(ENVIRONMENTS))
def of_environment(request: pytest.FixtureRequest) -> tuple[Environment, Resources]:
    return request.param, made(request.param)


def documents(access: Resources, kind: str, name: str) -> dict[str, dict[str, Any]]:
    return {each["Properties"][name]: each["Properties"] for each in of_type(access, kind).values()}


def size(document: object) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_each_environment_has_one_role_per_purpose_with_its_permissions_and_trust(
    of_environment: tuple[Environment, Resources],
) -> None:
    environment, access = of_environment
    found = documents(access, "AWS::IAM::Role", "RoleName")
    given = {role.name for role in platform_roles(environment)}
    assert found.keys() - given == {f"acme-access-{environment.name}-{purpose}" for purpose in PURPOSES}
    for purpose in PURPOSES:
        name = f"acme-access-{environment.name}-{purpose}"
        [policy] = found[name]["Policies"]
        permitted = permissions(purpose, environment, templates(environment))
        assert policy["PolicyDocument"] == {"Version": "2012-10-17", "Statement": permitted}
        [trusting] = found[name]["AssumeRolePolicyDocument"]["Statement"]
        claims = trust.claims(environment, purpose).items()
        assert trusting == {
            "Effect": "Allow",
            "Principal": {
                "Federated": f"arn:aws:iam::{environment.account}:oidc-provider/token.actions.githubusercontent.com"
            },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"token.actions.githubusercontent.com:{claim}": value for claim, value in claims}
            },
        }
        assert "ManagedPolicyArns" not in found[name]


def test_each_environment_has_execution_policies_and_a_boundary(
    of_environment: tuple[Environment, Resources],
) -> None:
    environment, access = of_environment
    found = documents(access, "AWS::IAM::ManagedPolicy", "ManagedPolicyName")
    statements = {name: policy["PolicyDocument"]["Statement"] for name, policy in found.items()}
    held, name = templates(environment), f"acme-access-{environment.name}-boundary"
    assert statements == {**execution_policies(environment, held), name: boundary(environment, held)}


def test_a_platform_is_given_its_roles_each_for_one_service_and_its_log_groups() -> None:
    roles = documents(made(PROD), "AWS::IAM::Role", "RoleName")
    for name, service, policies in (
        ("operator", "lambda.amazonaws.com", ["arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator"]),
        ("flow-log", "vpc-flow-logs.amazonaws.com", []),
    ):
        role = roles[f"acme-access-prod-{name}"]
        [trusting] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trusting["Principal"] == {"Service": service}
        assert role.get("ManagedPolicyArns", []) == policies
        [statement] = role["Policies"][0]["PolicyDocument"]["Statement"]
        assert {*statement["Action"]} >= {"logs:CreateLogStream", "logs:PutLogEvents"}
        assert statement["Resource"] == [f"arn:aws:logs:{PROD.region}:{PROD.account}:log-group:acme-platform-prod-*"]
    assert "acme-access-dev-flow-log" not in documents(made(DEV), "AWS::IAM::Role", "RoleName")


def test_a_new_function_needs_no_new_access() -> None:
    more = DEV.model_copy(update={"function_names": (*DEV.function_names, "refunds")})
    assert resources_of(Access(cdk.App(), more, app.templates(more))) == made(DEV)


def test_the_identity_provider_outlives_the_stack() -> None:
    [provider] = of_type(made(DEV), "AWS::IAM::OIDCProvider").values()
    assert provider["DeletionPolicy"] == provider["UpdateReplacePolicy"] == "Retain"
    assert provider["Properties"]["Url"] == "https://token.actions.githubusercontent.com"
    assert provider["Properties"]["ClientIdList"] == ["sts.amazonaws.com"]


def test_a_provider_that_exists_is_taken() -> None:
    assert not of_type(made(DEV, takes_existing_provider=True), "AWS::IAM::OIDCProvider")


@SIZED
def test_policies_are_within_the_limits_of_iam(sized: Environment) -> None:
    access = made(sized)
    for name, policy in documents(access, "AWS::IAM::ManagedPolicy", "ManagedPolicyName").items():
        assert size(policy["PolicyDocument"]) <= LONGEST_POLICY, name
    for name, role in documents(access, "AWS::IAM::Role", "RoleName").items():
        assert sum(size(policy["PolicyDocument"]) for policy in role["Policies"]) <= LONGEST_OF_ROLE, name
        assert size(role["AssumeRolePolicyDocument"]) <= LONGEST_TRUST, name
        assert len(name) <= 64


@SIZED
def test_the_stack_needs_no_bootstrap(sized: Environment) -> None:
    synthesized = cdk.App()
    stack = Access(synthesized, sized, app.templates(sized))
    artifact = synthesized.synth().get_stack_by_name(stack.stack_name)
    assert "Parameters" not in artifact.template
    assert not artifact.assets
    assert artifact.assume_role_arn is None
    check_size(artifact.template, sized)


def test_a_template_that_would_have_to_be_uploaded_first_is_refused() -> None:
    template = {"Resources": {f"Role{number}": {"Type": "AWS::IAM::Role"} for number in range(1500)}}
    with pytest.raises(UsageError, match=r"^acme-access-dev would have [\d,]+ bytes, and .* takes 51,200"):
        check_size(template, DEV)
