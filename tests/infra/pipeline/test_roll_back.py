"""Going back to earlier versions, and what stands in the way."""

import pytest

from infra import naming
from infra.console.report import Report
from infra.errors import UsageError
from infra.pipeline import roll_back
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV, DEV_OF_TWO
from tests.infra.fakes.lambda_ import WAKES_WITHIN

NAME, OTHER = "acme-dev-billing", "acme-dev-refunds"


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function whose version 2 is live, and whose version 1 was scaled down by pruning."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "1", "2").versions["1"] = {"least": 1, "most": 2}
    aws.formation.stack(NAME, naming.tags(DEV))
    return aws


def went_back(aws: FakeAws, *options: str) -> Report:
    return run(roll_back, target(aws, DEV), *options)


def live(aws: FakeAws, name: str = NAME) -> str:
    return aws.lambda_.functions[name].aliases["live"]["FunctionVersion"]


def test_the_alias_goes_back_to_a_version_that_has_its_environments_by_then(aws: FakeAws) -> None:
    scaling: list[dict[str, int]] = []
    aws.on("UpdateAlias", lambda: scaling.append(dict(aws.lambda_.functions[NAME].versions["1"])))
    report = went_back(aws, "--versions", "billing=1")
    assert live(aws) == "1"
    assert scaling == [{"least": DEV.function.minimum_environments, "most": DEV.function.maximum_environments}]
    assert report.facts == {"functions": {"billing": {"version": "1", "rolled_back_from": "2"}}}
    assert report.markdown == f"{NAME}: the alias live went back from version 2 to 1. The next deployment moves it on."


@pytest.mark.parametrize("options", [[], ["--versions", ""], ["--versions", "billing=2"]])
def test_where_no_other_version_was_live_before_the_alias_stays(options: list[str], aws: FakeAws) -> None:
    report = went_back(aws, *options)
    assert report.facts == {"functions": {"billing": {"version": "2", "rolled_back_from": None}}}
    assert "stays at 2" in report.markdown
    assert aws.count("UpdateAlias") == aws.count("PutFunctionScalingConfig") == 0


def test_where_nothing_is_deployed_nothing_goes_back() -> None:
    assert "stays at none" in went_back(FakeAws()).markdown


def test_versions_that_sleep_wake_side_by_side_before_the_aliases_go_back_to_them() -> None:
    aws = FakeAws()
    for name in (NAME, OTHER):
        made = aws.lambda_.function(name, "1", "2")
        made.versions["1"], made.states["1"] = {"least": 0, "most": 0}, "Deactivated"
        aws.formation.stack(name, naming.tags(DEV))
    states: list[str | None] = []
    aws.on("UpdateAlias", lambda: states.append(aws.lambda_.functions[NAME].states.get("1")))
    report = run(roll_back, target(aws, DEV_OF_TWO), "--versions", "billing=1,refunds=1")
    assert (report.code, live(aws), live(aws, OTHER), states) == (0, "1", "1", [None])
    assert WAKES_WITHIN <= aws.clock.monotonic() < 2 * WAKES_WITHIN


def test_a_version_that_does_not_wake_leaves_the_alias_where_it_is(aws: FakeAws) -> None:
    made = aws.lambda_.functions[NAME]
    made.versions["1"], made.states["1"] = {"least": 0, "most": 0}, "Deactivated"
    aws.on("GetFunctionConfiguration", lambda: made.states.update({"1": "Failed"}))
    report = went_back(aws, "--versions", "billing=1")
    assert (report.code, live(aws)) == (1, "2")
    assert report.error == f"{NAME}:1 does not wake: Failed"


def test_a_version_that_is_put_to_sleep_just_before_it_goes_live_wakes(aws: FakeAws) -> None:
    made = aws.lambda_.functions[NAME]
    aws.on("UpdateAlias", lambda: made.versions["1"].update(least=0, most=0))
    assert went_back(aws, "--versions", "billing=1").code == 0
    assert made.versions["1"]["least"] == DEV.function.minimum_environments


def test_a_version_that_is_not_there_leaves_the_alias_where_it_is(aws: FakeAws) -> None:
    report = went_back(aws, "--versions", "billing=3")
    assert (report.code, report.error) == (1, f"{NAME} has no version 3 to go to")
    assert live(aws) == "2"


def test_a_closed_function_is_left_closed(aws: FakeAws) -> None:
    target(aws, DEV).function("billing").close()
    report = went_back(aws, "--versions", "billing=1")
    assert report.code == 1
    assert "drain --open" in str(report.error)
    assert set(aws.lambda_.functions[NAME].aliases) == {naming.CLOSED_ALIAS}


def begin_update(aws: FakeAws, name: str = NAME) -> None:
    """Let an update be under way, as a deployment that was cancelled leaves it."""
    aws.formation.stacks[name]["StackStatus"] = "UPDATE_IN_PROGRESS"


def test_an_update_that_is_under_way_is_taken_back_first(aws: FakeAws) -> None:
    seen: list[str] = []
    aws.on("UpdateAlias", lambda: seen.append(aws.formation.stacks[NAME]["StackStatus"]))
    begin_update(aws)
    went_back(aws, "--versions", "billing=1")
    assert seen == ["UPDATE_ROLLBACK_COMPLETE"]
    assert live(aws) == "1"


def test_an_update_that_ends_before_it_can_be_taken_back_is_no_obstacle(aws: FakeAws) -> None:
    aws.on("CancelUpdateStack", lambda: aws.formation.stacks[NAME].update(StackStatus="UPDATE_COMPLETE"))
    begin_update(aws)
    went_back(aws, "--versions", "billing=1")
    assert live(aws) == "1"


def test_an_update_that_may_not_be_taken_back_is_told(aws: FakeAws) -> None:
    aws.deny("CancelUpdateStack", "AccessDenied")
    begin_update(aws)
    report = went_back(aws, "--versions", "billing=1")
    assert report.code == 1
    assert "no CancelUpdateStack" in str(report.error)
    assert live(aws) == "2"


def test_an_update_is_not_waited_for_longer_than_a_cancelled_job_lasts(aws: FakeAws) -> None:
    aws.formation.going_back_seconds = 3600
    begin_update(aws)
    assert "UPDATE_ROLLBACK_IN_PROGRESS after 4 minutes" in str(went_back(aws, "--versions", "billing=1").error)
    assert live(aws) == "2"
    assert 240 < aws.clock.monotonic() < 300


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_what_is_no_update_is_not_taken_back(status: str, aws: FakeAws) -> None:
    aws.formation.stacks[NAME]["StackStatus"] = status
    went_back(aws, "--versions", "billing=1")
    assert aws.count("CancelUpdateStack") == 0


@pytest.fixture
def of_two(aws: FakeAws) -> FakeAws:
    """The same with a second function, whose version 4 is live."""
    aws.lambda_.function(OTHER, "3", "4")
    aws.formation.stack(OTHER, naming.tags(DEV))
    return aws


BOTH = "billing=1,refunds=3"


def test_all_functions_of_a_release_go_back(of_two: FakeAws) -> None:
    report = run(roll_back, target(of_two, DEV_OF_TWO), "--versions", BOTH)
    assert (live(of_two, NAME), live(of_two, OTHER)) == ("1", "3")
    assert report.code == 0
    assert report.facts == {
        "functions": {
            "billing": {"version": "1", "rolled_back_from": "2"},
            "refunds": {"version": "3", "rolled_back_from": "4"},
        }
    }
    assert len(list(report.lines)) == 2


def test_one_of_several_goes_back_alone(of_two: FakeAws) -> None:
    run(roll_back, target(of_two, DEV_OF_TWO, only="refunds"), "--versions", BOTH)
    assert (live(of_two, NAME), live(of_two, OTHER)) == ("2", "3")


def test_a_function_that_is_new_in_the_release_stays(of_two: FakeAws) -> None:
    report = run(roll_back, target(of_two, DEV_OF_TWO), "--versions", "billing=1")
    assert (live(of_two, NAME), live(of_two, OTHER)) == ("1", "4")
    assert f"{OTHER}: no other version was live before; the alias stays at 4" in report.markdown


def test_one_that_can_not_go_back_keeps_no_other_from_it(of_two: FakeAws) -> None:
    report = run(roll_back, target(of_two, DEV_OF_TWO), "--versions", "billing=9,refunds=3")
    assert (live(of_two, NAME), live(of_two, OTHER)) == ("2", "3")
    assert (report.code, report.error) == (1, f"{NAME} has no version 9 to go to")
    assert report.facts == {"functions": {"refunds": {"version": "3", "rolled_back_from": "4"}}}
    assert f"{NAME} has no version 9 to go to" in report.markdown


def test_updates_of_several_are_taken_back_side_by_side(of_two: FakeAws) -> None:
    of_two.formation.going_back_seconds = 200
    for name in (NAME, OTHER):
        begin_update(of_two, name)
    assert run(roll_back, target(of_two, DEV_OF_TWO), "--versions", BOTH).code == 0
    assert (live(of_two, NAME), live(of_two, OTHER)) == ("1", "3")
    assert of_two.clock.monotonic() < 240


def test_updates_of_several_are_waited_for_together(of_two: FakeAws) -> None:
    of_two.formation.going_back_seconds = 3600
    for name in (NAME, OTHER):
        begin_update(of_two, name)
    report = run(roll_back, target(of_two, DEV_OF_TWO), "--versions", BOTH)
    for name in (NAME, OTHER):
        assert f"{name} is UPDATE_ROLLBACK_IN_PROGRESS after 4 minutes" in str(report.error)
    assert 240 < of_two.clock.monotonic() < 300


def test_versions_of_functions_that_there_are_not_are_refused(aws: FakeAws) -> None:
    with pytest.raises(UsageError, match="there is no function refunds, typo in functions/; there are billing"):
        went_back(aws, "--versions", "typo=1,refunds=3")
    assert aws.calls == []
