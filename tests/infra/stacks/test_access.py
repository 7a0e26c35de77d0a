import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra import naming
from infra.environment import Environment, load, names, of_account
from infra.policies import execution as execution_policies
from infra.policies import trust
from infra.policies.roles import PERMISSIONS
from infra.repository import Repository
from infra.stacks.access import Access
from tests.infra.synthesis import Resources, Synthesize, of_type, resources_of

REPOSITORY = Repository(owner="example-org", name="orders", owner_id=1001, repository_id=2002)
ACCOUNTS = sorted({load(name).account for name in names()})
# IAM quotas, in characters without white space.
MANAGED_POLICY_LIMIT = 6144
INLINE_POLICIES_LIMIT = 10240
# CloudFormation quota of a template that a call carries, in bytes.
INLINE_TEMPLATE_LIMIT = 51200


def made(account: str, repository: Repository = REPOSITORY, *, takes_existing_provider: bool = False) -> Resources:
    stack = Access(cdk.App(), repository, of_account(account), takes_existing_provider=takes_existing_provider)
    return resources_of(stack)


@pytest.fixture(scope="session", params=ACCOUNTS)
def access(request: pytest.FixtureRequest) -> Resources:
    """The access stack of each account."""
    return made(request.param)


def templates(environment: Environment, synthesize: Synthesize) -> Iterator[Resources]:
    """Yield the resources of every stack that workflows deploy to an environment."""
    assembly = synthesize(environment.name, "7" if environment.hosts_previews else None)
    for stack in assembly.stacks:
        yield resources_of(stack)


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in statement["Action"]}


def allowed(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    """Return whether statements allow an action on a resource, if their conditions hold."""
    return any(
        action in statement["Action"]
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in statements
    )


def trusted_claims(role: dict[str, Any]) -> dict[str, Any]:
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    return statement["Condition"]["StringEquals"]


def size(document: object) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_every_resource_type_of_an_environment_may_be_made_and_no_other(
    environment: Environment, synthesize: Synthesize
) -> None:
    used = {resource["Type"] for template in templates(environment, synthesize) for resource in template.values()}
    platform = () if environment.hosts_previews else execution_policies.platform_types(environment)
    assert {*execution_policies.ORDERS_TYPES, *platform} == used


def test_every_action_that_is_known_of_a_resource_type_is_allowed_where_the_type_is_used_and_nowhere_else(
    environment: Environment, synthesize: Synthesize
) -> None:
    used = {resource["Type"] for template in templates(environment, synthesize) for resource in template.values()}
    expected = {
        action for kind in used for listed in execution_policies.ACTIONS[kind].values() for action in listed.split()
    }
    more = {"ssm:GetParameters"} | (
        {"iam:PutRolePermissionsBoundary"}
        if environment.hosts_previews
        else {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}
    )
    assert actions(execution_policies.execution(environment)) == expected | more


def test_the_table_knows_no_type_that_no_environment_uses() -> None:
    environments = list(map(load, names()))
    used = {kind for environment in environments for kind in execution_policies.platform_types(environment)}
    assert set(execution_policies.ACTIONS) == used | set(execution_policies.ORDERS_TYPES)


def test_managed_policies_of_roles_are_those_that_may_be_attached(
    environment: Environment, synthesize: Synthesize
) -> None:
    for template in templates(environment, synthesize):
        for role in of_type(template, "AWS::IAM::Role").values():
            for arn in role["Properties"].get("ManagedPolicyArns", []):
                assert json.dumps(arn).split(":policy/")[1].split('"')[0] in {
                    policy.split(":policy/")[1] for policy in execution_policies.MANAGED_POLICIES
                }


def test_roles_are_passed_to_the_services_that_they_trust(environment: Environment, synthesize: Synthesize) -> None:
    [passing] = [
        statement for statement in execution_policies.execution(environment) if statement["Action"] == ["iam:PassRole"]
    ]
    trusting = {
        statement["Principal"]["Service"]
        for template in templates(environment, synthesize)
        for role in of_type(template, "AWS::IAM::Role").values()
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }
    assert set(passing["Condition"]["StringEquals"]["iam:PassedToService"]) == trusting


def test_no_environment_can_change_the_access_stack_or_the_bootstrap(environment: Environment) -> None:
    statements = execution_policies.execution(environment)
    account = environment.account
    for other in map(load, names()):
        targets = [f"role/{naming.role(other.name, purpose)}" for purpose in naming.PURPOSES]
        targets += [f"role/cdk-{other.qualifier}-cfn-exec-role-{account}-{other.region}"]
        targets += [f"policy/{naming.execution_policy(other.name)}", f"policy/{naming.boundary(other.name)}"]
        for target in targets:
            for action in ("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy", "iam:PassRole"):
                assert not allowed(statements, action, f"arn:aws:iam::{account}:{target}"), (action, target)
    assert not actions(statements) & {"iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy"}


def test_no_environment_can_change_what_another_has_by_name(environment: Environment) -> None:
    statements = execution_policies.execution(environment)
    region = f"{environment.region}:{environment.account}"
    for other in {*names(), "pr-7"} - {environment.name} - ({"pr-7"} if environment.hosts_previews else set()):
        for action, resource in (
            ("iam:CreateRole", f"arn:aws:iam::{environment.account}:role/orders-{other}-Role1-X"),
            ("iam:CreateRole", f"arn:aws:iam::{environment.account}:role/platform-{other}-Operator1-X"),
            ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{region}:function:orders-{other}"),
            ("lambda:UpdateAlias", f"arn:aws:lambda:{region}:function:orders-{other}"),
            ("lambda:PassCapacityProvider", f"arn:aws:lambda:{region}:capacity-provider:platform-{other}-C-X"),
            ("lambda:DeleteCapacityProvider", f"arn:aws:lambda:{region}:capacity-provider:platform-{other}-C-X"),
            ("logs:DeleteLogGroup", f"arn:aws:logs:{region}:log-group:orders-{other}-Logs-X"),
            ("ssm:PutParameter", f"arn:aws:ssm:{region}:parameter/platform-{other}/capacity-provider-arn"),
        ):
            assert not allowed(statements, action, resource), (action, resource)


def test_a_preview_makes_roles_under_its_boundary_alone(synthesize: Synthesize) -> None:
    preview = load("preview")
    for statement in execution_policies.execution(preview):
        if set(statement["Action"]) & set(execution_policies.BOUNDED):
            assert statement["Condition"] == {
                "StringEquals": {"iam:PermissionsBoundary": execution_policies.boundary_arn(preview)}
            }
    assert "iam:DeleteRolePermissionsBoundary" not in actions(execution_policies.execution(preview))
    [template] = templates(preview, synthesize)
    for role in of_type(template, "AWS::IAM::Role").values():
        assert role["Properties"]["PermissionsBoundary"] == execution_policies.boundary_arn(preview)


def test_a_previews_boundary_allows_what_its_function_may_do_and_no_other_action(synthesize: Synthesize) -> None:
    [template] = templates(load("preview"), synthesize)
    statements = [
        statement
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert actions(execution_policies.boundary(load("preview"))) == actions(statements)


def test_policies_are_within_the_limits_of_iam(access: Resources) -> None:
    for policy in of_type(access, "AWS::IAM::ManagedPolicy").values():
        assert size(policy["Properties"]["PolicyDocument"]) <= MANAGED_POLICY_LIMIT
    for role in of_type(access, "AWS::IAM::Role").values():
        assert sum(size(policy["PolicyDocument"]) for policy in role["Properties"]["Policies"]) <= INLINE_POLICIES_LIMIT


def test_each_environment_of_the_account_has_one_role_per_purpose(access: Resources) -> None:
    found = {role["Properties"]["RoleName"] for role in of_type(access, "AWS::IAM::Role").values()}
    [account] = [account for account in ACCOUNTS if f"::{account}:" in json.dumps(access)]
    assert found == {naming.role(each.name, purpose) for each in of_account(account) for purpose in naming.PURPOSES}


def test_trust_compares_whole_values_and_nothing_else(access: Resources) -> None:
    for role in of_type(access, "AWS::IAM::Role").values():
        [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert list(statement["Condition"]) == ["StringEquals"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        for value in trusted_claims(role).values():
            assert isinstance(value, str)
            assert not set(value) & set("*?$")
        assert {f"{trust.GITHUB}:aud", f"{trust.GITHUB}:sub"} <= set(trusted_claims(role))


def test_no_two_roles_trust_the_same_subject() -> None:
    subjects = [
        trusted_claims(role)[f"{trust.GITHUB}:sub"]
        for account in ACCOUNTS
        for role in of_type(made(account), "AWS::IAM::Role").values()
    ]
    assert len(set(subjects)) == len(subjects) == len(names()) * len(naming.PURPOSES)


def test_the_subject_has_no_ids_where_none_are_known() -> None:
    legacy = Repository(owner="example-org", name="orders", owner_id=0, repository_id=0)
    claims = trust.claims(legacy, load("dev"), "deploy")
    assert claims["sub"] == "repo:example-org/orders:environment:dev"
    assert {"repository_id", "repository_owner_id"}.isdisjoint(claims)
    assert trust.subject(REPOSITORY, "dev") == "repo:example-org@1001/orders@2002:environment:dev"


def test_the_identity_provider_outlives_the_stack(access: Resources) -> None:
    [provider] = of_type(access, "AWS::IAM::OIDCProvider").values()
    assert provider["DeletionPolicy"] == provider["UpdateReplacePolicy"] == "Retain"
    assert provider["Properties"]["Url"] == "https://token.actions.githubusercontent.com"
    assert provider["Properties"]["ClientIdList"] == ["sts.amazonaws.com"]


def test_a_provider_that_exists_is_taken(access: Resources) -> None:
    account = ACCOUNTS[0]
    assert not of_type(made(account, takes_existing_provider=True), "AWS::IAM::OIDCProvider")
    assert of_type(access, "AWS::IAM::OIDCProvider")


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_stack_needs_no_bootstrap(account: str) -> None:
    app = cdk.App()
    Access(app, REPOSITORY, of_account(account))
    artifact = app.synth().get_stack_by_name("access")
    assert "Parameters" not in artifact.template
    assert not artifact.assets
    assert artifact.assume_role_arn is None
    # A larger template would have to be uploaded first.
    assert Path(artifact.template_full_path).stat().st_size <= INLINE_TEMPLATE_LIMIT


def test_workflows_assume_no_role_but_the_two_that_deploy() -> None:
    for name in names():
        environment = load(name)
        for purpose in naming.PURPOSES:
            statements = PERMISSIONS[purpose](environment)
            assumed = [arn for each in statements if "sts:AssumeRole" in each["Action"] for arn in each["Resource"]]
            place = f"{environment.account}-{environment.region}"
            expected = [
                f"arn:aws:iam::{environment.account}:role/cdk-{environment.qualifier}-{role}-role-{place}"
                for role in ("deploy", "file-publishing")
            ]
            assert assumed == (expected if purpose == "deploy" else [])


def test_workflows_have_no_action_by_a_pattern_and_pass_no_role() -> None:
    for name in names():
        for purpose in naming.PURPOSES:
            for action in actions(PERMISSIONS[purpose](load(name))):
                assert "*" not in action
                assert action != "iam:PassRole"


def test_the_read_role_has_only_actions_that_read(environment: Environment) -> None:
    detecting = {"cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift"}
    for action in actions(PERMISSIONS["read"](environment)) - detecting:
        assert action.partition(":")[2].startswith(("Describe", "Get", "List")), action
    assert "s3:GetObject" not in actions(PERMISSIONS["read"](environment))


def test_qualifiers_tell_the_environments_of_an_account_apart() -> None:
    for account in ACCOUNTS:
        qualifiers = [environment.qualifier for environment in of_account(account)]
        assert len(set(qualifiers)) == len(qualifiers)
