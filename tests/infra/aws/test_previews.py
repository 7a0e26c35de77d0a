"""Which stacks are previews, by the exact form of their names, and which of them are ours, by their tags."""

from datetime import timedelta

import pytest

from infra import naming
from infra.aws import previews
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV, PREVIEW


def name(number: int, function: str = "billing") -> str:
    return naming.function(PREVIEW, function, number)


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with the previews 70, 12 and 7, of which 12 has the tags of another."""
    aws = FakeAws()
    for number, tagged in ((70, 70), (12, 9), (7, 7)):
        aws.formation.stack(name(number), naming.tags(PREVIEW, tagged))
    return aws


def test_every_stack_that_is_named_like_a_preview_is_found_and_no_other(aws: FakeAws) -> None:
    others = ("acme-pr-012-billing", "acme-pr--billing", "acme-pr-12", "acme-pr-12-", "acme-platform-preview")
    for other in (*others, f"my-{name(12)}", f"{name(12)}_", "acme-preview-billing", "acme-dev-billing"):
        aws.formation.stack(other, naming.tags(PREVIEW, 12))
    found = previews.find(target(aws, PREVIEW))
    assert [(each.pull_request, [stack.name for stack in each.stacks], each.is_ours) for each in found] == [
        (7, [name(7)], True),
        (12, [name(12)], False),
        (70, [name(70)], True),
    ]


def test_a_preview_is_the_stacks_of_all_its_functions_whatever_the_checkout_has(aws: FakeAws) -> None:
    made = aws.formation.stack(name(7, "refund_slips"), naming.tags(PREVIEW, 7))
    made["CreationTime"] = aws.clock.now() - timedelta(days=3)
    found = previews.find(target(aws, PREVIEW))[0]
    assert [stack.name for stack in found.stacks] == [name(7), "acme-pr-7-refund-slips"]
    assert (found.is_ours, found.age) == (True, timedelta(days=3))
    assert [each.folder for each in found.target.deployed_functions()] == ["billing", "refund_slips"]
    made["Tags"] = []
    assert not previews.find(target(aws, PREVIEW))[0].is_ours


def test_a_preview_that_goes_while_they_are_listed_is_none(aws: FakeAws) -> None:
    aws.on("DescribeStacks", lambda: aws.formation.stacks.pop(name(7)))
    assert [each.pull_request for each in previews.find(target(aws, PREVIEW))] == [12, 70]


def test_the_age_of_a_preview_is_counted_from_its_first_deployment(aws: FakeAws) -> None:
    aws.formation.stacks[name(7)]["LastUpdatedTime"] = aws.clock.now()
    aws.clock.sleep(60)
    assert previews.find(target(aws, PREVIEW))[0].age == timedelta(days=1, minutes=1)


def test_a_platform_has_the_functions_of_those_previews_that_are_ours(aws: FakeAws) -> None:
    def functions(pull_request: int | None, only: str | None = None) -> list[str]:
        on = target(aws, PREVIEW, pull_request, only)
        return [function.name for each in previews.with_functions(on) for function in each.deployed_functions()]

    assert functions(None) == functions(None, "billing") == [name(7), name(70)]
    assert functions(70) == [name(70)]
    assert functions(12) == functions(5) == functions(None, "refunds") == []
    assert previews.with_functions(target(aws, DEV)) == [target(aws, DEV)]


def test_where_there_is_no_function_it_is_said_of_what(aws: FakeAws) -> None:
    assert previews.none_found(target(aws, PREVIEW)) == "preview has no preview"
    assert previews.none_found(target(aws, PREVIEW, 5)) == "There is no function of acme-pr-5"
    assert previews.none_found(target(aws, PREVIEW, 5, "billing")) == f"There is no function {name(5)}"
