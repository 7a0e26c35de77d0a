"""Drift as CloudFormation detects it: of several stacks at once, whole, and with what kept it from looking."""

from typing import Any

import pytest

from infra import budgets
from infra.aws import drift
from infra.aws.drift import POLL_SECONDS, Drift, ResourceDrift
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV

KIND = "AWS::Logs::LogGroup"
RUNNING, COMPLETE, FAILED = "DETECTION_IN_PROGRESS", "DETECTION_COMPLETE", "DETECTION_FAILED"


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    for name in ("first", "second"):
        aws.formation.stack(name, {})
    return aws


def resource(aws: FakeAws, name: str, status: str | None, **more: Any) -> None:
    """Let the first stack have a resource; of one without status no drift is told."""
    base = {"LogicalResourceId": name, "ResourceType": KIND}
    aws.formation.resources.setdefault("first", []).append(base)
    if status:
        aws.formation.drifts.setdefault("first", []).append(base | {"StackResourceDriftStatus": status} | more)


def unfinished(aws: FakeAws) -> dict[str, str | None]:
    return {name: found.unfinished for name, found in drift.detect(target(aws, DEV), ["first", "second"]).items()}


def test_every_resource_of_every_page_is_told_with_its_drift(aws: FakeAws) -> None:
    differences = [
        {"PropertyPath": "/Retention", "ExpectedValue": "7", "ActualValue": "9", "DifferenceType": "NOT_EQUAL"},
        {"PropertyPath": "/Name", "ExpectedValue": "a", "ActualValue": "null", "DifferenceType": "REMOVE"},
    ]
    for name in ("A", "B"):
        resource(aws, name, "IN_SYNC")
    resource(aws, "C", "MODIFIED", PropertyDifferences=differences)
    resource(aws, "D", None)
    changes = ["/Retention should be 7 and is 9", "/Name should be a and is null"]
    assert drift.detect(target(aws, DEV), ["first", "second"]) == {
        "first": Drift(
            [
                ResourceDrift(KIND, "A", "IN_SYNC", []),
                ResourceDrift(KIND, "B", "IN_SYNC", []),
                ResourceDrift(KIND, "C", "MODIFIED", changes),
                ResourceDrift(KIND, "D", None, []),
            ],
            None,
        ),
        "second": Drift([], None),
    }


def test_a_detection_is_waited_for(aws: FakeAws) -> None:
    aws.formation.detections["first"] = [RUNNING, RUNNING, COMPLETE]
    assert unfinished(aws) == {"first": None, "second": None}
    assert aws.clock.monotonic() == 2 * POLL_SECONDS


def test_a_detection_that_fails_hides_nothing_of_what_it_found_nor_the_other_stack(aws: FakeAws) -> None:
    aws.formation.detections["first"] = [FAILED]
    resource(aws, "A", "MODIFIED")
    found = drift.detect(target(aws, DEV), ["first", "second"])
    assert found["first"] == Drift(
        [ResourceDrift(KIND, "A", "MODIFIED", [])], "the detection of drift failed: some reason"
    )
    assert found["second"].unfinished is None


def test_all_stacks_are_detected_at_once_within_one_budget(aws: FakeAws) -> None:
    aws.formation.detections = {"first": [RUNNING], "second": [RUNNING]}
    told = f"the detection of drift did not end within {budgets.DRIFT_DETECTION // 60} minutes"
    assert unfinished(aws) == {"first": told, "second": told}
    assert [operation for operation, _ in aws.calls[:2]] == ["DetectStackDrift"] * 2
    assert budgets.DRIFT_DETECTION <= aws.clock.monotonic() <= budgets.DRIFT_DETECTION + POLL_SECONDS
