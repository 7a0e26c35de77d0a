"""What CloudFormation may do to which resource, and on which conditions: all that is not said here, it may not."""

import pytest

from infra.environment import Environment
from infra.policies.execution import boundary, execution
from tests.infra.policies.iam import May, assert_allowed, may
from tests.infra.policies.things import (
    ANYWHERE,
    DEV,
    LAMBDA_SERVICE_ROLE,
    OF_DEV,
    OF_PREVIEW,
    OF_PROD,
    PREVIEW,
    PROD,
    bucket,
    in_account,
)

BOUNDARY = "arn:aws:iam::111111111111:policy/acme-access-preview-boundary"
OPERATOR = "arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
# Under which everything is allowed that is allowed at all.
FAVOURABLE = {
    "iam:PassedToService": "lambda.amazonaws.com",
    "iam:PermissionsBoundary": BOUNDARY,
    "iam:PolicyARN": OPERATOR,
}

# Tried on every resource beside what the policies themselves name.
TRIED = (
    "cloudformation:UpdateStack cloudformation:DeleteStack iam:AttachRolePolicy iam:CreatePolicyVersion "
    "iam:CreateServiceLinkedRole iam:DeletePolicy iam:DeleteRolePermissionsBoundary iam:PassRole "
    "iam:PutRolePermissionsBoundary iam:SetDefaultPolicyVersion iam:UpdateAssumeRolePolicy lambda:AddPermission "
    "lambda:InvokeFunction s3:GetObject s3:PutObject ssm:PutParameter sts:AssumeRole"
)

TAGS = "ec2:CreateTags ec2:DeleteTags"
NETWORK = (
    f"{TAGS} ec2:CreateVpc ec2:DeleteVpc ec2:ModifyVpcAttribute ec2:DescribeVpcAttribute ec2:CreateSubnet "
    "ec2:DeleteSubnet ec2:ModifySubnetAttribute ec2:CreateRouteTable ec2:DeleteRouteTable ec2:AssociateRouteTable "
    "ec2:DisassociateRouteTable ec2:ReplaceRouteTableAssociation ec2:CreateSecurityGroup ec2:DeleteSecurityGroup "
    "ec2:AuthorizeSecurityGroupEgress ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupEgress "
    "ec2:RevokeSecurityGroupIngress ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint ec2:DeleteVpcEndpoints"
)
NAT = (
    "ec2:AllocateAddress ec2:ReleaseAddress ec2:DisassociateAddress ec2:CreateInternetGateway "
    "ec2:DeleteInternetGateway ec2:AttachInternetGateway ec2:DetachInternetGateway ec2:CreateNatGateway "
    "ec2:DeleteNatGateway ec2:CreateRoute ec2:ReplaceRoute ec2:DeleteRoute"
)
ENDPOINTS_AND_FLOW_LOGS = (
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress ec2:CreateFlowLogs ec2:DeleteFlowLogs"  # as prod has them
)
READ_LOGS = "logs:DescribeIndexPolicies logs:DescribeLogGroups logs:DescribeResourcePolicies"
READ_NETWORK = (
    f"{READ_LOGS} ssm:DescribeParameters ec2:DescribeNetworkAcls ec2:DescribeRouteTables "
    "ec2:DescribeSecurityGroupRules ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcEncryptionControls "
    "ec2:DescribeVpcEndpoints ec2:DescribeVpcs"
)
READ_NAT = "ec2:DescribeAddresses ec2:DescribeInternetGateways ec2:DescribeNatGateways ec2:DescribeVpnGateways"
ROLE = (
    "iam:CreateRole iam:DeleteRole iam:UpdateRole iam:UpdateRoleDescription iam:UpdateAssumeRolePolicy "
    "iam:PutRolePolicy iam:DeleteRolePolicy iam:TagRole iam:UntagRole iam:GetRole iam:GetRolePolicy "
    "iam:ListRolePolicies iam:ListAttachedRolePolicies iam:ListRoleTags iam:PassRole"
)
FUNCTION = (
    "lambda:CreateFunction lambda:DeleteFunction lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration "
    "lambda:PutFunctionScalingConfig lambda:TagResource lambda:UntagResource lambda:GetFunction "
    "lambda:GetFunctionConfiguration lambda:GetFunctionCodeSigningConfig lambda:GetFunctionRecursionConfig "
    "lambda:GetFunctionScalingConfig lambda:GetRuntimeManagementConfig lambda:GetPolicy lambda:ListTags "
    "lambda:PublishVersion lambda:ListVersionsByFunction lambda:GetProvisionedConcurrencyConfig "
    "lambda:CreateAlias lambda:UpdateAlias lambda:DeleteAlias lambda:GetAlias"
)
CAPACITY_PROVIDER = (
    "lambda:CreateCapacityProvider lambda:UpdateCapacityProvider lambda:DeleteCapacityProvider "
    "lambda:GetCapacityProvider lambda:PassCapacityProvider lambda:TagResource lambda:UntagResource lambda:ListTags"
)
LOG_GROUP = (
    "logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy logs:DeleteRetentionPolicy logs:TagResource "
    "logs:UntagResource logs:ListTagsForResource logs:GetDataProtectionPolicy"
)
PARAMETER = (
    "ssm:PutParameter ssm:DeleteParameter ssm:AddTagsToResource ssm:RemoveTagsFromResource ssm:GetParameter "
    "ssm:GetParameters ssm:ListTagsForResource"
)


def of_function(name: str, actions: str) -> May:
    return {f"lambda:function:{name}{qualifier}": actions for qualifier in ("", ":3", ":live")}


def of_functions(place: str, qualifier: str, role: str = ROLE) -> May:
    return {
        f"ssm:parameter/cdk-bootstrap/{qualifier}/version": "ssm:GetParameters",
        f"{bucket(qualifier)}/asset.zip": "s3:GetObject s3:GetObjectVersion",
        **of_one(f"{place}-billing", role),
        **of_one(f"{place}-billing-eu", role),
    }


def of_one(name: str, role: str) -> May:
    return {
        f"iam:role/{name}-Role1": role,
        f"logs:log-group:{name}-Logs": LOG_GROUP,
        **of_function(name, FUNCTION),
    }


def of_platform(name: str, network: str, anywhere: str) -> May:
    return {
        ANYWHERE: anywhere,
        "ec2:vpc/vpc-1": network,
        "route53:hostedzone/Z1": "route53:AssociateVPCWithHostedZone",
        LAMBDA_SERVICE_ROLE: "iam:CreateServiceLinkedRole",
        f"iam:role/{name}-Role1": f"{ROLE} iam:AttachRolePolicy iam:DetachRolePolicy",
        f"lambda:capacity-provider:{name}-C": CAPACITY_PROVIDER,
        f"logs:log-group:{name}-Logs": LOG_GROUP,
        f"ssm:parameter/{name}/capacity-provider-arn": PARAMETER,
    }


IN_DEV = of_functions("acme-dev", OF_DEV) | of_platform(
    "acme-platform-dev", f"{NETWORK} {NAT}", f"{READ_NETWORK} {READ_NAT}"
)
# No role of the platform, which a person deploys.
IN_PREVIEW = of_functions("acme-pr-7", OF_PREVIEW, f"{ROLE} iam:PutRolePermissionsBoundary") | {
    ANYWHERE: READ_LOGS,
    "lambda:capacity-provider:acme-platform-preview-C": "lambda:PassCapacityProvider",
    "ssm:parameter/acme-platform-preview/capacity-provider-arn": "ssm:GetParameters",
}
IN_PROD = of_functions("acme-prod", OF_PROD) | of_platform(
    "acme-platform-prod", f"{NETWORK} {ENDPOINTS_AND_FLOW_LOGS}", f"{READ_NETWORK} ec2:DescribeFlowLogs"
)


@pytest.mark.parametrize(
    ("environment", "table"),
    [(DEV, IN_DEV), (PREVIEW, IN_PREVIEW), (PROD, IN_PROD)],
    ids=["dev", "preview", "prod"],
)
def test_cloudformation_may_do_this_and_nothing_else(environment: Environment, table: May) -> None:
    assert_allowed(execution(environment), TRIED, environment.account, table, FAVOURABLE)


def on(environment: Environment, name: str) -> str:
    return in_account(environment.account)[name]


@pytest.mark.parametrize("action", ["iam:AttachRolePolicy", "iam:DetachRolePolicy"])
@pytest.mark.parametrize("environment", [DEV, PROD], ids=["dev", "prod"])
def test_a_role_gets_no_policy_of_aws_but_the_operators(environment: Environment, action: str) -> None:
    role = on(environment, f"iam:role/acme-platform-{environment.name}-Role1")
    taken = [
        policy
        for policy in (OPERATOR, ADMINISTRATOR, OPERATOR + "2", "arn:aws:iam::111111111111:policy/x")
        if may(execution(environment), action, role, {"iam:PolicyARN": policy})
    ]
    assert taken == [OPERATOR]
    assert not may(execution(environment), action, role)


FLOW_LOGS = "vpc-flow-logs.amazonaws.com"
LOGGED_PREVIEW = PREVIEW.model_copy(update={"network": PROD.network})


@pytest.mark.parametrize(
    ("environment", "role", "services"),
    [
        (DEV, "acme-dev-billing-Role1", ["lambda.amazonaws.com"]),
        (DEV, "acme-platform-dev-Role1", ["lambda.amazonaws.com"]),
        (PREVIEW, "acme-pr-7-billing-Role1", ["lambda.amazonaws.com"]),
        (LOGGED_PREVIEW, "acme-pr-7-billing-Role1", ["lambda.amazonaws.com"]),  # whose flow logs a person makes
        (PROD, "acme-platform-prod-Role1", ["lambda.amazonaws.com", FLOW_LOGS]),
    ],
)
def test_a_role_is_passed_to_these_services_alone(environment: Environment, role: str, services: list[str]) -> None:
    statements, arn = execution(environment), on(environment, f"iam:role/{role}")
    tried = ["lambda.amazonaws.com", FLOW_LOGS, "ec2.amazonaws.com", "cloudformation.amazonaws.com"]
    passed = [each for each in tried if may(statements, "iam:PassRole", arn, {"iam:PassedToService": each})]
    assert passed == services
    assert not may(statements, "iam:PassRole", arn)


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"])
def test_a_preview_gives_rights_to_roles_under_its_boundary_alone(action: str) -> None:
    role = on(PREVIEW, "iam:role/acme-pr-7-billing-Role1")
    for other in (ADMINISTRATOR, BOUNDARY + "2", BOUNDARY.replace("boundary", "execution"), BOUNDARY.replace("1", "2")):
        assert not may(execution(PREVIEW), action, role, {"iam:PermissionsBoundary": other})
    assert not may(execution(PREVIEW), action, role)
    assert may(execution(PREVIEW), action, role, {"iam:PermissionsBoundary": BOUNDARY})


@pytest.mark.parametrize("environment", [DEV, PROD], ids=["dev", "prod"])
def test_what_has_no_boundary_is_not_asked_for_one(environment: Environment) -> None:
    for name in (f"acme-{environment.name}-billing-Role1", f"acme-platform-{environment.name}-Role1"):
        for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRole"):
            assert may(execution(environment), action, on(environment, f"iam:role/{name}"))


def test_a_previews_function_may_do_this_at_most() -> None:
    durable = "lambda:CheckpointDurableExecution lambda:GetDurableExecutionState"
    names = ("acme-pr-7-billing", "acme-pr-7-billing-eu")
    table: May = {f"logs:log-group:{name}-Logs": "logs:CreateLogStream logs:PutLogEvents" for name in names}
    for name in names:
        table |= of_function(name, durable)
    tried = f"{TRIED} {FUNCTION} {ROLE} s3:ListBucket"
    assert_allowed(boundary(PREVIEW), tried, PREVIEW.account, table, FAVOURABLE)
