"""What carries the tags of an environment, or of a preview, although its stacks are gone."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.aws.stacks import Stack
from infra.aws.target import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

# Tags that CloudFormation gives to every resource (its user guide, resource tags).
STACK_ID, LOGICAL_ID = "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"

_LOG_GROUP = re.compile(r"arn:aws:logs:(?P<region>[^:]+):\d+:log-group:(?P<name>[^:]+)(:\*)?")


@dataclass(frozen=True)
class Leftovers:
    """ARNs of what is left: by mistake, and because the stack's template retains it."""

    unwanted: list[str]
    retained: list[str]


def find(target: Target) -> Leftovers:
    """List what is left of deleted stacks; where one function is meant, of that one's.

    The list of tagged resources goes on with some, such as NAT gateways, when they are long gone, so that what
    CloudFormation says of its own deletions counts.
    """
    left = Leftovers([], [])
    events: dict[str, list[StackEventTypeDef] | None] = {}
    for arn, tags in _tagged(target):
        stack_id = tags.get(STACK_ID, "")
        # The other functions of an environment have the same tags.
        if target.only and f":stack/{target.name}/" not in stack_id:
            continue
        if stack_id not in events:
            events[stack_id] = target.stacks.events(stack_id) if stack_id else []
        known = events[stack_id]
        if known is None:
            # What CloudFormation has forgotten was retained where it is of the one kind that is.
            is_retained = target.environment.protection.removal_policy == "retain" and ":log-group:" in arn
            fates = {"DELETE_SKIPPED"} if is_retained else set[str]()
        else:
            fates = _fates(reversed(known), tags.get(LOGICAL_ID, ""), arn)
        if fates == {"DELETE_SKIPPED"}:
            left.retained.append(arn)
        elif fates != {"DELETE_COMPLETE"}:
            left.unwanted.append(arn)
    return left


def retained_by(target: Target, stacks: Iterable[Stack]) -> list[str]:
    """List what stacks that are deleted left because their templates say so, by their own events.

    Of log groups these are the ARNs, of anything else the type and the physical id.
    """
    there = f"{target.environment.region}:{target.environment.account}"
    retained = {
        (event.get("ResourceType", ""), event.get("PhysicalResourceId", "")): None
        for stack in stacks
        for event in target.stacks.events(stack.id) or []
        if event.get("ResourceStatus") == "DELETE_SKIPPED"
    }
    return [
        f"arn:aws:logs:{there}:log-group:{name}" if kind == "AWS::Logs::LogGroup" else f"{kind} {name}"
        for kind, name in retained
    ]


def told(retained: str) -> str:
    """Say what was retained and, of a log group, what deletes it."""
    if group := _LOG_GROUP.fullmatch(retained):
        return (
            f"Retained, as the template says: log group {group['name']}; delete it with "
            f"`aws logs delete-log-group --log-group-name {group['name']} --region {group['region']}`"
        )
    return f"Retained, as the template says: {retained}"


def _tagged(target: Target) -> Iterator[tuple[str, dict[str, str]]]:
    pages = (
        target.session.client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": key, "Values": [value]} for key, value in target.tags.items()])
    )
    for resource in (resource for page in pages for resource in page["ResourceTagMappingList"]):
        yield resource.get("ResourceARN", ""), {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def _fates(events: "Iterable[StackEventTypeDef]", logical_id: str, arn: str) -> set[str]:
    """Return what became of a resource, by the events of its stack, oldest first.

    An update may have replaced it, and then others had its logical id as well. Where an ARN does not end like a
    physical id, all of them count.
    """
    newest: dict[str, str] = {}
    for event in events:
        physical = event.get("PhysicalResourceId")
        if physical and event.get("LogicalResourceId") == logical_id:
            newest[physical] = event.get("ResourceStatus", "")
    own = {status for physical, status in newest.items() if arn.removesuffix(":*").endswith(physical)}
    return own or set(newest.values())
