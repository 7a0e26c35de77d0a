"""What carries the tags of an environment, or of a preview, although its stacks are gone."""

from collections.abc import Iterator
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError

from infra import naming
from infra.environment import Environment

# Tags that CloudFormation gives to every resource (its user guide, resource tags).
STACK_ID, LOGICAL_ID = "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"


@dataclass(frozen=True)
class Leftovers:
    """ARNs of what is left: by mistake, and because the stack's template retains it."""

    unwanted: list[str]
    retained: list[str]


def find(session: boto3.Session, environment: Environment, pull_request: int | None) -> Leftovers:
    """List what is left of deleted stacks.

    The list of tagged resources goes on with some, such as NAT gateways, when they are long gone, so that what
    CloudFormation says of its own deletions counts.
    """
    unwanted: list[str] = []
    retained: list[str] = []
    fates: dict[str, dict[str, str]] = {}
    for arn, tags in _tagged(session, naming.tags(environment.name, pull_request)):
        stack_id = tags.get(STACK_ID, "")
        if stack_id and stack_id not in fates:
            fates[stack_id] = dict(_fates(session, stack_id))
        fate = fates.get(stack_id, {}).get(tags.get(LOGICAL_ID, ""))
        if fate != "DELETE_COMPLETE":
            (retained if fate == "DELETE_SKIPPED" else unwanted).append(arn)
    return Leftovers(unwanted, retained)


def _tagged(session: boto3.Session, tags: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    pages = (
        session.client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": key, "Values": [value]} for key, value in tags.items()])
    )
    for resource in (resource for page in pages for resource in page["ResourceTagMappingList"]):
        yield resource.get("ResourceARN", ""), {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def _fates(session: boto3.Session, stack_id: str) -> Iterator[tuple[str, str]]:
    """Yield what became of the resources of a stack, the newest status last."""
    pages = session.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
    try:
        events = [event for page in pages for event in page["StackEvents"]]
    except ClientError as error:
        # CloudFormation forgets a deleted stack after 90 days.
        if "does not exist" not in str(error):
            raise
        return
    for event in reversed(events):
        yield event.get("LogicalResourceId", ""), event.get("ResourceStatus", "")
