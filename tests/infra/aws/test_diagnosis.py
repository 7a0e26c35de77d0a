"""Why a deployment failed, by what CloudFormation tells of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.aws import diagnosis
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV, REGION

NAME, OTHER = "acme-dev-billing", "acme-dev-refunds"


def event(status: str, reason: str = "", resource: str = "Version", of: str = "exec-2") -> dict[str, Any]:
    told = {"ResourceStatusReason": reason} if reason else {}
    kind = {"LogicalResourceId": resource, "ResourceType": f"AWS::Some::{resource}", "PhysicalResourceId": resource}
    return {"ResourceStatus": status, "ClientRequestToken": of, **kind, **told}


def of_stack(status: str, reason: str = "") -> dict[str, Any]:
    return event(status, reason, "Stack") | {"PhysicalResourceId": "the stack's"}


BEGUN = of_stack("UPDATE_IN_PROGRESS", "User Initiated")
CANCELLED = [event("UPDATE_FAILED", "Resource update cancelled", each) for each in ("Queue", "Table")]
BACK = of_stack("UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Version]")


def told(events: list[dict[str, Any]], aws: FakeAws | None = None, kept: Mapping[str, str] | None = None) -> list[str]:
    """Return the causes where these events, oldest first, are those of a deployment that has come to a stack."""
    aws = aws or FakeAws()
    for name in (NAME, OTHER):
        aws.formation.stack(name, kept or {}, LastUpdatedTime=aws.clock.now())
    on = target(aws, DEV)
    before = diagnosis.moments(on, [NAME, OTHER, "acme-dev-new"])
    aws.clock.sleep(1)
    stack = aws.formation.stacks[NAME]
    stack["LastUpdatedTime"] = aws.clock.now()
    own = [
        each | ({"PhysicalResourceId": stack["StackId"]} if each["LogicalResourceId"] == "Stack" else {})
        for each in events
    ]
    aws.formation.events[stack["StackId"]] = own[::-1]
    return diagnosis.causes(on, before)


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        pytest.param(
            [BEGUN, event("UPDATE_FAILED", "no room"), *CANCELLED, BACK],
            "AWS::Some::Version Version: no room",
            id="one",
        ),
        pytest.param(
            [BEGUN, *CANCELLED, event("UPDATE_FAILED", "no room"), BACK],
            "AWS::Some::Version Version: no room",
            id="after what was cancelled",
        ),
        pytest.param(
            [BEGUN, event("CREATE_FAILED", "no room"), event("CREATE_FAILED", "later", "Queue"), BACK],
            "AWS::Some::Version Version: no room",
            id="the first of two",
        ),
        pytest.param(
            [BEGUN, event("CREATE_FAILED", "no room"), BACK, event("DELETE_FAILED", "it is used", "Table")],
            "AWS::Some::Version Version: no room",
            id="not what fails on the way back",
        ),
        pytest.param(
            [event("CREATE_FAILED", "long ago", of="exec-1"), BEGUN, event("UPDATE_FAILED", "no room"), BACK],
            "AWS::Some::Version Version: no room",
            id="not what failed before",
        ),
        pytest.param(
            [BEGUN, of_stack("UPDATE_FAILED", "no such output"), BACK],
            "AWS::Some::Stack Stack: no such output",
            id="no resource",
        ),
        pytest.param(
            [BEGUN, *CANCELLED, of_stack("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")],
            "AWS::Some::Stack Stack: User Initiated",
            id="taken back",
        ),
        pytest.param(
            [BEGUN, event("UPDATE_FAILED"), BACK], "AWS::Some::Version Version: no reason given", id="why not"
        ),
    ],
)
def test_the_first_resource_that_failed_by_itself_is_why(events: list[dict[str, Any]], cause: str) -> None:
    assert told(events) == [f"{NAME}: {cause}"]


def test_what_did_not_fail_and_what_no_deployment_has_come_to_is_not_told() -> None:
    aws = FakeAws()
    other = aws.formation.stack(OTHER, {})
    aws.formation.events[other["StackId"]] = [event("UPDATE_FAILED", "long ago")]
    assert told([BEGUN, event("UPDATE_COMPLETE"), of_stack("UPDATE_COMPLETE")], aws) == []
    assert told([], aws) == []


def test_a_first_deployment_is_one_as_well() -> None:
    aws = FakeAws()
    on = target(aws, DEV)
    before = diagnosis.moments(on, [NAME])
    stack = aws.formation.stack(NAME, {}, "ROLLBACK_COMPLETE")
    aws.formation.events[stack["StackId"]] = [event("CREATE_FAILED", "no room")]
    assert diagnosis.causes(on, before) == [f"{NAME}: AWS::Some::Version Version: no room"]


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (
            "NotStabilized: CapacityProviderScalingLimitExceeded",
            "raise capacity_provider.maximum_vcpus in environments/dev.toml",
        ),
        ("VcpuLimitExceeded", f"no more vCPUs in {REGION}: ask Service Quotas"),
        ("(HandlerErrorCode: NotStabilized)", "which its log group tells"),
    ],
)
def test_what_there_is_to_do_is_told_where_it_is_known(reason: str, advice: str) -> None:
    why, what = told([BEGUN, event("CREATE_FAILED", reason), BACK])
    assert why.endswith(reason)
    assert advice in what
