"""Which previews are put to sleep: those on which nothing happens, looked at again once it is done."""

from datetime import timedelta
from typing import Any

import pytest

from infra import naming
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import UsageError
from infra.pipeline import sleep
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV, PREVIEW, PREVIEW_OF_TWO

HOURS = PREVIEW.preview_idle_hours
ASLEEP, AWAKE = {"least": 0, "most": 0}, {"least": 3, "most": 4}


def name(number: int = 7, function: str = "billing") -> str:
    return naming.function(PREVIEW, function, number)


def deploy(aws: FakeAws, *numbers: int, function: str = "billing") -> None:
    """Let there be previews, of two versions, that were deployed a day ago."""
    for number in numbers:
        made = name(number, function)
        aws.formation.stack(made, naming.tags(PREVIEW, number))
        aws.lambda_.function(made, "1", "2")


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with one preview."""
    aws = FakeAws()
    deploy(aws, 7)
    return aws


def slept(aws: FakeAws, *options: str, on: Environment = PREVIEW, pull_request: int | None = None) -> Report:
    return run(sleep, target(aws, on, pull_request), *options)


def scaling(aws: FakeAws, made: str | None = None) -> list[dict[str, int]]:
    return list(aws.lambda_.functions[made or name()].versions.values())


def ended(aws: FakeAws, ago: timedelta, status: str = "SUCCEEDED") -> None:
    aws.lambda_.execution(name(), "run-1", status, "2").started = aws.clock.now() - ago


def test_one_on_which_nothing_happens_sleeps_with_all_its_versions(aws: FakeAws) -> None:
    report = slept(aws)
    assert scaling(aws) == [ASLEEP, ASLEEP]
    assert (report.code, report.lines) == (0, ["acme-pr-7 was put to sleep: nothing happened on it for 1 day"])
    assert aws.lambda_.functions[name()].aliases["live"] == {"FunctionVersion": "2"}


@pytest.mark.parametrize(
    ("ago", "status", "said"),
    [
        (timedelta(hours=HOURS, minutes=-1), "SUCCEEDED", "nothing happened on it for 1 h"),
        (timedelta(days=3), "RUNNING", "executions run on it"),
        (timedelta(days=3), "PAUSED", "executions run on it"),
    ],
)
def test_one_that_is_used_is_left_awake(ago: timedelta, status: str, said: str, aws: FakeAws) -> None:
    ended(aws, ago, status)
    assert slept(aws).lines == [f"acme-pr-7 is left as it is: {said}"]
    assert scaling(aws) == [AWAKE, AWAKE]


def test_its_hours_count_from_the_last_start(aws: FakeAws) -> None:
    ended(aws, timedelta(hours=HOURS))
    ended(aws, timedelta(days=2))
    slept(aws)
    assert scaling(aws) == [ASLEEP, ASLEEP]


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ({"LastUpdatedTime": FakeAws().clock.now() - timedelta(minutes=9)}, "nothing happened on it for 9 min"),
        ({"StackStatus": "UPDATE_IN_PROGRESS"}, f"{name()} is UPDATE_IN_PROGRESS"),
    ],
)
def test_one_that_is_being_deployed_or_was_just_now_is_left_awake(
    stack: dict[str, Any], said: str, aws: FakeAws
) -> None:
    aws.formation.stacks[name()].update(stack)
    assert slept(aws).lines == [f"acme-pr-7 is left as it is: {said}"]
    assert scaling(aws) == [AWAKE, AWAKE]


def test_a_start_that_comes_meanwhile_is_served(aws: FakeAws) -> None:
    aws.on("PutFunctionScalingConfig", lambda: aws.lambda_.execution(name(), "run-1", version="2"), call=2)
    report = slept(aws)
    assert scaling(aws) == [AWAKE, AWAKE]
    assert report.lines == ["acme-pr-7 is left as it is: an execution has begun on it"]


def test_one_that_sleeps_is_left_asleep(aws: FakeAws) -> None:
    slept(aws)
    before = aws.count("PutFunctionScalingConfig")
    assert slept(aws).lines == ["acme-pr-7 is left as it is: it is asleep"]
    assert aws.count("PutFunctionScalingConfig") == before


def test_a_dry_run_does_nothing_and_tells_all(aws: FakeAws) -> None:
    assert slept(aws, "--dry-run").lines == ["acme-pr-7 would be put to sleep: nothing happened on it for 1 day"]
    assert scaling(aws) == [AWAKE, AWAKE]


def test_one_that_can_not_be_put_to_sleep_hides_no_other(aws: FakeAws) -> None:
    deploy(aws, 8)
    aws.deny("PutFunctionScalingConfig")
    report = slept(aws)
    assert (report.code, scaling(aws, name(8))) == (1, [ASLEEP, ASLEEP])
    assert str(next(iter(report.lines))).startswith("acme-pr-7 could not be put to sleep: AWS: ")


def test_all_functions_of_a_preview_sleep_together(aws: FakeAws) -> None:
    deploy(aws, 7, function="refunds")
    slept(aws, on=PREVIEW_OF_TWO)
    assert scaling(aws) == scaling(aws, name(function="refunds")) == [ASLEEP, ASLEEP]


def test_one_preview_can_be_meant_and_one_of_somebody_else_never_is(aws: FakeAws) -> None:
    deploy(aws, 8, 9)
    aws.formation.stack(name(9), {})
    slept(aws, pull_request=8)
    assert [scaling(aws, name(each))[0] for each in (7, 8, 9)] == [AWAKE, ASLEEP, AWAKE]
    slept(aws)
    assert [scaling(aws, name(each))[0] for each in (7, 8, 9)] == [ASLEEP, ASLEEP, AWAKE]


def test_where_the_file_says_never_none_does(aws: FakeAws) -> None:
    report = slept(aws, on=PREVIEW.model_copy(update={"preview_idle_hours": 0}))
    assert report.lines == ["Previews never sleep: preview_idle_hours = 0 in environments/preview.toml"]
    assert (scaling(aws), aws.calls) == ([AWAKE, AWAKE], [])


def test_an_environment_without_previews_is_refused(aws: FakeAws) -> None:
    with pytest.raises(UsageError, match="hosts no previews"):
        slept(aws, on=DEV)


def test_where_there_is_none_it_says_so() -> None:
    assert slept(FakeAws()).lines == ["preview has no preview that is meant"]
