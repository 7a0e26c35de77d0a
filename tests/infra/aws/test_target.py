"""What follows from an environment and a pull request, and which of them go together."""

import pytest

from infra import naming
from infra.aws.target import Target
from infra.errors import UsageError
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV, PREVIEW


def test_an_environment_has_a_platform_and_a_function() -> None:
    found = Target(DEV)
    assert found.has_function
    assert found.function_name == naming.orders_stack("dev")
    assert found.stack_names == [naming.platform_stack("dev"), naming.orders_stack("dev")]
    assert found.tags == naming.tags("dev")


def test_a_preview_has_a_function_alone_and_a_tag_more() -> None:
    found = Target(PREVIEW, 7)
    assert found.has_function
    assert found.stack_names == [found.function_name] == [naming.orders_stack("preview", 7)]
    assert found.tags == naming.tags("preview", 7) != naming.tags("preview")


def test_a_platform_of_previews_has_no_function() -> None:
    found = Target(PREVIEW)
    assert not found.has_function
    assert found.stack_names == [naming.platform_stack("preview")]
    with pytest.raises(UsageError, match="preview has a function for each preview alone: say which"):
        _ = found.function_name
    with pytest.raises(UsageError, match="say which"):
        _ = found.function


def test_a_pull_request_where_there_are_no_previews_is_refused() -> None:
    with pytest.raises(UsageError, match=r"dev hosts no previews \(preview_days in environments/dev\.toml\)"):
        Target(DEV, 7)


def test_a_preview_is_in_the_session_and_on_the_clock_of_its_platform() -> None:
    host = target(FakeAws(), PREVIEW)
    found = host.preview(7)
    assert (found.pull_request, found.session, found.clock) == (7, host.session, host.clock)
