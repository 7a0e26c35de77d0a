"""The resource types of the stacks that workflows deploy, and the actions that they take."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from infra.environment import Environment
from infra.policies.resources import (
    ANY,
    ASSETS,
    CAPACITY_PROVIDER,
    EC2,
    FUNCTION,
    HOSTED_ZONE,
    LAMBDA_SERVICE_ROLE,
    LOG_GROUP,
    PARAMETER,
    ROLE,
    Statement,
    allow,
    resolve,
)

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
        ANY: "ec2:DescribeSecurityGroups ec2:DescribeSecurityGroupRules",
    },
    "AWS::EC2::Subnet": {
        EC2: "ec2:CreateSubnet ec2:DeleteSubnet ec2:ModifySubnetAttribute ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeSubnets ec2:DescribeNetworkAcls",
    },
    "AWS::EC2::SubnetRouteTableAssociation": {
        EC2: "ec2:AssociateRouteTable ec2:DisassociateRouteTable ec2:ReplaceRouteTableAssociation",
        ANY: "ec2:DescribeRouteTables",
    },
    "AWS::EC2::VPC": {
        EC2: "ec2:CreateVpc ec2:DeleteVpc ec2:ModifyVpcAttribute ec2:DescribeVpcAttribute ec2:CreateTags "
        "ec2:DeleteTags",
        ANY: "ec2:DescribeVpcs ec2:DescribeVpcEncryptionControls ec2:DescribeSecurityGroups ec2:DescribeNetworkAcls",
    },
    "AWS::EC2::VPCEndpoint": {
        EC2: "ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint ec2:DeleteVpcEndpoints ec2:CreateTags ec2:DeleteTags",
        ANY: "ec2:DescribeVpcEndpoints ec2:DescribeSubnets ec2:DescribeSecurityGroups ec2:DescribeVpcs",
        # For the private DNS of interface endpoints.
        HOSTED_ZONE: "route53:AssociateVPCWithHostedZone",
    },
    "AWS::EC2::VPCGatewayAttachment": {
        EC2: "ec2:AttachInternetGateway ec2:DetachInternetGateway",
        ANY: "ec2:DescribeInternetGateways ec2:DescribeVpnGateways",
    },
    "AWS::IAM::Policy": {ROLE: "iam:PutRolePolicy iam:DeleteRolePolicy iam:GetRolePolicy"},
    "AWS::IAM::Role": {
        ROLE: "iam:CreateRole iam:DeleteRole iam:UpdateRole iam:UpdateRoleDescription iam:UpdateAssumeRolePolicy "
        "iam:PutRolePolicy iam:DeleteRolePolicy iam:TagRole iam:UntagRole iam:GetRole iam:GetRolePolicy "
        "iam:ListRolePolicies iam:ListAttachedRolePolicies iam:ListRoleTags",
    },
    "AWS::Lambda::Alias": {
        FUNCTION: "lambda:CreateAlias lambda:UpdateAlias lambda:DeleteAlias lambda:GetAlias "
        "lambda:GetProvisionedConcurrencyConfig",
    },
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
        "lambda:GetRuntimeManagementConfig lambda:ListVersionsByFunction",
    },
    "AWS::Logs::LogGroup": {
        LOG_GROUP: "logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy logs:DeleteRetentionPolicy "
        "logs:TagResource logs:UntagResource logs:ListTagsForResource logs:GetDataProtectionPolicy",
        ANY: "logs:DescribeIndexPolicies logs:DescribeLogGroups logs:DescribeResourcePolicies",
    },
    "AWS::SSM::Parameter": {
        PARAMETER: "ssm:PutParameter ssm:DeleteParameter ssm:AddTagsToResource ssm:RemoveTagsFromResource "
        "ssm:GetParameter ssm:GetParameters ssm:ListTagsForResource",
        ANY: "ssm:DescribeParameters",
    },
}

FUNCTION_TYPES = (
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
    "AWS::Logs::LogGroup",
    "AWS::SSM::Parameter",
)
NAT_TYPES = (
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::VPCGatewayAttachment",
)
INTERFACE_ENDPOINT_TYPES = ("AWS::EC2::SecurityGroupIngress",)

Grant = tuple[str, str]
"""An action, and the resource on which it is allowed."""


def platform_types(environment: Environment) -> tuple[str, ...]:
    """Return the resource types that an environment's platform consists of."""
    network = environment.network
    egress = NAT_TYPES if network.nat_gateways else INTERFACE_ENDPOINT_TYPES
    return (*PLATFORM_TYPES, *egress, *(["AWS::EC2::FlowLog"] if network.flow_logs else []))


def granted(types: Iterable[str], names: dict[str, str]) -> Iterator[Grant]:
    """Yield what resource types take, on the resources whose names begin so."""
    for kind in types:
        yield from grants(ACTIONS[kind], names)


def grants(actions: Actions, names: dict[str, str]) -> Iterator[Grant]:
    """Yield actions, each with its resources whose names begin so."""
    for resources, listed in actions.items():
        for resource in resolve(resources, names):
            yield from ((action, resource) for action in listed.split())


def statements(granted: Iterable[Grant], condition: Callable[[str], dict[str, Any]]) -> list[Statement]:
    """Write what is granted as few statements: one for all actions on the same resources under the same condition."""
    resources: dict[str, set[str]] = {}
    for action, resource in granted:
        resources.setdefault(action, set()).add(resource)
    # What is allowed anywhere needs no resources by name beside it.
    alike: dict[str, list[str]] = {}
    for action, on in sorted(resources.items()):
        narrowest = list(ANY) if on.issuperset(ANY) else sorted(on)
        key = json.dumps([narrowest, condition(action)], sort_keys=True)
        alike.setdefault(key, []).append(action)
    return [allow(actions, *json.loads(key)) for key, actions in alike.items()]
