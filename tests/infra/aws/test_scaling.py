"""How many execution environments versions have, and what waiting for one that wakes believes."""

import pytest
from botocore.exceptions import ClientError

from infra.aws.scaling import Scaling
from infra.errors import CommandError
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.lambda_ import WAKES_WITHIN, FakeFunction

NAME = "acme-dev-billing"


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function in two versions."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "1", "2")
    return aws


@pytest.fixture
def made(aws: FakeAws) -> FakeFunction:
    return aws.lambda_.functions[NAME]


@pytest.fixture
def scaling(aws: FakeAws) -> Scaling:
    return Scaling(aws.session().client("lambda"), NAME, aws.clock)


def limits(least: int, most: int) -> dict[str, int]:
    return {"least": least, "most": most}


@pytest.mark.parametrize(
    ("requested", "applied", "floor"),
    [
        pytest.param(limits(1, 4), limits(3, 4), 1, id="being scaled down"),
        pytest.param(limits(3, 4), limits(1, 4), 3, id="being scaled up"),
        pytest.param(limits(0, 0), limits(3, 4), 0, id="being deactivated"),
        pytest.param({}, limits(2, 4), 2, id="never asked for"),
        pytest.param({}, {}, 3, id="not told"),
    ],
)
def test_the_floor_is_what_was_asked_for_last(
    requested: dict[str, int], applied: dict[str, int], floor: int, made: FakeFunction, scaling: Scaling
) -> None:
    made.versions["1"], made.applied["1"] = requested, applied
    assert scaling.floor("1") == floor


def test_what_was_asked_for_can_be_asked_for_again(made: FakeFunction, scaling: Scaling) -> None:
    made.versions["1"], made.applied["1"] = limits(2, 8), limits(3, 4)
    before = scaling.asked("1")
    scaling.set("1", 0, 0)
    scaling.put("1", before)
    assert made.versions == {"1": limits(2, 8), "2": limits(3, 4)}


def test_a_version_is_scaled_where_there_is_one(made: FakeFunction, scaling: Scaling) -> None:
    scaling.set("1", 0, 0)
    assert made.versions == {"1": limits(0, 0), "2": limits(3, 4)}
    with pytest.raises(CommandError, match=f"{NAME} has no version 3"):
        scaling.set("3", 3, 4)


def test_a_version_that_wakes_is_waited_for(aws: FakeAws, scaling: Scaling) -> None:
    scaling.set("1", 0, 0)
    scaling.set("1", 3, 4)
    assert not scaling.is_awake("1")
    scaling.await_awake("1", 100)
    assert WAKES_WITHIN <= aws.clock.monotonic() < WAKES_WITHIN + 5
    assert scaling.is_awake("1")


def test_a_scaling_that_is_not_applied_yet_is_waited_for_though_the_state_is_active(
    aws: FakeAws, made: FakeFunction, scaling: Scaling
) -> None:
    made.applied["1"] = limits(0, 0)
    aws.clock.after(20, made.applied.clear)
    scaling.await_awake("1", 100)
    assert aws.clock.monotonic() == 20


def test_a_version_that_does_not_wake_in_time_is_told_with_its_state(aws: FakeAws, scaling: Scaling) -> None:
    scaling.set("1", 0, 0)
    scaling.set("1", 3, 4)
    with pytest.raises(CommandError, match=rf"{NAME}:1 is not awake after 60 s, and may be soon: Pending"):
        scaling.await_awake("1", 60)
    assert aws.clock.monotonic() == 60


def test_a_version_that_failed_is_not_waited_for(aws: FakeAws, made: FakeFunction, scaling: Scaling) -> None:
    made.states["1"] = "Failed"
    with pytest.raises(CommandError, match=f"{NAME}:1 does not wake: Failed"):
        scaling.await_awake("1", 60)
    assert aws.clock.monotonic() == 0


@pytest.mark.parametrize("refused", ["GetFunctionConfiguration", "GetFunctionScalingConfig"])
def test_what_may_not_be_read_is_not_taken_for_awake(refused: str, aws: FakeAws, scaling: Scaling) -> None:
    aws.deny(refused)
    with pytest.raises(ClientError, match=f"no {refused}"):
        scaling.is_awake("1")
