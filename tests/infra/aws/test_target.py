"""What follows from an environment, a pull request and a function, and which of them go together."""

import pytest

from infra.aws.target import Target
from infra.errors import UsageError
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW, PREVIEW_OF_TWO


def test_an_environment_has_a_platform_and_a_stack_for_each_function() -> None:
    found = Target(DEV_OF_TWO)
    assert found.has_functions
    assert found.name == "acme-dev"
    assert found.function_names == ["billing", "refunds"]
    assert found.stack_names == ["acme-platform-dev", "acme-dev-billing", "acme-dev-refunds"]
    assert found.tags == {"project": "acme", "environment": "dev"}


def test_a_preview_has_functions_alone_and_a_tag_more() -> None:
    found = Target(PREVIEW_OF_TWO, 7)
    assert found.has_functions
    assert found.name == "acme-pr-7"
    assert found.stack_names == ["acme-pr-7-billing", "acme-pr-7-refunds"]
    assert found.tags == {"project": "acme", "environment": "preview", "pull-request": "7"}


def test_a_platform_of_previews_has_no_function() -> None:
    found = Target(PREVIEW)
    assert not found.has_functions
    assert found.function_names == []
    assert found.stack_names == ["acme-platform-preview"]
    with pytest.raises(UsageError, match="preview has functions for each preview alone: add --pull-request N"):
        _ = found.functions


def test_one_function_alone_has_its_stack_alone() -> None:
    found = Target(DEV_OF_TWO, only="refunds")
    assert found.name == "acme-dev-refunds"
    assert found.stack_names == ["acme-dev-refunds"]


def test_a_function_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"there is no function gone in functions/; there are billing, refunds"):
        _ = Target(DEV_OF_TWO, only="gone").function_names


def test_functions_are_called_as_on_aws_and_know_their_folders() -> None:
    found = target(FakeAws(), DEV_OF_TWO).functions
    assert [(each.name, each.folder) for each in found] == [
        ("acme-dev-billing", "billing"),
        ("acme-dev-refunds", "refunds"),
    ]


def test_a_pull_request_where_there_are_no_previews_is_refused() -> None:
    with pytest.raises(UsageError, match=r"dev hosts no previews \(preview_days in environments/dev\.toml\)"):
        Target(DEV, 7)


def test_a_preview_is_in_the_session_and_on_the_clock_of_its_platform() -> None:
    host = target(FakeAws(), PREVIEW)
    found = host.preview(7)
    assert (found.pull_request, found.session, found.clock) == (7, host.session, host.clock)
