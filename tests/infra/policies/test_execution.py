"""What CloudFormation may do to which resource, and on which conditions. What templates need is in test_templates."""

from fnmatch import fnmatchcase
from functools import cache

import pytest

from infra.environment import Environment
from infra.policies.boundary import boundary, boundary_arn
from infra.policies.execution import execution
from infra.policies.resources import Statement, allow
from tests.infra.policies.additions import role
from tests.infra.policies.iam import assert_allowed, may
from tests.infra.policies.things import (
    DEV,
    ENVIRONMENTS,
    OF_DEV,
    OF_PREVIEW,
    OF_PROD,
    PREVIEW,
    PROD,
    everything,
    in_account,
    templates,
)

each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=list(ENVIRONMENTS))

OPERATOR = "arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
EVERYTHING = allow(["*"], ["*"])

# Tried on every resource beside what the policies themselves name.
TRIED = (
    "cloudformation:UpdateStack cloudformation:DeleteStack iam:AttachRolePolicy iam:CreatePolicyVersion "
    "iam:CreateServiceLinkedRole iam:DeletePolicy iam:DeleteRolePermissionsBoundary iam:PassRole "
    "iam:PutRolePermissionsBoundary iam:SetDefaultPolicyVersion iam:UpdateAssumeRolePolicy lambda:AddPermission "
    "lambda:InvokeFunction s3:GetObject s3:PutObject ssm:PutParameter sts:AssumeRole"
)

# What is an environment's own, of all that there is in its account and in others.
SHARED = ("iam:role/aws-service-role/lambda.amazonaws.com/*", "ec2:vpc/vpc-1", "route53:hostedzone/Z1")


def own(name: str, functions: str, qualifier: str) -> tuple[str, ...]:
    platform, both = f"acme-platform-{name}", (f"{functions}-billing", f"{functions}-billing-eu")
    return (
        *SHARED,
        f"iam:role/acme-access-{name}-operator",
        f"iam:role/acme-access-{name}-flow-log",
        f"lambda:capacity-provider:{platform}-C",
        f"logs:log-group:{platform}-Logs",
        f"s3:cdk-{qualifier}-assets/asset.zip",
        f"ssm:parameter/{platform}/capacity-provider-arn",
        f"ssm:parameter/cdk-bootstrap/{qualifier}/version",
        *(
            f"{kind}{each}{end}"
            for each in both
            for kind, end in (("iam:role/", "-Role1"), ("logs:log-group:", "-Logs"))
        ),
        *(f"lambda:function:{each}{end}" for each in both for end in ("", ":3", ":live")),
    )


OWN = {
    "dev": own("dev", "acme-dev", OF_DEV),
    "preview": own("preview", "acme-pr-7", OF_PREVIEW),
    "prod": own("prod", "acme-prod", OF_PROD),
}


def favourable(environment: Environment) -> dict[str, str]:
    """Return a request under which everything is allowed that is allowed at all."""
    return {
        "iam:PassedToService": "lambda.amazonaws.com",
        "iam:PermissionsBoundary": boundary_arn(environment),
        **tagged(environment),
    }


def tagged(environment: Environment) -> dict[str, str]:
    return {"aws:ResourceTag/environment": environment.name, "aws:ResourceTag/project": environment.project.name}


@cache
def _execution_of(name: str) -> list[Statement]:
    return execution(ENVIRONMENTS[name], templates(ENVIRONMENTS[name]))


def execution_of(environment: Environment) -> list[Statement]:
    return _execution_of(environment.name)


def on(environment: Environment, name: str) -> str:
    return in_account(environment.account)[name]


def unguarded(statements: list[Statement]) -> list[Statement]:
    """Return statements without their conditions, and without what denies."""
    allowing = [each for each in statements if each["Effect"] == "Allow"]
    return [{key: value for key, value in each.items() if key != "Condition"} for each in allowing]


@each_environment
def test_nothing_is_touched_but_what_is_the_environments_own(environment: Environment) -> None:
    statements = execution_of(environment)
    # What IAM can't narrow, which reads.
    anywhere = {action for each in statements if each["Resource"] == ["*"] for action in each["Action"]}
    assert all(action.partition(":")[2].startswith(("Describe", "List")) for action in anywhere)
    actions = {*TRIED.split(), *(action for each in statements for action in each.get("Action", []))} - anywhere
    touched = {
        name
        for name, arn in everything(environment.account).items()
        if any(may(statements, action, arn, favourable(environment)) for action in actions)
    }
    strange = {name for name in touched if not any(fnmatchcase(name, each) for each in OWN[environment.name])}
    assert not strange
    assert {f"lambda:function:{OWN[environment.name][-1].split(':')[2]}:live"} <= touched


@each_environment
@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"])
def test_a_role_gets_rights_under_the_boundary_alone(environment: Environment, action: str) -> None:
    statements, whole = execution_of(environment), boundary_arn(environment)
    function = next(each for each in OWN[environment.name] if each.endswith("-billing-Role1"))
    made = on(environment, function)
    for other in (
        ADMINISTRATOR,
        f"{whole}2",
        whole.replace("boundary", "execution"),
        whole.replace(environment.account, "3" * 12),
    ):
        assert not may(statements, action, made, {"iam:PermissionsBoundary": other})
    assert not may(statements, action, made)
    assert may(statements, action, made, {"iam:PermissionsBoundary": whole})
    assert may(unguarded(statements), action, made)


@each_environment
def test_a_role_loses_its_boundary_never(environment: Environment) -> None:
    for arn in everything(environment.account).values():
        assert not may(execution_of(environment), "iam:DeleteRolePermissionsBoundary", arn, favourable(environment))


@each_environment
def test_no_role_gets_a_policy_of_aws_but_by_its_template(environment: Environment) -> None:
    assert not [each for each in execution_of(environment) if "iam:AttachRolePolicy" in each.get("Action", [])]
    logging = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    statements = execution(environment, templates(environment, billing=role(ManagedPolicyArns=[logging])))
    made = on(environment, next(each for each in OWN[environment.name] if each.endswith("-billing-Role1")))
    bounded = {"iam:PermissionsBoundary": boundary_arn(environment)}
    assert may(statements, "iam:AttachRolePolicy", made, bounded | {"iam:PolicyARN": logging})
    assert not may(statements, "iam:AttachRolePolicy", made, {"iam:PolicyARN": logging})
    for other in (ADMINISTRATOR, OPERATOR):
        assert not may(statements, "iam:AttachRolePolicy", made, bounded | {"iam:PolicyARN": other})
    assert may(unguarded(statements), "iam:AttachRolePolicy", made)


ACCESS = [
    ("iam:UpdateAssumeRolePolicy", "iam:role/acme-access-dev-deploy"),
    ("iam:PutRolePolicy", "iam:role/acme-access-dev-operator"),
    ("iam:PutRolePolicy", "iam:role/acme-access-prod-deploy"),
    ("iam:AttachRolePolicy", f"iam:role/cdk-{OF_DEV}-cfn-exec-role"),
    ("iam:CreatePolicyVersion", "iam:policy/acme-access-dev-boundary"),
    ("iam:DeletePolicy", "iam:policy/acme-access-dev-execution"),
    ("iam:AddClientIDToOpenIDConnectProvider", "iam:oidc-provider/token.actions.githubusercontent.com"),
    ("cloudformation:UpdateStack", "cloudformation:stack/acme-access-dev/1"),
    ("cloudformation:DeleteStack", f"cloudformation:stack/CDKToolkit-{OF_DEV}/1"),
]


@pytest.mark.parametrize(("action", "name"), ACCESS)
def test_what_a_person_deploys_is_denied_even_where_something_else_allows_everything(action: str, name: str) -> None:
    statements = execution_of(DEV)
    context = favourable(DEV) | {"iam:PolicyARN": ADMINISTRATOR}
    assert not may(statements, action, on(DEV, name), context)
    assert not may([*statements, EVERYTHING], action, on(DEV, name), context)
    assert may([*unguarded(statements), EVERYTHING], action, on(DEV, name), context)


FLOW_LOGS = "vpc-flow-logs.amazonaws.com"
LAMBDA = "lambda.amazonaws.com"


@pytest.mark.parametrize(
    ("environment", "name", "services"),
    [
        (DEV, "acme-dev-billing-Role1", [LAMBDA]),
        (DEV, "acme-access-dev-operator", [LAMBDA]),
        (DEV, "acme-access-dev-flow-log", []),  # since dev has no flow logs
        (DEV, "acme-access-dev-deploy", []),
        (DEV, "acme-access-preview-operator", []),
        (DEV, "acme-pr-7-billing-Role1", []),
        (DEV, "acme-platform-dev-Role1", []),
        (DEV, "admin", []),
        (PREVIEW, "acme-pr-7-billing-Role1", [LAMBDA]),
        (PREVIEW, "acme-access-preview-operator", []),  # which a person passes
        (PREVIEW, "acme-dev-billing-Role1", []),
        (PROD, "acme-access-prod-operator", [LAMBDA]),
        (PROD, "acme-access-prod-flow-log", [FLOW_LOGS]),
    ],
)
def test_a_role_is_passed_to_these_services_alone(environment: Environment, name: str, services: list[str]) -> None:
    statements, arn = execution_of(environment), on(environment, f"iam:role/{name}")
    tried = [LAMBDA, FLOW_LOGS, "ec2.amazonaws.com", "cloudformation.amazonaws.com"]
    passed = [each for each in tried if may(statements, "iam:PassRole", arn, {"iam:PassedToService": each})]
    assert passed == services
    assert not may(statements, "iam:PassRole", arn)


VPC = f"arn:aws:ec2:{DEV.region}:{DEV.account}:vpc/vpc-1"
SUBNET, RULE = VPC.replace("vpc/vpc-", "subnet/subnet-"), VPC.replace("vpc/vpc-", "security-group-rule/sgr-")
OTHERS = [
    tagged(PREVIEW),
    tagged(DEV) | {"aws:ResourceTag/project": "acme2"},
    {"aws:ResourceTag/environment": "dev"},
    {},
]


@pytest.mark.parametrize(
    "action",
    ["ec2:DeleteVpc", "ec2:ModifyVpcTenancy", "ec2:CreateSubnet", "ec2:AttachInternetGateway", "ec2:DeleteTags"],
)
def test_a_network_is_changed_and_extended_by_its_own_environment_alone(action: str) -> None:
    statements = execution_of(DEV)
    assert may(statements, action, VPC, tagged(DEV))
    for tags in OTHERS:
        assert not may(statements, action, VPC, tags)
        assert may(unguarded(statements), action, VPC, tags)


def test_what_is_being_made_has_no_tags_yet() -> None:
    statements = execution_of(DEV)
    for action, arn in (("CreateVpc", VPC), ("CreateSubnet", SUBNET), ("AuthorizeSecurityGroupEgress", RULE)):
        assert may(statements, f"ec2:{action}", arn)


@pytest.mark.parametrize(
    ("action", "arn"),
    [
        ("CreateTags", VPC),
        ("ModifyVpcAttribute", VPC),
        ("ModifySubnetAttribute", SUBNET),
        ("RevokeSecurityGroupEgress", VPC.replace("vpc/vpc-", "security-group/sg-")),
    ],
)
def test_what_was_just_made_is_set_up_with_tags_or_without_and_nothing_that_others_have_tagged(
    action: str, arn: str
) -> None:
    statements = execution_of(DEV)
    assert may(statements, f"ec2:{action}", arn)
    assert may(statements, f"ec2:{action}", arn, tagged(DEV))
    for tags in OTHERS[:2]:
        assert not may(statements, f"ec2:{action}", arn, tags)
        assert may(unguarded(statements), f"ec2:{action}", arn, tags)


def test_previews_change_no_network() -> None:
    actions = {action for each in execution_of(PREVIEW) for action in each.get("Action", [])}
    assert {action for action in actions if action.startswith("ec2:") and ":Describe" not in action} == set()


@each_environment
def test_a_function_may_do_this_at_most(environment: Environment) -> None:
    durable = "lambda:CheckpointDurableExecution lambda:GetDurableExecutionState"
    functions = [each for each in OWN[environment.name] if each.startswith("lambda:function:")]
    groups = [each for each in OWN[environment.name] if each.startswith("logs:") and "platform" not in each]
    table = dict.fromkeys(groups, "logs:CreateLogStream logs:PutLogEvents") | dict.fromkeys(functions, durable)
    actions = {action for each in execution_of(environment) for action in each.get("Action", [])}
    tried = f"{TRIED} {' '.join(actions)} s3:ListBucket"
    found = boundary(environment, templates(environment))
    assert_allowed(found, tried, environment.account, table, favourable(environment))
