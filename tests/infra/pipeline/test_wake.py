"""What wakes, how long it is waited for, and what is refused while it sleeps."""

from types import ModuleType

import pytest

from infra import naming
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.pipeline import invoke, wake
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import PREVIEW, PREVIEW_OF_TWO, environment
from tests.infra.fakes.lambda_ import WAKES_WITHIN

ONE, OTHER = (naming.function(PREVIEW, each, 7) for each in ("billing", "refunds"))
DEACTIVATED = environment("dev", function={"minimum_environments": 0, "maximum_environments": 0})


def let_sleep(aws: FakeAws, *names: str) -> None:
    for name in names:
        made = aws.lambda_.function(name, "1", "2")
        made.versions["2"], made.states["2"] = {"least": 0, "most": 0}, "Deactivated"


def woken(aws: FakeAws, on: Environment = PREVIEW) -> Report:
    return run(wake, target(aws, on, 7))


def test_a_preview_that_sleeps_is_awake_with_the_environments_of_its_file() -> None:
    aws = FakeAws()
    let_sleep(aws, ONE)
    report = woken(aws)
    settings = PREVIEW.function
    assert aws.lambda_.functions[ONE].versions["2"] == {
        "least": settings.minimum_environments,
        "most": settings.maximum_environments,
    }
    assert (report.code, report.facts) == (0, {"functions": {"billing": {"woken": True}}})
    assert report.lines == [f"{ONE} is awake"]
    assert aws.clock.monotonic() >= WAKES_WITHIN


def test_several_functions_wake_side_by_side() -> None:
    aws = FakeAws()
    let_sleep(aws, ONE, OTHER)
    assert woken(aws, PREVIEW_OF_TWO).code == 0
    assert aws.clock.monotonic() < 2 * WAKES_WITHIN


def test_one_that_is_awake_is_left_as_it_is() -> None:
    aws = FakeAws()
    aws.lambda_.function(ONE, "1")
    assert woken(aws).lines == [f"{ONE} was awake"]
    assert aws.count("PutFunctionScalingConfig") == 0


def test_where_nothing_is_deployed_it_says_so() -> None:
    with pytest.raises(CommandError, match="There is no function of acme-pr-7"):
        woken(FakeAws())


def test_the_platform_below_previews_asks_which() -> None:
    with pytest.raises(UsageError, match="add --pull-request N"):
        run(wake, target(FakeAws(), PREVIEW))


def test_one_that_does_not_wake_is_told() -> None:
    aws = FakeAws()
    let_sleep(aws, ONE)
    aws.on("GetFunctionConfiguration", lambda: aws.lambda_.functions[ONE].states.update({"2": "Failed"}))
    with pytest.raises(CommandError, match=f"{ONE}:2 does not wake: Failed"):
        woken(aws)


@pytest.mark.parametrize("command", [invoke])
def test_nothing_is_started_on_a_preview_that_sleeps(command: ModuleType) -> None:
    aws = FakeAws()
    let_sleep(aws, ONE)
    with pytest.raises(
        CommandError, match=r"is asleep.*`wake --environment preview --pull-request 7`.*a minute or two"
    ):
        run(command, target(aws, PREVIEW, 7))
    assert aws.count("Invoke") == 0


def test_one_that_its_file_deactivates_is_not_to_be_woken() -> None:
    aws = FakeAws()
    name = naming.function(DEACTIVATED, "billing")
    let_sleep(aws, name)
    with pytest.raises(CommandError, match=r"environments/dev\.toml says so: maximum_environments = 0"):
        run(invoke, target(aws, DEACTIVATED))
    # It is not waited for either.
    assert run(wake, target(aws, DEACTIVATED)).code == 0
    assert aws.clock.monotonic() == 0
