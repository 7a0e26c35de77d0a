"""Which stacks are previews, by the exact form of their names, and which of them are ours, by their tags."""

from datetime import timedelta

import pytest

from infra import naming
from infra.aws import previews
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV, PREVIEW


def name(number: int) -> str:
    return naming.orders_stack("preview", number)


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with the previews 70, 12 and 7, of which 12 has the tags of another."""
    aws = FakeAws()
    for number, tagged in ((70, 70), (12, 9), (7, 7)):
        aws.formation.stack(name(number), naming.tags("preview", tagged))
    return aws


def test_every_stack_that_is_named_like_a_preview_is_found_and_no_other(aws: FakeAws) -> None:
    for other in (f"{name(12)}-test", f"my-{name(12)}", f"{name(1)[:-1]}012", name(1)[:-1], "orders-preview"):
        aws.formation.stack(other, naming.tags("preview", 12))
    found = previews.find(target(aws, PREVIEW))
    assert [(each.pull_request, each.stack.name, each.is_ours) for each in found] == [
        (7, name(7), True),
        (12, name(12), False),
        (70, name(70), True),
    ]


def test_a_preview_that_goes_while_they_are_listed_is_none(aws: FakeAws) -> None:
    aws.on("DescribeStacks", lambda: aws.formation.stacks.pop(name(7)))
    assert [each.pull_request for each in previews.find(target(aws, PREVIEW))] == [12, 70]


def test_the_age_of_a_preview_is_counted_from_its_first_deployment(aws: FakeAws) -> None:
    aws.formation.stacks[name(7)]["LastUpdatedTime"] = aws.clock.now()
    aws.clock.sleep(60)
    assert previews.find(target(aws, PREVIEW))[0].age == timedelta(days=1, minutes=1)


def test_a_platform_has_the_functions_of_those_previews_that_are_ours(aws: FakeAws) -> None:
    def functions(pull_request: int | None) -> list[str]:
        return [each.function_name for each in previews.with_functions(target(aws, PREVIEW, pull_request))]

    assert functions(None) == [name(7), name(70)]
    assert functions(70) == [name(70)]
    assert functions(12) == functions(5) == []
    assert previews.with_functions(target(aws, DEV)) == [target(aws, DEV)]


def test_where_there_is_no_function_it_is_said_of_what(aws: FakeAws) -> None:
    assert previews.none_found(target(aws, PREVIEW)) == "preview has no preview"
    assert previews.none_found(target(aws, PREVIEW, 5)) == f"There is no function {name(5)}"
