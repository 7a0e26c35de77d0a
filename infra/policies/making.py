"""What CloudFormation calls for the resources of templates, by the schemas of their types.

A type gets what its handlers list of its own service's actions, and of another service's where a property of one of its
resources is named after that; reads that IAM can't narrow to a resource, such as those of networks, it always gets,
since a deployment or its way back may fail without. Nobody here has to know the type.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from infra.errors import UsageError
from infra.policies import authorities, network
from infra.policies.authorities import service_of
from infra.policies.grants import Actions, Grant, grants
from infra.policies.places import Places
from infra.policies.resources import (
    ANY,
    ASSETS,
    CAPACITY_PROVIDER,
    FUNCTION,
    HOSTED_ZONE,
    LAMBDA_SERVICE_ROLE,
    names_of_functions,
    resolve,
)

# They take nothing.
_FREE = ("AWS::CDK::Metadata", "AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle")
# Rights that no permissions boundary would hold, and resources that are not in the template.
_REFUSED = ("AWS::IAM::", "AWS::CloudFormation::Stack")
_ROLES = ("AWS::IAM::Policy", "AWS::IAM::Role")
_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")

_READING = ("BatchDescribe", "BatchGet", "Describe", "Get", "List")
# What is called like a read and tells what somebody keeps there, and not how it is kept.
VALUES = ("dynamodb:GetItem", "s3:GetObject", "s3:GetObjectVersion", "secretsmanager:GetSecretValue")

# The exceptions, by resource type. Services of which it takes actions, though no property is named after them.
_ALSO = {"AWS::DynamoDB::GlobalTable": ("application-autoscaling",)}
# What is not taken: what reads and writes data, what serves tables with replicas and buckets without an owner, what is
# taken on the resources below alone, policies of users and groups, and the way out of a permissions boundary.
_EXCEPT = {
    "AWS::DynamoDB::Table": "AssociateTableReplica BatchWriteItem CreateTableReplica DeleteItem GetItem PutItem Query "
    "Scan UpdateItem",
    "AWS::IAM::Policy": "DeleteGroupPolicy DeleteUserPolicy GetGroupPolicy GetUserPolicy PutGroupPolicy PutUserPolicy",
    "AWS::IAM::Role": "DeleteRolePermissionsBoundary",
    "AWS::Lambda::Function": "GetObject GetObjectVersion PassCapacityProvider",
    "AWS::S3::Bucket": "DeleteObject PutObjectAcl",
}
# What changes one property alone: it is not taken where no resource of the type has that. The names of the actions and
# the descriptions of the properties in the types' schemas say so; that CloudFormation keeps to it is not documented.
_ASKED = {
    "AWS::EC2::EIP": {"InstanceId": "AssociateAddress", "TransferAddress": "AcceptAddressTransfer"},
    # Deliveries serve destinations other than log groups (VPC user guide, publishing flow logs).
    "AWS::EC2::FlowLog": {"LogDestination": "CreateLogDelivery DeleteLogDelivery"},
    "AWS::EC2::NatGateway": {
        "SecondaryAllocationIds": "AssociateNatGatewayAddress DisassociateNatGatewayAddress",
        "SecondaryPrivateIpAddresses": "AssignPrivateNatGatewayAddress UnassignPrivateNatGatewayAddress",
    },
    "AWS::EC2::Subnet": {"Ipv6CidrBlock": "AssociateSubnetCidrBlock DisassociateSubnetCidrBlock"},
    "AWS::EC2::VPC": {"VpcEncryptionControl": "CreateVpcEncryptionControl"},
    "AWS::EC2::VPCEndpoint": {"ServiceRegion": "AllowMultiRegion"},
    "AWS::EC2::VPCGatewayAttachment": {"VpnGatewayId": "AttachVpnGateway DetachVpnGateway"},
    "AWS::IAM::Role": {
        "ManagedPolicyArns": "AttachRolePolicy DetachRolePolicy",
        "PermissionsBoundary": "PutRolePermissionsBoundary",
    },
    "AWS::Lambda::Alias": {
        "ProvisionedConcurrencyConfig": "DeleteProvisionedConcurrencyConfig PutProvisionedConcurrencyConfig"
    },
    "AWS::Lambda::Function": {
        "CodeSigningConfigArn": "DeleteFunctionCodeSigningConfig PutFunctionCodeSigningConfig",
        "FunctionScalingConfig": "PutFunctionScalingConfig",
        "RecursiveLoop": "PutFunctionRecursionConfig",
        "ReservedConcurrentExecutions": "DeleteFunctionConcurrency PutFunctionConcurrency",
        "RuntimeManagementConfig": "PutRuntimeManagementConfig",
    },
    "AWS::Lambda::Version": {
        "FunctionScalingConfig": "PutFunctionScalingConfig",
        "ProvisionedConcurrencyConfig": "PutProvisionedConcurrencyConfig",
        "RuntimePolicy": "PutRuntimeManagementConfig",
    },
    "AWS::Logs::LogGroup": {
        "BearerTokenAuthenticationEnabled": "PutBearerTokenAuthentication",
        "DataProtectionPolicy": "CreateLogDelivery PutDataProtectionPolicy",
        "DeletionProtectionEnabled": "PutLogGroupDeletionProtection",
        "FieldIndexPolicies": "DeleteIndexPolicy PutIndexPolicy",
        "KmsKeyId": "AssociateKmsKey DisassociateKmsKey",
        "ResourcePolicyDocument": "DeleteResourcePolicy PutResourcePolicy",
    },
}
# What is done to resources that are none of the stack's.
_FURTHER: dict[str, Actions] = {
    "AWS::DynamoDB::GlobalTable": {
        (
            "arn:aws:iam::{account}:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/*",
            "arn:aws:iam::{account}:role/aws-service-role/replication.dynamodb.amazonaws.com/*",
        ): "iam:CreateServiceLinkedRole"
    },
    # For the private DNS of interface endpoints (VPC user guide).
    "AWS::EC2::VPCEndpoint": {HOSTED_ZONE: "route53:AssociateVPCWithHostedZone"},
    "AWS::Events::Connection": {
        # There EventBridge keeps what the connection signs in with.
        ("arn:aws:secretsmanager:{region}:{account}:secret:events!connection/*",): "secretsmanager:CreateSecret "
        "secretsmanager:GetSecretValue secretsmanager:PutSecretValue secretsmanager:UpdateSecret"
    },
    "AWS::Lambda::CapacityProvider": {
        LAMBDA_SERVICE_ROLE: "iam:CreateServiceLinkedRole",
        # As the handlers of a function in a network have it; those of a capacity provider leave it out.
        ANY: "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs",
    },
    "AWS::Lambda::Function": {
        ASSETS: "s3:GetObject s3:GetObjectVersion",
        CAPACITY_PROVIDER: "lambda:PassCapacityProvider",
    },
}

# The ids of event source mappings are random: it is told by the function which are a stack's own.
_OF_FUNCTIONS = (
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
)


def types(places: Places) -> list[str]:
    """Return the types of what is in stacks, but those that take nothing."""
    used = {resource["Type"] for resources in places.made.values() for resource in resources.values()}
    return sorted(used - {*_FREE})


def making(places: Places, kind: str) -> Iterator[Grant]:
    """Yield what making, changing, reading and removing resources of a type takes.

    Args:
        places: the stacks that have some.
        kind: the type.

    Raises:
        UsageError: CloudFormation may not make it for workflows, or it is not known what that takes.
    """
    if kind.startswith(_CUSTOM):
        yield from grants({FUNCTION: "lambda:InvokeFunction"}, places.names)
        return
    yield from grants(_FURTHER.get(kind, {}), places.names)
    yield from _taken(places, kind, ("create", "read", "update", "delete", "tag"))


def reading(places: Places, kind: str) -> Iterator[Grant]:
    """Yield what reading resources of a type takes, but no value that is kept there, with the same errors."""
    if not kind.startswith(_CUSTOM):
        yield from (grant for grant in _taken(places, kind, ("read",)) if _is_read(grant.action))


def given(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of all properties of a resource, those within others as well."""
    pending: list[Any] = [resource.get("Properties", {})]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found = cast("dict[str, Any]", value)
            yield from found.items()
            pending += found.values()
        elif isinstance(value, list):
            pending += cast("list[Any]", value)


def _taken(places: Places, kind: str, handlers: tuple[str, ...]) -> Iterator[Grant]:
    listed = authorities.handlers(kind, places.environment.region)
    resources = [*_of_type(places, kind)]
    for file, name, _ in resources:
        where = f"{file}: {name} is an {kind}"
        if kind.startswith(_REFUSED) and kind not in _ROLES:
            raise UsageError(f"{where}, which no workflow may make; of IAM there can be roles with their policies")
        if not listed:
            raise UsageError(f"{where}, of which AWS's schemas do not say what it takes to make one")
    properties = [each for _, _, resource in resources for each in given(resource)]
    for action in sorted({action for handler in handlers for action in listed.get(handler, [])}):
        if _is_taken(action, kind, _own_service(listed), properties):
            yield from _on(places, action, kind, properties)


def _is_taken(action: str, kind: str, own: str, properties: list[tuple[str, Any]]) -> bool:
    service, _, name = action.partition(":")
    if not authorities.is_known(action) or name in _EXCEPT.get(kind, "").split():
        return False
    keys = {key for key, _ in properties}
    if any(name in changing.split() for key, changing in _ASKED.get(kind, {}).items() if key not in keys):
        return False
    # What roles are passed to, and which services make theirs, no schema says.
    if service == "iam" and kind not in _ROLES:
        return False
    word = authorities.plain(service)
    named = any(word in key.lower() for key in keys)
    is_wide = _is_read(action) and not authorities.kinds_of(action)
    return named or is_wide or service in (own, *_ALSO.get(kind, ()))


def _is_read(action: str) -> bool:
    return action.partition(":")[2].startswith(_READING) and action not in VALUES


def _own_service(listed: dict[str, list[str]]) -> str:
    """Return the service of a type: that of the first action that removes it, which others have part in last."""
    actions = [*listed.get("delete", []), *listed.get("create", [])]
    return next((service for action in actions if (service := service_of(action)) != "iam"), "iam")


def _on(places: Places, action: str, kind: str, properties: list[tuple[str, Any]]) -> Iterator[Grant]:
    """Yield an action on each resource on which it is taken for a type."""
    if service_of(action) == network.SERVICE and not _is_read(action):
        yield from network.changing(places.environment, action, kind, properties)
        return
    # What tags one resource tags many: nothing but the type's own.
    found = places.of(action, kind if "tag" in action.lower() else "")
    for resource in _with_foreign(action, found, properties):
        grant = Grant(action, resource)
        if action in _OF_FUNCTIONS:
            functions = resolve(FUNCTION, names_of_functions(places.environment))
            grant = grant.under({"ArnEquals": {"lambda:FunctionArn": functions}})
        yield grant


def _with_foreign(action: str, resources: list[str], properties: list[tuple[str, Any]]) -> list[str]:
    """Add resources of the same service that the template names by their ARNs, such as a topic of somebody else's.

    Never of IAM: a template does not decide by itself whose roles it changes.
    """
    if service_of(action) == "iam":
        return resources
    foreign = {
        value
        for _, value in properties
        if isinstance(value, str) and value.startswith(f"arn:aws:{service_of(action)}:")
    }
    return resources if "*" in resources else sorted({*resources, *foreign})


def _of_type(places: Places, kind: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for file, resources in places.made.items():
        for name, resource in resources.items():
            if resource["Type"] == kind:
                yield file, name, resource
