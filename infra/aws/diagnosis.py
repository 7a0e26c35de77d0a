"""Why a deployment failed: what CloudFormation says of the first resource that did, and what there is to do."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from infra.aws.target import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

# When stacks were deployed last, by name; None where there was none.
Moments = Mapping[str, tuple[str, datetime] | None]

# What there is to do, by what the reason says: the more exact comes first. Lambda's own words are those of its API,
# StateReasonCode; CloudFormation's are those of its resource handlers.
_ADVICE = {
    "CapacityProviderScalingLimitExceeded": (
        "The capacity provider has no room for one more version: raise capacity_provider.maximum_vcpus in {file}, or "
        "let `prune --environment {environment}` delete versions"
    ),
    "VcpuLimitExceeded": (
        "The account may run no more vCPUs in {region}: ask Service Quotas for more of EC2's `Running On-Demand "
        "Standard instances`, or lower what {file} asks for"
    ),
    "NotStabilized": (
        "A version was not ready in time: its instances found no room (capacity_provider.maximum_vcpus in {file}, the "
        "account's quota of EC2 vCPUs), or its code does not start, which its log group tells"
    ),
}


def moments(target: Target, names: Iterable[str]) -> Moments:
    """Return when stacks were deployed last, to tell later which of them a deployment has come to."""
    found = {name: target.stacks.find(name) for name in names}
    return {name: (stack.id, stack.deployed) if stack else None for name, stack in found.items()}


def causes(target: Target, before: Moments) -> list[str]:
    """Say why stacks failed in a deployment, and what there is to do.

    Args:
        target: where.
        before: what `moments` told before it.
    """
    now = moments(target, before)
    changed = {name: now[name] for name in before if now[name] != before[name]}
    return [line for name, moment in changed.items() if moment for line in _causes(target, name, moment[0])]


def _causes(target: Target, name: str, stack_id: str) -> Iterator[str]:
    events = target.stacks.events(stack_id) or []
    token = events[0].get("ClientRequestToken") if events else None
    # Oldest first, and of this deployment alone.
    own = [event for event in reversed(events) if event.get("ClientRequestToken") == token]
    if event := _first(own, stack_id):
        reason = event.get("ResourceStatusReason", "no reason given")
        yield f"{name}: {event.get('ResourceType')} {event.get('LogicalResourceId')}: {reason}"
        if advice := next((text for word, text in _ADVICE.items() if word in reason), None):
            environment = target.environment
            file = f"environments/{environment.name}.toml"
            yield advice.format(file=file, environment=environment.name, region=environment.region)


def _first(events: "list[StackEventTypeDef]", stack_id: str) -> "StackEventTypeDef | None":
    """Return the event of what failed first by itself: then CloudFormation cancels the rest, and takes all back.

    It is the stack's own where no resource did, as where an output can't be had.
    """
    failed = [
        event for event in events if event.get("ResourceStatus", "").endswith("_FAILED") and not _cancelled(event)
    ]
    back = [event for event in events if "ROLLBACK_IN_PROGRESS" in event.get("ResourceStatus", "")]
    resources = [event for event in failed if event.get("PhysicalResourceId") != stack_id]
    return next(iter([*resources, *failed, *back]), None)


def _cancelled(event: "StackEventTypeDef") -> bool:
    return event.get("ResourceStatusReason", "").endswith(" cancelled")
