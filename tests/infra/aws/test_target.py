"""What follows from an environment, a pull request and a function, and which of them go together."""

import pytest

from infra import naming
from infra.aws.target import Target
from infra.errors import UsageError
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW, PREVIEW_OF_TWO, environment

BILLING, REFUNDS = "acme-dev-billing", "acme-dev-refunds"


def test_an_environment_has_a_platform_and_a_stack_for_each_function() -> None:
    found = Target(DEV_OF_TWO)
    assert found.has_functions
    assert found.name == "acme-dev"
    assert found.function_names == ["billing", "refunds"]
    assert found.stack_names == ["acme-platform-dev", BILLING, REFUNDS]
    assert found.tags == {"project": "acme", "environment": "dev"}


def test_a_preview_has_functions_alone_and_a_tag_more() -> None:
    found = Target(PREVIEW_OF_TWO, 7)
    assert found.has_functions
    assert found.name == "acme-pr-7"
    assert found.stack_names == ["acme-pr-7-billing", "acme-pr-7-refunds"]
    assert found.tags == {"project": "acme", "environment": "preview", "pull-request": "7"}


def test_a_platform_of_previews_has_no_function() -> None:
    found = target(FakeAws(), PREVIEW)
    assert not found.has_functions
    assert found.function_names == []
    assert found.stack_names == ["acme-platform-preview"]
    with pytest.raises(UsageError, match="preview has functions for each preview alone: add --pull-request N"):
        _ = found.functions
    with pytest.raises(UsageError, match="add --pull-request N"):
        found.check_has_functions()


def test_where_one_function_is_meant_it_stands_for_all() -> None:
    found = target(FakeAws(), DEV_OF_TWO, only="refunds")
    assert found.name == REFUNDS
    assert found.stack_names == [REFUNDS]
    assert [(each.name, each.folder) for each in found.functions] == [(REFUNDS, "refunds")]


def test_a_function_that_this_checkout_does_not_have_is_one_that_may_be_deployed() -> None:
    aws = FakeAws()
    aws.formation.stack(REFUNDS, naming.tags(DEV))
    found = target(aws, DEV, only="refunds")
    with pytest.raises(UsageError, match="there is no function refunds in functions/; there are billing"):
        _ = found.functions
    assert [each.name for each in found.deployed_functions()] == [REFUNDS]


@pytest.mark.parametrize("name", ["", "re-funds", "Refunds", "a" * 21])
def test_what_can_not_be_the_name_of_a_function_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=rf"functions/{name}: must be named by"):
        Target(DEV, only=name)


def test_the_functions_that_are_deployed_are_known_by_the_names_and_tags_of_their_stacks() -> None:
    aws = FakeAws()
    for name in (REFUNDS, BILLING, "acme-dev-refund-slips"):
        aws.formation.stack(name, naming.tags(DEV) | {"function": "some"})
    aws.formation.stack("acme-dev-guest", {"project": "acme"})
    for other in ("acme-prod-billing", "acme-platform-dev", "acme-access-dev", "acme-pr-7-billing", "my-acme-dev-a"):
        aws.formation.stack(other, naming.tags(DEV))
    found = target(aws, DEV)
    assert [(each.name, each.folder) for each in found.deployed_functions()] == [
        (BILLING, "billing"),
        ("acme-dev-refund-slips", "refund_slips"),
        (REFUNDS, "refunds"),
    ]
    named = [stack.name for stack in found.function_stacks()]
    assert named == [BILLING, "acme-dev-guest", "acme-dev-refund-slips", REFUNDS]


def test_the_functions_of_one_preview_are_not_those_of_another() -> None:
    aws = FakeAws()
    for number in (7, 77):
        aws.formation.stack(f"acme-pr-{number}-billing", naming.tags(PREVIEW, number))
    assert [each.name for each in target(aws, PREVIEW, 7).deployed_functions()] == ["acme-pr-7-billing"]
    assert target(aws, PREVIEW).deployed_functions() == []


def test_a_stack_that_goes_while_they_are_listed_is_none() -> None:
    aws = FakeAws()
    for name in (BILLING, REFUNDS):
        aws.formation.stack(name, naming.tags(DEV))
    aws.on("DescribeStacks", lambda: aws.formation.stacks.pop(BILLING))
    assert [each.name for each in target(aws, DEV).deployed_functions()] == [REFUNDS]


def test_a_function_is_called_on_aws_without_underscores() -> None:
    found = target(FakeAws(), environment(function_names=("refund_slips",)))
    assert [(each.name, each.folder) for each in found.functions] == [("acme-dev-refund-slips", "refund_slips")]


def test_a_pull_request_where_there_are_no_previews_is_refused() -> None:
    with pytest.raises(UsageError, match=r"dev hosts no previews \(preview_days in environments/dev\.toml\)"):
        Target(DEV, 7)


def test_a_preview_is_in_the_session_and_on_the_clock_of_its_platform() -> None:
    host = target(FakeAws(), PREVIEW, only="billing")
    found = host.preview(7)
    assert (found.pull_request, found.only, found.session, found.clock) == (7, "billing", host.session, host.clock)
