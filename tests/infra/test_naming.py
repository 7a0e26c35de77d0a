import re

import pytest

from infra import naming
from infra.environment import names


def test_stacks_are_named_after_their_environment() -> None:
    assert naming.platform_stack("dev") == "platform-dev"
    assert naming.orders_stack("dev") == "orders-dev"


def test_a_preview_is_named_after_its_pull_request() -> None:
    assert naming.orders_stack("preview", 123) == "orders-pr-123"


def test_a_capacity_providers_parameter_lies_below_its_platform() -> None:
    assert naming.capacity_provider_parameter("dev") == "/platform-dev/capacity-provider-arn"


def test_tags_tell_environments_and_previews_apart() -> None:
    assert naming.tags("dev") == {"project": "orders", "environment": "dev"}
    assert naming.tags("preview", 123) == {"project": "orders", "environment": "preview", "pull-request": "123"}


@pytest.mark.parametrize("environment", names())
def test_names_are_such_as_stacks_and_functions_may_have(environment: str) -> None:
    for name in [
        naming.platform_stack(environment),
        naming.orders_stack(environment),
        naming.orders_stack(environment, 99999),
    ]:
        assert re.fullmatch("[a-z][a-z0-9-]{0,63}", name)


def test_no_environment_is_named_so_that_its_stack_could_be_a_previews() -> None:
    assert not [environment for environment in names() if re.match(r"pr-\d", environment)]
