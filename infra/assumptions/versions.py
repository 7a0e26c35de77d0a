"""Versions: how one is published, scaled, put to sleep, woken and deleted. The checks make one of their own."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from infra import budgets, limits
from infra.assumptions.check import Answer, Experiment, check, refusal, refused, same, seen
from infra.assumptions.place import PREFIX, NotReachedError, Place
from infra.aws import capacity_provider
from infra.aws.function import APPEARS_WITHIN_SECONDS
from infra.execution_arn import ExecutionArn

FUNCTION, STACK = "infra/aws/function.py", "infra/stacks/function.py"
SCALING = "Lambda developer guide, scaling of Managed Instances"
LATEST_PUBLISHED, LEAST = "$LATEST.PUBLISHED", "MinExecutionEnvironments"
# How long a version may take to sleep or to wake.
SCALES_WITHIN = 10 * budgets.MINUTE


@dataclass(frozen=True)
class Published:
    """A version of ours: its number, and in which state it is after how many seconds, None where it stays Pending."""

    number: str
    seconds: float | None
    state: str


def published(place: Place) -> Published:
    """Publish what is deployed under another description, and wait until it is active.

    Lambda publishes nothing where nothing has changed, so the description does, and is put back.
    """
    name, before = place.function.name, place.function.versions()
    description = place.client.get_function_configuration(FunctionName=name).get("Description", "")
    place.later("the description", partial(_describe, place, description))
    _describe(place, f"{PREFIX}{len(before) + 1}: made by a check, which deletes it")
    number = _publish(place, before)
    if number in before:
        raise NotReachedError(f"Lambda published nothing new, but answered with version {number}")
    seconds = place.seconds_until(lambda: _state(place, number) != "Pending", budgets.DEPLOYMENT)
    return Published(number, seconds, _state(place, number))


def _publish(place: Place, before: Sequence[str]) -> str:
    """Publish, and see a version that was not there before deleted in the end."""
    number = place.client.publish_version(FunctionName=place.function.name)["Version"]
    if number not in before:
        place.later(f"version {number}", partial(_delete, place, number))
    return number


def _describe(place: Place, text: str) -> None:
    place.client.update_function_configuration(FunctionName=place.function.name, Description=text)
    told: Any = partial(place.client.get_function_configuration, FunctionName=place.function.name)
    place.seconds_until(lambda: told().get("LastUpdateStatus") != "InProgress", budgets.SMOKE)


def _delete(place: Place, version: str) -> None:
    """Delete a version of ours once nothing runs on it any more."""
    running = place.function.running
    place.seconds_until(lambda: all(each.version != version for each in running()), budgets.SMOKE)
    if version in place.function.versions():
        place.function.delete_version(version)


def active(place: Place) -> str:
    """Return the number of our version, which is active."""
    made = place.once(published)
    if made.state != "Active":
        raise NotReachedError(f"the version of the checks is {made.state}")
    return made.number


def asleep(place: Place) -> float | None:
    """Put our version to sleep, and return after how many seconds it has no execution environment any more."""
    number = place.once(active)
    _scale(place, number, 0)
    return place.seconds_until(lambda: _applied(place, number) == 0, SCALES_WITHIN)


def woken(place: Place) -> float | None:
    """Wake our version, and return after how many seconds it is active with one execution environment."""
    number = place.once(active)
    place.once(asleep)
    _scale(place, number, 1)
    return place.seconds_until(
        lambda: _state(place, number) == "Active" and _applied(place, number) == 1, SCALES_WITHIN
    )


def _state(place: Place, version: str) -> str:
    config = place.client.get_function_configuration(FunctionName=place.function.name, Qualifier=version)
    return config.get("State", "without a state")


def _scaling(place: Place, version: str) -> Any:
    return place.client.get_function_scaling_config(FunctionName=place.function.name, Qualifier=version)


def _asked(place: Place, version: str) -> int | None:
    return _scaling(place, version).get("RequestedFunctionScalingConfig", {}).get(LEAST)


def _applied(place: Place, version: str) -> int | None:
    return _scaling(place, version).get("AppliedFunctionScalingConfig", {}).get(LEAST)


def _scale(place: Place, version: str, environments: int) -> None:
    place.client.put_function_scaling_config(
        FunctionName=place.function.name,
        Qualifier=version,
        FunctionScalingConfig={"MinExecutionEnvironments": environments, "MaxExecutionEnvironments": environments},
    )


@check(STACK, "UNCONFIRMED")
def latest_published_has_no_environments(place: Place) -> Answer:
    """$LATEST.PUBLISHED, which nothing calls, keeps no execution environment: it is at 0 to 0, or not there."""
    if refusal(partial(_scaling, place, LATEST_PUBLISHED)) == "ResourceNotFoundException":
        return seen(True, "0, or none at all", "there is none")
    found = _scaling(place, LATEST_PUBLISHED).get("AppliedFunctionScalingConfig", {})
    return seen(found.get(LEAST) == 0, "0, or none at all", _environments(found))


@check(STACK, SCALING)
def a_version_has_the_environments_of_its_template(place: Place) -> Answer:
    """What was asked for in the template of a version is applied to it."""
    config = _scaling(place, place.live)
    asked, applied = (config.get(f"{key}FunctionScalingConfig", {}) for key in ("Requested", "Applied"))
    return same(_environments(asked), _environments(applied))


@check("infra/limits.py", SCALING, Experiment.VERSION)
def a_version_begins_with_three_environments(place: Place) -> Answer:
    """A version for which nobody asked otherwise keeps three execution environments, whatever the last one had."""
    return same(limits.DEFAULT_LEAST_ENVIRONMENTS, _asked(place, place.once(active)))


@check("docs/red.md", "Lambda API, PublishVersion", Experiment.VERSION)
def nothing_new_is_not_published_again(place: Place) -> Answer:
    """Publishing twice without a change between answers with the same version."""
    return same(place.once(active), _publish(place, place.function.versions()))


@check("infra/budgets.py", "measured by others: 67 to 100 s", Experiment.VERSION)
def a_version_becomes_active(place: Place) -> Answer:
    """A version is Pending until its instances are there, and then Active, within 25 minutes."""
    made = place.once(published)
    took = f"after {made.seconds:.0f} s" if made.seconds is not None else "and stays so"
    return seen(made.state == "Active", "Active", f"{made.state} {took}")


@check("infra/aws/capacity_provider.py", "UNCONFIRMED", Experiment.VERSION)
def a_version_takes_a_place_on_the_provider(place: Place) -> Answer:
    """A version that was published is listed on the capacity provider of its function."""
    wanted = f":function:{place.function.name}:{place.once(active)}"
    found = capacity_provider.versions(place.target) or []
    return seen(any(arn.endswith(wanted) for arn in found), f"...{wanted}", ", ".join(found) or "none")


@check(FUNCTION, "Lambda developer guide, invoking durable functions", Experiment.VERSION)
def a_version_is_started_by_its_number(place: Place) -> Answer:
    """An execution that is started by the number of a version runs on that, and ends well, though no alias names it."""
    number = place.once(active)
    return same(f"SUCCEEDED on version {number}", _run(place, number))


@check("infra/pipeline/prune.py", "UNCONFIRMED", Experiment.VERSION)
def an_alias_with_weights_starts_on_one_of_its_versions(place: Place) -> Answer:
    """An alias may send a part of the executions to another version, and each belongs to the one it was started on."""
    number, live, alias = place.once(active), place.live, f"{PREFIX}{secrets.token_hex(4)}"
    name: Any = {"FunctionName": place.function.name, "Name": alias}
    weights: Any = {"AdditionalVersionWeights": {live: 0.5}}
    place.client.create_alias(**name, FunctionVersion=number, RoutingConfig=weights)
    place.later(f"alias {alias}", partial(place.client.delete_alias, **name))
    version = ExecutionArn.parse(place.start(alias)).version
    return seen(version in (number, live), f"version {number} or {live}", f"version {version}")


@check("infra/pipeline/prune.py", SCALING, Experiment.VERSION)
def a_version_sleeps_within_minutes(place: Place) -> Answer:
    """A version that is scaled to 0 to 0 keeps no execution environment ten minutes later."""
    return _within(place.once(asleep))


@check(
    "infra/pipeline/roll_back.py",
    "UNCONFIRMED: the API's model has the state, and no page says when",
    Experiment.VERSION,
)
def a_sleeping_version_is_deactivated(place: Place) -> Answer:
    """A version that has no execution environment any more is told as Deactivated."""
    if place.once(asleep) is None:
        raise NotReachedError("it did not fall asleep")
    number = place.once(active)
    place.seconds_until(lambda: _state(place, number) != "Deactivating", SCALES_WITHIN)
    return same("Deactivated", _state(place, number))


@check("infra/pipeline/prune.py", "UNCONFIRMED", Experiment.VERSION)
def a_sleeping_version_refuses_starts(place: Place) -> Answer:
    """A start on a version that sleeps is refused at once, and wakes nothing."""
    place.once(asleep)
    return refused(refusal(partial(place.start, place.once(active))))


@check("infra/pipeline/roll_back.py", "UNCONFIRMED", Experiment.VERSION)
def a_version_wakes_within_minutes(place: Place) -> Answer:
    """A version that slept is Active again within ten minutes of being scaled to 1."""
    return _within(place.once(woken))


@check("infra/pipeline/roll_back.py", "UNCONFIRMED", Experiment.VERSION)
def a_version_that_woke_runs_executions(place: Place) -> Answer:
    """An execution on a version that slept and was woken ends well."""
    number = place.once(active)
    if place.once(woken) is None:
        raise NotReachedError("it did not wake")
    return same(f"SUCCEEDED on version {number}", _run(place, number))


@check("infra/pipeline/prune.py", "UNCONFIRMED: no page says what becomes of them", Experiment.VERSION)
def a_version_with_executions_is_not_deleted(place: Place) -> Answer:
    """Deleting a version on which an execution runs is refused; prune deletes none that it knows to be in use."""
    number = place.once(active)
    if place.once(woken) is None:
        raise NotReachedError("it did not wake")
    arn = place.start(number)
    if place.seconds_until(lambda: _status(place, arn) == "RUNNING", APPEARS_WITHIN_SECONDS) is None:
        raise NotReachedError("its execution ended before the version could be deleted")
    if code := refusal(partial(place.function.delete_version, number)):
        return refused(code)
    status = place.function.follow(arn, budgets.SMOKE).status
    return seen(False, "a refusal", f"it is deleted, and its execution is {status}")


def _status(place: Place, arn: str) -> str:
    running = place.function.running()
    return next((each.status for each in running if each.arn == arn), "not running")


def _run(place: Place, version: str) -> str:
    arn = place.start(version)
    name = ExecutionArn.parse(arn).name
    ended = place.follow(arn, name, budgets.SMOKE)
    return f"{ended.status} on version {ended.version}"


def _within(seconds: float | None) -> Answer:
    return seen(
        seconds is not None,
        f"within {SCALES_WITHIN} s",
        "not in that time" if seconds is None else f"after {seconds:.0f} s",
    )


def _environments(config: Any) -> str:
    return f"{config.get(LEAST)} to {config.get('MaxExecutionEnvironments')} environments"
