"""The access stack. What its roles may do, and whom they trust, is in tests/infra/policies."""

import json
from itertools import product
from typing import Any

import aws_cdk as cdk
import pytest
import yaml

from infra.environment import Environment, load, names, of_account
from infra.policies import trust
from infra.policies.execution import boundary, execution
from infra.policies.purposes import PURPOSES
from infra.policies.roles import permissions
from infra.repository import Repository
from infra.stacks.access import Access
from tests.access.environments import ACCOUNTS, DEV, ENVIRONMENTS, PREVIEW
from tests.infra.synthesis import Resources, of_type, resources_of

REPOSITORY = Repository(owner="example-org", name="orders", owner_id=1001, repository_id=2002)
# IAM quotas, in characters without white space.
MANAGED_POLICY_LIMIT = 6144
INLINE_POLICIES_LIMIT = 10240
# CloudFormation quota of a template that a call carries, in bytes. The CDK CLI writes it as YAML.
INLINE_TEMPLATE_LIMIT = 51200
DEPLOYED = [of_account(account) for account in sorted({load(name).account for name in names()})]


class AsTheCli(yaml.SafeDumper):
    """Indents lists, as the CDK CLI does."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - of the base class
        super().increase_indent(flow, indentless=False)


def made(environments: list[Environment], *, takes_existing_provider: bool = False) -> Resources:
    return resources_of(Access(cdk.App(), REPOSITORY, environments, takes_existing_provider=takes_existing_provider))


@pytest.fixture(scope="module")
def access() -> Resources:
    """The access stacks of both accounts, together."""
    stacks = [made(environments) for environments in ACCOUNTS.values()]
    return {f"{index} {name}": each for index, stack in enumerate(stacks) for name, each in stack.items()}


def documents(access: Resources, kind: str, name: str) -> dict[str, dict[str, Any]]:
    return {each["Properties"][name]: each["Properties"] for each in of_type(access, kind).values()}


def size(document: object) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_each_environment_has_one_role_per_purpose_with_its_permissions_and_trust(access: Resources) -> None:
    found = documents(access, "AWS::IAM::Role", "RoleName")
    assert len(found) == 15
    for environment, purpose in product(ENVIRONMENTS.values(), PURPOSES):
        name = f"orders-{environment.name}-{purpose}"
        [policy] = found[name]["Policies"]
        permitted = permissions(purpose, environment, ACCOUNTS[environment.account])
        assert policy["PolicyDocument"] == {"Version": "2012-10-17", "Statement": permitted}
        [trusting] = found[name]["AssumeRolePolicyDocument"]["Statement"]
        claims = trust.claims(REPOSITORY, environment, purpose).items()
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


def test_each_environment_has_an_execution_policy_and_previews_a_boundary(access: Resources) -> None:
    found = documents(access, "AWS::IAM::ManagedPolicy", "ManagedPolicyName")
    statements = {name: policy["PolicyDocument"]["Statement"] for name, policy in found.items()}
    executing = {f"orders-{name}-execution": execution(environment) for name, environment in ENVIRONMENTS.items()}
    assert statements == executing | {"orders-preview-boundary": boundary(PREVIEW)}


def test_the_identity_provider_outlives_the_stack() -> None:
    [provider] = of_type(made([DEV]), "AWS::IAM::OIDCProvider").values()
    assert provider["DeletionPolicy"] == provider["UpdateReplacePolicy"] == "Retain"
    assert provider["Properties"]["Url"] == "https://token.actions.githubusercontent.com"
    assert provider["Properties"]["ClientIdList"] == ["sts.amazonaws.com"]


def test_a_provider_that_exists_is_taken() -> None:
    assert not of_type(made([DEV], takes_existing_provider=True), "AWS::IAM::OIDCProvider")


@pytest.mark.parametrize("environments", DEPLOYED, ids=lambda environments: environments[0].name)
def test_policies_are_within_the_limits_of_iam(environments: list[Environment]) -> None:
    access = made(environments)
    for name, policy in documents(access, "AWS::IAM::ManagedPolicy", "ManagedPolicyName").items():
        assert size(policy["PolicyDocument"]) <= MANAGED_POLICY_LIMIT, name
    for name, role in documents(access, "AWS::IAM::Role", "RoleName").items():
        assert sum(size(policy["PolicyDocument"]) for policy in role["Policies"]) <= INLINE_POLICIES_LIMIT, name


@pytest.mark.parametrize("environments", DEPLOYED, ids=lambda environments: environments[0].name)
def test_the_stack_needs_no_bootstrap(environments: list[Environment]) -> None:
    app = cdk.App()
    Access(app, REPOSITORY, environments)
    artifact = app.synth().get_stack_by_name("access")
    assert "Parameters" not in artifact.template
    assert not artifact.assets
    assert artifact.assume_role_arn is None
    # A larger template would have to be uploaded first.
    written = yaml.dump(artifact.template, Dumper=AsTheCli, sort_keys=False, width=1_000_000)
    assert len(written.encode()) <= INLINE_TEMPLATE_LIMIT


def test_qualifiers_tell_the_environments_of_an_account_apart() -> None:
    for environments in DEPLOYED:
        qualifiers = [environment.qualifier for environment in environments]
        assert len(set(qualifiers)) == len(qualifiers)
