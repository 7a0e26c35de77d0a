"""Stacks as CloudFormation tells of them, and their deletion: waited for, and red with reasons where it fails."""

import json
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import budgets
from infra.aws.stacks import POLL_SECONDS, Stack, Stacks
from infra.errors import CommandError
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV

NAME = "some-stack"
TAGS = {"project": "some", "environment": "dev"}


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    aws.formation.stack(NAME, TAGS, outputs={"Version": "7"})
    return aws


@pytest.fixture
def stacks(aws: FakeAws) -> Stacks:
    return target(aws, DEV).stacks


def of_status(status: str) -> Stack:
    aws = FakeAws()
    aws.formation.stack(NAME, {}, status)
    return target(aws, DEV).stacks.get(NAME)


def test_a_stack_is_found_by_its_name_and_its_id(aws: FakeAws, stacks: Stacks) -> None:
    found = stacks.get(NAME)
    assert stacks.get(found.id) == found
    assert (found.name, found.status, found.outputs, found.tags) == (NAME, "UPDATE_COMPLETE", {"Version": "7"}, TAGS)
    assert (found.deployed, found.is_protected) == (found.created, False)
    aws.formation.stacks[NAME] |= {"LastUpdatedTime": aws.clock.now(), "EnableTerminationProtection": True}
    assert (stacks.get(NAME).deployed, stacks.get(NAME).is_protected) == (aws.clock.now(), True)


def test_a_stack_that_is_not_there_is_none_and_an_error_where_it_is_needed(stacks: Stacks) -> None:
    assert stacks.find("other") is None
    with pytest.raises(CommandError, match=f"there is no stack other in {DEV.region}; deploy it first"):
        stacks.get("other")


def test_a_stack_that_may_not_be_read_is_not_taken_for_none(aws: FakeAws, stacks: Stacks) -> None:
    aws.deny("DescribeStacks")
    with pytest.raises(ClientError, match="no DescribeStacks"):
        stacks.find(NAME)


def test_a_stack_carries_tags_when_it_has_all_of_them() -> None:
    aws = FakeAws()
    aws.formation.stack(NAME, TAGS | {"function": "billing"})
    found = target(aws, DEV).stacks.get(NAME)
    assert found.carries(TAGS)
    assert not found.carries(TAGS | {"pull-request": "7"})
    assert not found.carries(TAGS | {"project": "other"})


@pytest.mark.parametrize(
    ("status", "holds"),
    [
        ("CREATE_IN_PROGRESS", {"is_changing"}),
        ("UPDATE_IN_PROGRESS", {"is_changing"}),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", {"is_changing"}),
        ("UPDATE_ROLLBACK_IN_PROGRESS", {"is_changing"}),
        ("REVIEW_IN_PROGRESS", {"is_in_review", "has_nothing"}),
        ("DELETE_IN_PROGRESS", set[str]()),
        ("DELETE_FAILED", set[str]()),
        ("UPDATE_FAILED", set[str]()),
        ("ROLLBACK_COMPLETE", {"is_at_rest", "has_nothing"}),
        ("CREATE_COMPLETE", {"is_at_rest", "drift_can_be_detected"}),
        ("UPDATE_COMPLETE", {"is_at_rest", "drift_can_be_detected"}),
        ("UPDATE_ROLLBACK_COMPLETE", {"is_at_rest", "drift_can_be_detected"}),
        ("UPDATE_ROLLBACK_FAILED", {"drift_can_be_detected"}),
    ],
)
def test_a_status_says_what_may_be_done_with_a_stack(status: str, holds: set[str]) -> None:
    kinds = ("is_changing", "is_in_review", "has_nothing", "is_at_rest", "drift_can_be_detected")
    found = of_status(status)
    assert {kind for kind in kinds if getattr(found, kind)} == holds


def test_every_page_of_names_resources_and_events_is_read(aws: FakeAws, stacks: Stacks) -> None:
    for name in ("a", "b", "c"):
        aws.formation.stack(name, {})
    stacks.delete(stacks.get("b"))
    assert list(stacks.names()) == [NAME, "a", "c"]
    listed = [{"LogicalResourceId": each, "ResourceType": "Some::Type::Here"} for each in ("A", "B", "C")]
    aws.formation.resources[NAME] = listed
    assert [each.get("LogicalResourceId") for each in stacks.resources(NAME)] == ["A", "B", "C"]
    aws.formation.events[NAME] = [{"LogicalResourceId": each} for each in ("A", "B", "C")]
    assert [each.get("LogicalResourceId") for each in stacks.events(NAME) or []] == ["A", "B", "C"]


def test_the_events_of_a_stack_that_is_forgotten_are_none_and_a_refusal_is_not(aws: FakeAws, stacks: Stacks) -> None:
    assert stacks.events(NAME) is None
    aws.deny("DescribeStackEvents")
    with pytest.raises(ClientError, match="no DescribeStackEvents"):
        stacks.events(NAME)


def test_a_template_is_told_as_json(aws: FakeAws, stacks: Stacks) -> None:
    aws.formation.templates[NAME] = {"Resources": {}}
    assert json.loads(stacks.template(NAME)) == {"Resources": {}}


def test_a_deletion_is_waited_for_and_made_with_the_stacks_own_role(aws: FakeAws, stacks: Stacks) -> None:
    aws.formation.deletion_seconds = budgets.DELETION - POLL_SECONDS
    stacks.delete(stacks.get(NAME))
    assert stacks.find(NAME) is None
    ((name, token),) = (each.values() for each in aws.asked("DeleteStack"))
    assert (name, token.startswith("delete-")) == (NAME, True)


def tells(aws: FakeAws, *moments: dict[str, Any]) -> None:
    """Let CloudFormation tell of the stack as it was at these moments, one after another, and then as it is."""
    now = dict(aws.formation.stacks[NAME])
    for number, moment in enumerate([*moments, now], 1):
        aws.on("DescribeStacks", partial(aws.formation.stacks[NAME].update, moment), call=number)


@pytest.mark.parametrize("before", ["UPDATE_COMPLETE", "DELETE_FAILED"])
@pytest.mark.parametrize("fails", [False, True])
def test_what_is_told_of_a_stack_from_before_its_deletion_is_not_taken_for_its_end(
    before: str, aws: FakeAws, stacks: Stacks, *, fails: bool
) -> None:
    found = stacks.get(NAME)
    aws.formation.events[found.id] = [
        {"PhysicalResourceId": found.id, "ResourceStatus": "DELETE_FAILED", "ClientRequestToken": "an earlier one"}
    ]
    if fails:
        aws.formation.undeletable[NAME] = "it is used"
    aws.on("DeleteStack", lambda: aws.clock.after(1, lambda: tells(aws, {"StackStatus": before})))
    aws.formation.deletion_seconds = 6 * POLL_SECONDS
    with pytest.raises(CommandError, match="it is used") if fails else nullcontext():
        stacks.delete(found)
    assert aws.clock.monotonic() >= aws.formation.deletion_seconds


def test_a_deletion_that_failed_before_anybody_looked_is_known_by_its_events(aws: FakeAws, stacks: Stacks) -> None:
    aws.formation.undeletable[NAME] = "it is used"
    aws.formation.deletion_seconds = POLL_SECONDS
    found = stacks.get(NAME)
    aws.on("DescribeStacks", lambda: aws.formation.stacks[NAME].update(StackStatus="UPDATE_COMPLETE"))
    with pytest.raises(CommandError, match="it is used"):
        stacks.delete(found)


def test_a_stack_of_that_name_that_is_made_meanwhile_is_another(aws: FakeAws, stacks: Stacks) -> None:
    found = stacks.get(NAME)
    aws.formation.deletion_seconds = 1
    aws.clock.after(2, lambda: aws.formation.stack(NAME, {}, "CREATE_IN_PROGRESS"))
    stacks.delete(found)
    assert stacks.get(NAME).id != found.id


def test_a_deletion_that_fails_names_every_resource_with_its_newest_reason(aws: FakeAws, stacks: Stacks) -> None:
    found = stacks.get(NAME)
    base = {"ResourceType": "AWS::EC2::Subnet", "ResourceStatus": "DELETE_FAILED"}
    aws.formation.events[found.id] = [
        {**base, "LogicalResourceId": "Only", "PhysicalResourceId": "only", "ResourceStatusReason": "an older reason"},
        {**base, "LogicalResourceId": "Subnet", "PhysicalResourceId": "subnet-1"},
        {**base, "LogicalResourceId": "Gone", "PhysicalResourceId": "gone", "ResourceStatus": "DELETE_COMPLETE"},
        {**base, "LogicalResourceId": "Gone", "PhysicalResourceId": "gone"},
    ]
    aws.formation.undeletable[NAME] = "it is used"
    with pytest.raises(CommandError) as failure:
        stacks.delete(found)
    assert str(failure.value) == (
        f"{NAME} could not be deleted: AWS::SSM::Parameter Only: it is used; AWS::EC2::Subnet Subnet: no reason given"
    )
    del aws.formation.undeletable[NAME]
    stacks.delete(stacks.get(NAME))
    assert stacks.find(NAME) is None


def test_a_deletion_without_a_reason_is_told_by_its_status(aws: FakeAws, stacks: Stacks) -> None:
    found = stacks.get(NAME)

    def fail() -> None:
        of = {"ClientRequestToken": aws.asked("DeleteStack")[0]["ClientRequestToken"]}
        event = {"PhysicalResourceId": found.id, "ResourceStatus": "DELETE_FAILED", **of}
        aws.formation.events[found.id] = [event]
        aws.formation.stacks[NAME]["StackStatus"] = "DELETE_FAILED"

    aws.clock.after(1, fail)
    with pytest.raises(CommandError, match="could not be deleted: DELETE_FAILED"):
        stacks.delete(stacks.get(NAME))


def test_a_deletion_that_takes_too_long_is_told_and_goes_on(aws: FakeAws, stacks: Stacks) -> None:
    aws.formation.deletion_seconds = budgets.DELETION + 2 * POLL_SECONDS
    with pytest.raises(CommandError, match=rf"{NAME} is DELETE_IN_PROGRESS after 17 minutes; .* with its deletion"):
        stacks.delete(stacks.get(NAME))
    # The next waits for the same deletion.
    stacks.delete(stacks.get(NAME))
    assert stacks.find(NAME) is None


def test_stacks_are_deleted_side_by_side_and_each_that_stays_is_told(aws: FakeAws, stacks: Stacks) -> None:
    for name in ("gone", "stays"):
        aws.formation.stack(name, {})
    aws.formation.undeletable = {NAME: "it is used", "stays": "so is this"}
    with pytest.raises(CommandError) as failure:
        stacks.delete(*map(stacks.get, (NAME, "gone", "stays")))
    assert str(failure.value).splitlines() == [
        f"{NAME} could not be deleted: AWS::SSM::Parameter Only: it is used",
        "stays could not be deleted: AWS::SSM::Parameter Only: so is this",
    ]
    assert stacks.find("gone") is None
    assert aws.clock.monotonic() < 2 * aws.formation.deletion_seconds


def test_a_stack_that_is_protected_is_deleted_once_it_is_not(aws: FakeAws, stacks: Stacks) -> None:
    aws.formation.stacks[NAME]["EnableTerminationProtection"] = True
    with pytest.raises(ClientError, match="TerminationProtection is on"):
        stacks.delete(stacks.get(NAME))
    stacks.unprotect(stacks.get(NAME))
    stacks.delete(stacks.get(NAME))
    assert stacks.find(NAME) is None


def test_an_update_is_taken_back_and_seen_to_end(aws: FakeAws, stacks: Stacks) -> None:
    aws.formation.stacks[NAME]["StackStatus"] = "UPDATE_IN_PROGRESS"
    found = stacks.get(NAME)
    stacks.cancel_update(found)
    stacks.see_update_ended(found, aws.clock.monotonic())
    assert stacks.get(NAME).status == "UPDATE_ROLLBACK_COMPLETE"


def test_what_is_told_of_a_stack_from_before_an_update_is_not_taken_for_the_end_of_its_roll_back(
    aws: FakeAws, stacks: Stacks
) -> None:
    stack = aws.formation.stacks[NAME]
    earlier = {"StackStatus": "UPDATE_COMPLETE", "LastUpdatedTime": aws.clock.now() - timedelta(hours=1)}
    stack |= {"StackStatus": "UPDATE_IN_PROGRESS", "LastUpdatedTime": aws.clock.now()}
    found = stacks.get(NAME)
    stacks.cancel_update(found)
    tells(aws, earlier)
    stacks.see_update_ended(found, aws.clock.monotonic())
    assert stacks.get(NAME).status == "UPDATE_ROLLBACK_COMPLETE"


def test_an_update_that_is_taken_back_for_too_long_is_told(aws: FakeAws, stacks: Stacks) -> None:
    aws.formation.stacks[NAME]["StackStatus"] = "UPDATE_IN_PROGRESS"
    aws.formation.going_back_seconds = budgets.GOING_BACK + 2 * POLL_SECONDS
    found = stacks.get(NAME)
    stacks.cancel_update(found)
    with pytest.raises(CommandError, match=r"UPDATE_ROLLBACK_IN_PROGRESS after 4 minutes; .* with its roll-back"):
        stacks.see_update_ended(found, aws.clock.monotonic())
