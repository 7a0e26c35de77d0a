"""What CloudFormation may do in an environment: the actions that the resource types of its stacks take, and no others.

Resources are narrowed by name. CloudFormation begins the names that it makes up with the stack's. Names of EC2 are
random, so there the account and region are the limit.

A policy holds what the environment's file asks for today. Where that changes, deploy `access` first if something is to
be made that needs more, and after the environment if something is to be removed.
"""

import json
from collections.abc import Iterator
from typing import Any

from infra import naming
from infra.environment import Environment

# Resources, with the names of an environment to be filled in.
ANY = ("*",)  # for actions that IAM can't narrow
EC2 = ("arn:aws:ec2:{region}:{account}:*",)
HOSTED_ZONE = ("arn:aws:route53:::hostedzone/*",)
FUNCTION = (
    "arn:aws:lambda:{region}:{account}:function:{function}",
    "arn:aws:lambda:{region}:{account}:function:{function}:*",
)
CAPACITY_PROVIDER = ("arn:aws:lambda:{region}:{account}:capacity-provider:{platform}-*",)
ROLE = ("arn:aws:iam::{account}:role/{role}",)
LAMBDA_SERVICE_ROLE = ("arn:aws:iam::{account}:role/aws-service-role/lambda.amazonaws.com/*",)
LOG_GROUP = ("arn:aws:logs:{region}:{account}:log-group:{stack}-*",)
PARAMETER = ("arn:aws:ssm:{region}:{account}:parameter/{platform}/*",)
BOOTSTRAP_VERSION = ("arn:aws:ssm:{region}:{account}:parameter/cdk-bootstrap/{qualifier}/version",)
ASSETS = ("arn:aws:s3:::cdk-{qualifier}-assets-{account}-{region}/*",)

# The policies of AWS that roles of the stacks may have.
MANAGED_POLICIES = (
    "arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
)

# Actions by which a role gets rights. In previews they are allowed for roles under the permissions boundary alone.
BOUNDED = ("iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy")

READING = ("Describe", "Get", "List")

# Per resource type what CloudFormation calls to make, change, tag, read and delete it, by what it calls it on (the
# handlers of the resource types' schemas, and the service authorization reference).
Actions = dict[tuple[str, ...], str]
ACTIONS: dict[str, Actions] = {
    "AWS::EC2::EIP": {
        EC2: "ec2:AllocateAddress ec2:ReleaseAddress ec2:DisassociateAddress ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeAddresses",
    },
    "AWS::EC2::FlowLog": {
        EC2: "ec2:CreateFlowLogs ec2:DeleteFlowLogs ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeFlowLogs",
        ROLE: "iam:PassRole",
    },
    "AWS::EC2::InternetGateway": {
        EC2: "ec2:CreateInternetGateway ec2:DeleteInternetGateway ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeInternetGateways",
    },
    "AWS::EC2::NatGateway": {
        EC2: "ec2:CreateNatGateway ec2:DeleteNatGateway ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeNatGateways",
    },
    "AWS::EC2::Route": {EC2: "ec2:CreateRoute ec2:ReplaceRoute ec2:DeleteRoute", ANY: "ec2:DescribeRouteTables"},
    "AWS::EC2::RouteTable": {
        EC2: "ec2:CreateRouteTable ec2:DeleteRouteTable ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeRouteTables",
    },
    "AWS::EC2::SecurityGroup": {
        EC2: "ec2:CreateSecurityGroup ec2:DeleteSecurityGroup ec2:AuthorizeSecurityGroupEgress "
        "ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupEgress ec2:RevokeSecurityGroupIngress "
        "ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeSecurityGroups ec2:DescribeSecurityGroupRules",
    },
    "AWS::EC2::SecurityGroupIngress": {
        EC2: "ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress "
        "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        ANY: "ec2:DescribeSecurityGroupRules",
    },
    "AWS::EC2::Subnet": {
        EC2: "ec2:CreateSubnet ec2:DeleteSubnet ec2:ModifySubnetAttribute ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeSubnets",
    },
    "AWS::EC2::SubnetRouteTableAssociation": {
        EC2: "ec2:AssociateRouteTable ec2:DisassociateRouteTable ec2:ReplaceRouteTableAssociation",
        ANY: "ec2:DescribeRouteTables",
    },
    "AWS::EC2::VPC": {
        EC2: "ec2:CreateVpc ec2:DeleteVpc ec2:ModifyVpcAttribute ec2:DescribeVpcAttribute ec2:CreateTags "
        "ec2:DeleteTags",
        ANY: "ec2:DescribeVpcs ec2:DescribeSecurityGroups ec2:DescribeNetworkAcls",
    },
    "AWS::EC2::VPCEndpoint": {
        EC2: "ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint ec2:DeleteVpcEndpoints ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeVpcEndpoints",
        # For the private DNS of interface endpoints.
        HOSTED_ZONE: "route53:AssociateVPCWithHostedZone",
    },
    "AWS::EC2::VPCGatewayAttachment": {
        EC2: "ec2:AttachInternetGateway ec2:DetachInternetGateway",
        ANY: "ec2:DescribeInternetGateways",
    },
    "AWS::IAM::Policy": {ROLE: "iam:PutRolePolicy iam:DeleteRolePolicy iam:GetRolePolicy"},
    "AWS::IAM::Role": {
        ROLE: "iam:CreateRole iam:DeleteRole iam:UpdateRole iam:UpdateRoleDescription iam:UpdateAssumeRolePolicy "
        "iam:PutRolePolicy iam:DeleteRolePolicy iam:TagRole iam:UntagRole iam:GetRole iam:GetRolePolicy "
        "iam:ListRolePolicies iam:ListAttachedRolePolicies iam:ListRoleTags",
    },
    "AWS::Lambda::Alias": {FUNCTION: "lambda:CreateAlias lambda:UpdateAlias lambda:DeleteAlias lambda:GetAlias"},
    "AWS::Lambda::CapacityProvider": {
        CAPACITY_PROVIDER: "lambda:CreateCapacityProvider lambda:UpdateCapacityProvider lambda:DeleteCapacityProvider "
        "lambda:GetCapacityProvider lambda:TagResource lambda:UntagResource lambda:ListTags",
        ROLE: "iam:PassRole",
        LAMBDA_SERVICE_ROLE: "iam:CreateServiceLinkedRole",
        ANY: "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs",
    },
    "AWS::Lambda::Function": {
        FUNCTION: "lambda:CreateFunction lambda:DeleteFunction lambda:UpdateFunctionCode "
        "lambda:UpdateFunctionConfiguration lambda:PutFunctionScalingConfig lambda:TagResource lambda:UntagResource "
        "lambda:GetFunction lambda:GetFunctionConfiguration lambda:GetFunctionCodeSigningConfig "
        "lambda:GetFunctionRecursionConfig lambda:GetFunctionScalingConfig lambda:GetRuntimeManagementConfig "
        "lambda:GetPolicy lambda:ListTags",
        CAPACITY_PROVIDER: "lambda:PassCapacityProvider",
        ROLE: "iam:PassRole",
        ASSETS: "s3:GetObject s3:GetObjectVersion",
    },
    "AWS::Lambda::Version": {
        FUNCTION: "lambda:PublishVersion lambda:DeleteFunction lambda:PutFunctionScalingConfig lambda:GetFunction "
        "lambda:GetFunctionConfiguration lambda:GetFunctionScalingConfig lambda:GetProvisionedConcurrencyConfig "
        "lambda:ListVersionsByFunction",
    },
    "AWS::Logs::LogGroup": {
        LOG_GROUP: "logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy logs:DeleteRetentionPolicy "
        "logs:TagResource logs:UntagResource logs:ListTagsForResource logs:GetDataProtectionPolicy "
        "logs:DescribeIndexPolicies",
        ANY: "logs:DescribeLogGroups",
    },
    "AWS::SSM::Parameter": {
        PARAMETER: "ssm:PutParameter ssm:DeleteParameter ssm:AddTagsToResource ssm:RemoveTagsFromResource "
        "ssm:GetParameter ssm:GetParameters ssm:ListTagsForResource",
        ANY: "ssm:DescribeParameters",
    },
    "Custom::VpcRestrictDefaultSG": {FUNCTION: "lambda:InvokeFunction"},
}
# The platform's roles have policies of AWS; the function's role has none.
ATTACHING: Actions = {ROLE: "iam:AttachRolePolicy iam:DetachRolePolicy"}
BOUNDING: Actions = {ROLE: "iam:PutRolePermissionsBoundary"}
# What CloudFormation reads while it deploys a template of the CDK's.
DEPLOYING: Actions = {BOOTSTRAP_VERSION: "ssm:GetParameters", PARAMETER: "ssm:GetParameters"}

ORDERS_TYPES = (
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
)
PLATFORM_TYPES = (
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::CapacityProvider",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SSM::Parameter",
    "Custom::VpcRestrictDefaultSG",
)
NAT_TYPES = (
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::VPCGatewayAttachment",
)
INTERFACE_ENDPOINT_TYPES = ("AWS::EC2::SecurityGroupIngress",)

Statement = dict[str, Any]


def orders_names(environment: Environment) -> dict[str, str]:
    """Return the names that the orders stacks of an environment make, as resources are given in IAM."""
    stack = orders_stacks(environment)
    # Not every role whose name begins so: those of the access stack do as well, and would be a way to more rights.
    return _names(environment) | {"stack": stack, "function": stack, "role": f"{stack}-Role*"}


def platform_names(environment: Environment) -> dict[str, str]:
    """Return the names that the platform stack of an environment makes."""
    stack = naming.platform_stack(environment.name)
    return _names(environment) | {"stack": stack, "function": f"{stack}-*", "role": f"{stack}-*"}


def orders_stacks(environment: Environment) -> str:
    """Return the name of an environment's orders stack, or the pattern of those of its previews."""
    return naming.orders_stack(environment.name) if not environment.hosts_previews else f"{naming.PROJECT}-pr-*"


def stack_arns(environment: Environment, *names: str) -> list[str]:
    """Return the ARNs of stacks as IAM takes them; each ends with an id that CloudFormation makes up."""
    return [f"arn:aws:cloudformation:{environment.region}:{environment.account}:stack/{name}/*" for name in names]


def platform_types(environment: Environment) -> tuple[str, ...]:
    """Return the resource types that an environment's platform consists of."""
    network = environment.network
    egress = NAT_TYPES if network.nat_gateways else INTERFACE_ENDPOINT_TYPES
    return (*PLATFORM_TYPES, *egress, *(["AWS::EC2::FlowLog"] if network.flow_logs else []))


def execution(environment: Environment) -> list[Statement]:
    """Return what CloudFormation may do for the workflows that deploy to an environment.

    Where there are previews that is the orders stacks of pull requests alone: a person deploys the platform below them.
    """
    return _statements(environment, [*_of_orders(environment), *_of_platform(environment)])


def reading(environment: Environment) -> list[Statement]:
    """Return what it takes to read all that an environment consists of, as drift detection does."""
    granted = [*_granted(ORDERS_TYPES, orders_names(environment))]
    granted += _granted(platform_types(environment), platform_names(environment))
    reads = [(action, resource) for action, resource in granted if action.partition(":")[2].startswith(READING)]
    # Drift detection reads a function's properties, and nobody's code.
    return _statements(environment, [grant for grant in reads if not grant[0].startswith("s3:")])


def boundary(environment: Environment) -> list[Statement]:
    """Return what the function of a preview may do at most, whatever its pull request makes of its role."""
    names = orders_names(environment)
    durable = ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"]
    return [
        allow(durable, resolve(FUNCTION, names)),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], resolve(LOG_GROUP, names)),
    ]


def resolve(resources: tuple[str, ...], names: dict[str, str]) -> list[str]:
    """Fill names into resources."""
    return [resource.format(**names) for resource in resources]


def boundary_arn(environment: Environment) -> str:
    """Return the ARN of the permissions boundary of an environment's previews."""
    return f"arn:aws:iam::{environment.account}:policy/{naming.boundary(environment.name)}"


def _names(environment: Environment) -> dict[str, str]:
    return {
        "account": environment.account,
        "region": environment.region,
        "qualifier": environment.qualifier,
        "platform": naming.platform_stack(environment.name),
    }


def _of_orders(environment: Environment) -> Iterator[tuple[str, str]]:
    names = orders_names(environment)
    yield from _granted(ORDERS_TYPES, names)
    yield from _pairs(DEPLOYING, names)
    if environment.hosts_previews:
        yield from _pairs(BOUNDING, names)


def _of_platform(environment: Environment) -> Iterator[tuple[str, str]]:
    if not environment.hosts_previews:
        names = platform_names(environment)
        yield from _granted(platform_types(environment), names)
        yield from _pairs(ATTACHING, names)


def _granted(types: tuple[str, ...], names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for kind in types:
        yield from _pairs(ACTIONS[kind], names)


def _pairs(actions: Actions, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for resources, listed in actions.items():
        for resource in resolve(resources, names):
            yield from ((action, resource) for action in listed.split())


def _statements(environment: Environment, granted: list[tuple[str, str]]) -> list[Statement]:
    """Write what is granted as few statements: one for all actions on the same resources under the same condition."""
    resources: dict[str, set[str]] = {}
    for action, resource in granted:
        resources.setdefault(action, set()).add(resource)
    # What is allowed anywhere needs no resources by name beside it.
    alike: dict[str, list[str]] = {}
    for action, on in sorted(resources.items()):
        narrowest = list(ANY) if on.issuperset(ANY) else sorted(on)
        key = json.dumps([narrowest, _condition(action, environment)], sort_keys=True)
        alike.setdefault(key, []).append(action)
    return [allow(actions, *json.loads(key)) for key, actions in alike.items()]


def _condition(action: str, environment: Environment) -> dict[str, dict[str, Any]]:
    if action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        return {"ArnEquals": {"iam:PolicyARN": list(MANAGED_POLICIES)}}
    if action == "iam:PassRole":
        return {"StringEquals": {"iam:PassedToService": _services(environment)}}
    if action in BOUNDED and environment.hosts_previews:
        return {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(environment)}}
    return {}


def _services(environment: Environment) -> list[str]:
    flow_logs = environment.network.flow_logs and not environment.hosts_previews
    return ["lambda.amazonaws.com", *(["vpc-flow-logs.amazonaws.com"] if flow_logs else [])]


def allow(actions: list[str], resources: list[str], condition: dict[str, Any] | None = None) -> Statement:
    """Return a statement that allows actions on resources."""
    statement: Statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})
