import re

import pytest

from infra import naming, project
from infra.environment import load_all
from infra.functions import LONGEST_NAME
from infra.naming import Named
from tests.infra.fakes.environments import DEV, PREVIEW, PROD, PROJECT, environment

LONGEST = environment("e" * 10, ("f" * LONGEST_NAME,), PROJECT.model_copy(update={"name": "p" * 12}), preview_days=14)


def test_names_begin_with_the_project_and_say_what_they_are_of() -> None:
    assert naming.platform_stack(DEV) == "acme-platform-dev"
    assert naming.access_stack(DEV) == "acme-access-dev"
    assert naming.function(DEV, "billing") == "acme-dev-billing"
    assert naming.function(DEV, "send_invoice") == "acme-dev-send-invoice"
    assert naming.execution_policy(DEV) == "acme-access-dev-execution"
    assert naming.boundary(PREVIEW) == "acme-access-preview-boundary"


def test_a_preview_is_named_after_its_pull_request() -> None:
    assert naming.whole(PREVIEW, 123) == "acme-pr-123"
    assert naming.function(PREVIEW, "billing", 123) == "acme-pr-123-billing"


def test_a_capacity_providers_parameter_lies_below_its_platform() -> None:
    assert naming.capacity_provider_parameter(DEV, 1) == "/acme-platform-dev/capacity-provider-arn"
    assert naming.capacity_provider_parameter(DEV, 2) == "/acme-platform-dev/capacity-provider-arn-2"


def test_tags_tell_environments_and_previews_apart() -> None:
    assert naming.tags(DEV) == {"project": "acme", "environment": "dev"}
    assert naming.tags(PREVIEW, 123) == {"project": "acme", "environment": "preview", "pull-request": "123"}


@pytest.mark.parametrize("function", ["billing", "send_invoice", "a1_b2"])
def test_the_name_of_a_function_says_what_it_was_made_of(function: str) -> None:
    assert naming.read_function(DEV, naming.function(DEV, function)) == Named(None, function)
    assert naming.read_function(PREVIEW, naming.function(PREVIEW, function, 7)) == Named(7, function)


FOREIGN = [
    *("acme-dev", "acme-dev-", "acme-dev-a--b", "acme-dev-A", "acme-dev-a\n"),
    *("acme-dev2-a", "acme-prod-a", "acme-pr-7-a", "bcme-dev-a", "xacme-dev-a"),
    *("acme-platform-dev", "acme-access-dev"),
]


@pytest.mark.parametrize("name", FOREIGN)
def test_another_name_is_that_of_no_function(name: str) -> None:
    assert naming.read_function(DEV, name) is None


@pytest.mark.parametrize("name", ["acme-pr-7", "acme-pr-07-a", "acme-pr-0-a", "acme-pr-x-a", "acme-preview-a"])
def test_another_name_is_that_of_no_preview(name: str) -> None:
    assert naming.read_function(PREVIEW, name) is None


def test_a_qualifier_is_the_same_everywhere_and_of_one_environment_alone() -> None:
    # What stands here was made once: another would leave the bootstrap of every fork behind.
    assert naming.qualifier(DEV) == "dev6fb62d6"
    everything = [DEV, PREVIEW, PROD, environment("dev2"), environment("dev", project=LONGEST.project)]
    qualifiers = {naming.qualifier(each) for each in everything}
    assert len(qualifiers) == len(everything)
    assert all(re.fullmatch("[a-z0-9]{10}", each) for each in qualifiers)


def test_the_longest_names_are_such_as_stacks_functions_and_roles_may_have() -> None:
    (function,) = LONGEST.function_names
    for name in [
        naming.platform_stack(LONGEST),
        f"{naming.access_stack(LONGEST)}-teardown",
        naming.function(LONGEST, function),
        naming.function(LONGEST, function, 9_999_999),
    ]:
        assert re.fullmatch("[a-z][a-z0-9-]{0,63}", name)


def test_no_environment_is_named_so_that_its_functions_could_be_something_else() -> None:
    assert not {*load_all()} & {*project.RESERVED}
