"""Drift: where the resources of a stack are not what its template says, as CloudFormation detects it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra import budgets
from infra.aws.target import Target
from infra.console.progress import doing

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackResourceDriftTypeDef

POLL_SECONDS = 3


@dataclass(frozen=True)
class ResourceDrift:
    """A resource: its type, its logical id, its drift status, None where there is no detection, and what differs."""

    kind: str
    logical_id: str
    status: str | None
    changes: list[str]


@dataclass(frozen=True)
class Drift:
    """The drift of one stack, and what kept CloudFormation from looking at all of it."""

    resources: list[ResourceDrift]
    unfinished: str | None


def detect(target: Target, stack_names: list[str]) -> dict[str, Drift]:
    """Detect the drift of several stacks at once, within `budgets.DRIFT_DETECTION` altogether."""
    client = target.session.client("cloudformation")
    deadline = target.clock.monotonic() + budgets.DRIFT_DETECTION
    with doing(f"Detecting drift of {', '.join(stack_names)}"):
        begun = {name: client.detect_stack_drift(StackName=name)["StackDriftDetectionId"] for name in stack_names}
        unfinished = {name: _end(target, client, detection, deadline) for name, detection in begun.items()}
    return {name: Drift(list(_resources(target, client, name)), unfinished[name]) for name in stack_names}


def _end(target: Target, client: "CloudFormationClient", detection: str, deadline: float) -> str | None:
    """Wait for a detection, and return what kept it from looking at everything."""
    while True:
        found = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if found["DetectionStatus"] == "DETECTION_COMPLETE":
            return None
        if found["DetectionStatus"] == "DETECTION_FAILED":
            return f"the detection of drift failed: {found.get('DetectionStatusReason', 'no reason given')}"
        if target.clock.monotonic() > deadline:
            return f"the detection of drift did not end within {budgets.DRIFT_DETECTION // budgets.MINUTE} minutes"
        target.clock.sleep(POLL_SECONDS)


def _resources(target: Target, client: "CloudFormationClient", name: str) -> Iterator[ResourceDrift]:
    drifts = {drift["LogicalResourceId"]: drift for drift in _drifts(client, name)}
    for resource in target.stacks.resources(name):
        drift = drifts.get(resource["LogicalResourceId"])
        yield ResourceDrift(
            resource["ResourceType"],
            resource["LogicalResourceId"],
            drift["StackResourceDriftStatus"] if drift else None,
            _changes(drift) if drift else [],
        )


def _drifts(client: "CloudFormationClient", name: str) -> "Iterator[StackResourceDriftTypeDef]":
    # There is no paginator for it.
    page = client.describe_stack_resource_drifts(StackName=name)
    yield from page["StackResourceDrifts"]
    while "NextToken" in page:
        page = client.describe_stack_resource_drifts(StackName=name, NextToken=page["NextToken"])
        yield from page["StackResourceDrifts"]


def _changes(drift: "StackResourceDriftTypeDef") -> list[str]:
    return [
        f"{each['PropertyPath']} should be {each['ExpectedValue']} and is {each['ActualValue']}"
        for each in drift.get("PropertyDifferences", [])
    ]
