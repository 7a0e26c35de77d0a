"""What the resources of an infrastructure.py get of their environment, so that a team need not think of it."""

import json
from collections.abc import Iterator
from typing import Any, cast

import aws_cdk as cdk

from infra.environment import Environment
from infra.needs import Resources
from infra.policies.authorities import DATA
from infra.stacks.suppress import suppress

# Resource types that hold data, by cfn-lint's own list.
_STATEFUL = json.loads((DATA / "AdditionalSpecs" / "StatefulResources.json").read_text())
STATEFUL = frozenset(cast("dict[str, Any]", _STATEFUL)["ResourceTypes"])

_ENCRYPTED = "It is encrypted with a key of AWS's; one of one's own costs, and is the infrastructure.py's to name"
# Rules of checkov that the templates of a project need not keep.
_SUPPRESSED = {
    "AWS::DynamoDB::Table": {"CKV_AWS_119": _ENCRYPTED},
    "AWS::Logs::LogGroup": {"CKV_AWS_158": _ENCRYPTED},
    "AWS::S3::Bucket": {"CKV_AWS_18": "CloudTrail can log its data events; a bucket of logs is a team's to choose"},
    "AWS::SQS::Queue": {"CKV_AWS_27": _ENCRYPTED},
    "AWS::SecretsManager::Secret": {"CKV_AWS_149": _ENCRYPTED},
    "AWS::SNS::Topic": {"CKV_AWS_26": "It keeps no message, and services can't publish to one with AWS's own key"},
}
_PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def follow(stack: cdk.Stack, environment: Environment, log_retention_days: int, given: Resources) -> None:
    """Let all resources of a stack follow the environment: removal, retention of logs, encryption and recovery.

    What holds data is removed or retained as the environment says, whatever the construct's own default is.

    Args:
        stack: the function's.
        environment: where it goes.
        log_retention_days: of log groups that say nothing.
        given: the resources as the infrastructure.py left them; a property that is there stays.
    """
    retain = environment.protection.removal_policy == "retain"
    for construct in stack.node.find_all():
        if not cdk.CfnResource.is_cfn_resource(construct):
            continue
        resource = cast("cdk.CfnResource", construct)
        kind = resource.cfn_resource_type
        name = cast("str", stack.resolve(resource.logical_id))
        if kind in STATEFUL:
            resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN if retain else cdk.RemovalPolicy.DESTROY)
        if name in given:
            _complete(resource, dict(_defaults(kind, log_retention_days, retain=retain)), given[name])


def _complete(resource: cdk.CfnResource, defaults: dict[str, Any], given: Any) -> None:
    present = given.get("Properties", {})
    for key, value in defaults.items():
        if key not in present:
            resource.add_property_override(key, value)
    suppressed = _SUPPRESSED.get(resource.cfn_resource_type, {}) | (
        {"CKV_AWS_28": "Nothing is kept in this environment, so nothing needs to come back"}
        if resource.cfn_resource_type == "AWS::DynamoDB::Table" and not _recovers(defaults | present)
        else {}
    )
    if suppressed and "checkov" not in given.get("Metadata", {}):
        suppress(resource, suppressed)


def _defaults(kind: str, log_retention_days: int, *, retain: bool) -> Iterator[tuple[str, Any]]:
    match kind:
        case "AWS::DynamoDB::Table":
            yield "PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": retain}
        case "AWS::Logs::LogGroup":
            yield "RetentionInDays", log_retention_days
        case "AWS::S3::Bucket":
            yield "PublicAccessBlockConfiguration", dict.fromkeys(_PUBLIC_ACCESS, True)
            yield "VersioningConfiguration", {"Status": "Enabled"}
        case "AWS::SQS::Queue":
            yield "SqsManagedSseEnabled", True
        case _:
            pass


def _recovers(properties: dict[str, Any]) -> bool:
    return bool(properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"))
