"""Going back to an earlier version, and what stands in its way."""

import pytest

from infra import naming
from infra.console.report import Report
from infra.errors import CommandError
from infra.pipeline import roll_back
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV

NAME = naming.orders_stack("dev")


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function whose version 2 is live, and whose version 1 was scaled down by pruning."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "1", "2").versions["1"] = {"least": 1, "most": 2}
    aws.formation.stack(NAME, naming.tags("dev"))
    return aws


def went_back(aws: FakeAws, *options: str) -> Report:
    return run(roll_back, target(aws, DEV), *options)


def live(aws: FakeAws) -> str:
    return aws.lambda_.functions[NAME].aliases["live"]["FunctionVersion"]


def test_the_alias_goes_back_to_a_version_that_has_its_environments_by_then(aws: FakeAws) -> None:
    scaling: list[dict[str, int]] = []
    aws.on("UpdateAlias", lambda: scaling.append(dict(aws.lambda_.functions[NAME].versions["1"])))
    report = went_back(aws, "--version", "1")
    assert live(aws) == "1"
    assert scaling == [{"least": DEV.function.minimum_environments, "most": DEV.function.maximum_environments}]
    assert report.facts == {"version": "1", "rolled_back_from": "2"}
    assert report.markdown == f"{NAME}: the alias live went back from version 2 to 1. The next deployment moves it on."


@pytest.mark.parametrize("options", [[], ["--version", ""], ["--version", "2"]])
def test_where_no_other_version_was_live_before_the_alias_stays(options: list[str], aws: FakeAws) -> None:
    report = went_back(aws, *options)
    assert report.facts == {"version": "2", "rolled_back_from": None}
    assert "stays at 2" in report.markdown
    assert aws.count("UpdateAlias") == aws.count("PutFunctionScalingConfig") == 0


def test_where_nothing_is_deployed_nothing_goes_back() -> None:
    assert "stays at none" in went_back(FakeAws()).markdown


def test_a_version_that_is_not_there_leaves_the_alias_where_it_is(aws: FakeAws) -> None:
    with pytest.raises(CommandError, match="has no version 3 to go to"):
        went_back(aws, "--version", "3")
    assert live(aws) == "2"


def test_a_closed_function_is_left_closed(aws: FakeAws) -> None:
    target(aws, DEV).function.close()
    with pytest.raises(CommandError, match="drain --open"):
        went_back(aws, "--version", "1")
    assert set(aws.lambda_.functions[NAME].aliases) == {naming.CLOSED_ALIAS}


def begin_update(aws: FakeAws) -> None:
    """Let an update be under way, as a deployment that was cancelled leaves it."""
    aws.formation.stacks[NAME]["StackStatus"] = "UPDATE_IN_PROGRESS"


def test_an_update_that_is_under_way_is_taken_back_first(aws: FakeAws) -> None:
    seen: list[str] = []
    aws.on("UpdateAlias", lambda: seen.append(aws.formation.stacks[NAME]["StackStatus"]))
    begin_update(aws)
    went_back(aws, "--version", "1")
    assert seen == ["UPDATE_ROLLBACK_COMPLETE"]
    assert live(aws) == "1"


def test_an_update_that_ends_before_it_can_be_taken_back_is_no_obstacle(aws: FakeAws) -> None:
    aws.on("CancelUpdateStack", lambda: aws.formation.stacks[NAME].update(StackStatus="UPDATE_COMPLETE"))
    begin_update(aws)
    went_back(aws, "--version", "1")
    assert live(aws) == "1"


def test_an_update_that_may_not_be_taken_back_is_told(aws: FakeAws) -> None:
    aws.deny("CancelUpdateStack", "AccessDenied")
    begin_update(aws)
    with pytest.raises(Exception, match="no CancelUpdateStack"):
        went_back(aws, "--version", "1")
    assert live(aws) == "2"


def test_an_update_is_not_waited_for_longer_than_a_cancelled_job_lasts(aws: FakeAws) -> None:
    aws.formation.going_back_seconds = 3600
    begin_update(aws)
    with pytest.raises(CommandError, match="UPDATE_ROLLBACK_IN_PROGRESS after 4 minutes"):
        went_back(aws, "--version", "1")
    assert 240 < aws.clock.monotonic() < 300


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_what_is_no_update_is_not_taken_back(status: str, aws: FakeAws) -> None:
    aws.formation.stacks[NAME]["StackStatus"] = status
    went_back(aws, "--version", "1")
    assert aws.count("CancelUpdateStack") == 0
