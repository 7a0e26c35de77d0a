"""Durable executions: how they start, are listed, end, and are told of afterwards."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from infra import budgets, contract, naming, operations
from infra.assumptions.check import Answer, Experiment, check, refusal, refused, same, seen
from infra.assumptions.place import PREFIX, STOPPED, NotReachedError, Place
from infra.aws.execution import NOT_ENDED, Execution
from infra.aws.function import APPEARS_WITHIN_SECONDS
from infra.console import timeline
from infra.execution_arn import ExecutionArn

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

FUNCTION, OPERATIONS, CONTRACT = "infra/aws/function.py", "infra/operations.py", "infra/contract.py"
GUIDE = "Lambda developer guide, durable functions"
# How many of the newest are looked through for one that has just begun.
NEWEST = 100
# Of the form of one, and of nobody's.
NO_CALLBACK = "Y29udHJhY3Q="


@dataclass(frozen=True)
class Tried:
    """An execution that has ended, and how soon it could be read and listed: seconds, None for never in that time."""

    name: str
    arn: str
    again: str
    readable: float | None
    listed: float | None
    ended: Execution
    events: "list[EventTypeDef]"


def tried(place: Place) -> Tried:
    """Start the contract's event through the live alias, twice at once, and follow it to its end."""
    name = f"{PREFIX}{secrets.token_hex(8)}"
    most = 2 * APPEARS_WITHIN_SECONDS
    arn, again = (place.start(naming.ALIAS, name) for _ in range(2))
    read = partial(place.client.get_durable_execution, DurableExecutionArn=arn, IncludeExecutionData=False)
    readable = place.seconds_until(lambda: not refusal(read), most)
    listed = place.seconds_until(lambda: arn in _newest(place), most)
    ended = place.follow(arn, name, budgets.SMOKE)
    return Tried(name, arn, again, readable, listed, ended, place.function.history(arn))


def second(place: Place) -> str:
    """Start another execution, which nobody follows, and return its ARN."""
    return place.start(naming.ALIAS)


def _newest(place: Place) -> list[str]:
    return [each.arn for each in islice(place.function.executions(), NEWEST)]


def _list(place: Place, **options: Any) -> Callable[[], Any]:
    lists: Any = place.client.list_durable_executions_by_function
    return partial(lists, FunctionName=place.function.name, **options)


def _within(seconds: float | None) -> Answer:
    found = "not within twice that" if seconds is None else f"after {seconds:.1f} s"
    holds = seconds is not None and seconds <= APPEARS_WITHIN_SECONDS
    return seen(holds, f"within {APPEARS_WITHIN_SECONDS} s", found)


@check(FUNCTION, GUIDE)
def an_unknown_execution_is_not_found(place: Place) -> Answer:
    """Reading an execution that does not exist is refused with ResourceNotFoundException."""
    arn = f"{_function_arn(place)}:{place.live}/durable-execution/{PREFIX}none/{secrets.token_hex(8)}"
    code = refusal(partial(place.client.get_durable_execution, DurableExecutionArn=arn, IncludeExecutionData=False))
    return refused(code, "ResourceNotFoundException")


@check("infra/aws/callbacks.py", "UNCONFIRMED: the Lambda API lists both errors for it")
def an_unknown_callback_is_refused(place: Place) -> Answer:
    """An answer to a callback that nobody waits for is refused as not found, invalid, or timed out."""
    code = refusal(partial(place.client.send_durable_execution_callback_success, CallbackId=NO_CALLBACK))
    return refused(code, "ResourceNotFoundException", "InvalidParameterValueException", "CallbackTimeoutException")


@check(FUNCTION, "Lambda API, ListDurableExecutionsByFunction")
def a_list_takes_the_statuses_of_pauses(place: Place) -> Answer:
    """Executions can be listed by the statuses PAUSING and PAUSED."""
    return seen(not (code := refusal(_list(place, Statuses=NOT_ENDED))), "taken", code or "taken")


@check(FUNCTION, "Lambda API, StartDurableExecution by Invoke", Experiment.EXECUTION)
def an_execution_belongs_to_the_version_that_is_live(place: Place) -> Answer:
    """An asynchronous start through the alias answers with an ARN that names the number of the live version."""
    live = place.live
    return same(live, ExecutionArn.parse(place.once(tried).arn).version)


@check("infra/pipeline/smoke.py", "Lambda API, GetDurableExecution", Experiment.EXECUTION)
def an_execution_is_read_with_its_version(place: Place) -> Answer:
    """An execution is read with the number of the version that its ARN names."""
    first = place.once(tried)
    return same(ExecutionArn.parse(first.arn).version, first.ended.version or "no version")


@check(FUNCTION, "UNCONFIRMED", Experiment.EXECUTION)
def an_execution_is_readable_soon(place: Place) -> Answer:
    """An execution can be read within 30 seconds of its start."""
    return _within(place.once(tried).readable)


@check("infra/pipeline/prune.py", "UNCONFIRMED", Experiment.EXECUTION)
def an_execution_is_listed_soon(place: Place) -> Answer:
    """An execution is listed within 30 seconds of its start, also where it has ended meanwhile."""
    return _within(place.once(tried).listed)


@check(FUNCTION, f"{GUIDE}, idempotency", Experiment.EXECUTION)
def the_same_start_is_one_execution(place: Place) -> Answer:
    """A start with the same name and event answers with the execution that there is, at once and after its end."""
    first = place.once(tried)
    found = {first.arn, first.again, place.start(naming.ALIAS, first.name)}
    return same("1 execution", f"{len(found)} execution{'s' if len(found) > 1 else ''}")


@check(FUNCTION, f"{GUIDE}, idempotency", Experiment.EXECUTION)
def another_event_under_its_name_is_refused(place: Place) -> Answer:
    """A start with a name that is taken and another event is refused."""
    name, other = place.once(tried).name, json.dumps({PREFIX: "another event"}).encode()
    start = partial(place.function.start, name, other)
    return refused(refusal(start), "DurableExecutionAlreadyStartedException")


@check("infra/pipeline/drain.py", "Lambda API, StopDurableExecution", Experiment.EXECUTION)
def what_runs_is_stopped(place: Place) -> Answer:
    """An execution that is stopped ends as STOPPED, at its next checkpoint."""
    arn = place.once(second)
    if place.seconds_until(lambda: place.function.history(arn), APPEARS_WITHIN_SECONDS) is None:
        raise NotReachedError("it could not be read in time")
    if not place.function.stop(arn, STOPPED):
        raise NotReachedError("it ended by itself before it could be stopped")
    return same("STOPPED", place.function.follow(arn, budgets.SMOKE).status)


@check("infra/pipeline/status.py", "UNCONFIRMED", Experiment.EXECUTION)
def executions_are_listed_newest_first(place: Place) -> Answer:
    """A list of executions begins with the one that was started last."""
    place.once(tried)
    place.once(second)
    started = [each.started for each in islice(place.function.executions(), NEWEST)]
    return seen(started == sorted(started, reverse=True), "newest first", _order(started))


@check(FUNCTION, "Lambda API, ListDurableExecutionsByFunction", Experiment.EXECUTION)
def a_list_of_executions_goes_on(place: Place) -> Answer:
    """A page of a list has a marker where there are more, and the next page has others."""
    place.once(tried)
    place.once(second)
    page = _list(place, MaxItems=1)()
    pages = [page, _list(place, MaxItems=1, Marker=page["NextMarker"])()]
    arns = [each["DurableExecutionArn"] for page in pages for each in page["DurableExecutions"]]
    return same("2 pages of 1", f"{len(set(arns))} pages of 1")


@check(FUNCTION, "Lambda API, GetDurableExecution", Experiment.EXECUTION)
def data_is_told_where_it_is_asked_for(place: Place) -> Answer:
    """An execution is read with its result where IncludeExecutionData is true, and without where it is false."""
    arn = place.once(tried).arn
    told = [
        "Result" in place.client.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=wanted)
        for wanted in (True, False)
    ]
    return same("[True, False]", str(told))


@check(CONTRACT, "UNCONFIRMED", Experiment.EXECUTION)
def an_execution_keeps_its_contract(place: Place) -> Answer:
    """What a function did is told in its history as on the local AWS, so that its contract is kept."""
    first = place.once(tried)
    problems = contract.problems(place.promised, first.name, first.ended, first.events)
    return same("every promise is kept", "; ".join(problems) or "every promise is kept")


@check(OPERATIONS, "Lambda API, EventType", Experiment.EXECUTION)
def a_history_has_events_that_we_know(place: Place) -> Answer:
    """A history has no events of other types than the API's model has."""
    known: list[str] = getattr(place.client.meta.service_model.shape_for("EventType"), "enum", [])
    kinds = sorted({event["EventType"] for event in place.once(tried).events})
    return seen(kinds and {*kinds} <= {*known}, "types of the model", ", ".join(kinds) or "no event")


@check(OPERATIONS, "Lambda API, GetDurableExecutionHistory", Experiment.EXECUTION)
def a_history_is_told_oldest_first(place: Place) -> Answer:
    """A history begins with the start of the execution, ends with its end, and goes forward in time between them."""
    told = place.once(tried).events
    kinds = [event["EventType"] for event in told if event["EventType"] != "InvocationCompleted"]
    times = [event["EventTimestamp"] for event in told if event["EventType"] != "InvocationCompleted"]
    framed = kinds[0] == "ExecutionStarted" and operations.END.fullmatch(kinds[-1])
    return seen(framed and times == sorted(times), "oldest first", f"{', '.join(kinds)}; {_order(times)}")


@check("infra/aws/function_log.py", "Lambda API, InvocationCompletedDetails", Experiment.EXECUTION)
def an_invocation_is_told_with_its_request(place: Place) -> Answer:
    """Each invocation is told once it has ended, with an id of its request that no other one has, and its times."""
    told = [
        each["InvocationCompletedDetails"] for each in place.once(tried).events if "InvocationCompletedDetails" in each
    ]
    ids = {each["RequestId"] for each in told}
    forward = all(each["StartTimestamp"] <= each["EndTimestamp"] for each in told)
    return seen(
        told and len(ids) == len(told) and forward,
        "one or more, each with its own",
        f"{len(told)} invocations, {len(ids)} requests{'' if forward else ', one that ends before it starts'}",
    )


@check("infra/console/timeline.py", "UNCONFIRMED", Experiment.EXECUTION)
def an_attempt_ends_no_earlier_than_it_starts(place: Place) -> Answer:
    """No attempt of an operation is told to end before it started; a quick one may have one time for both."""
    took = [each.seconds for each in timeline.spans(place.once(tried).events) if each.seconds is not None]
    at_once = sum(seconds == 0 for seconds in took)
    return seen(
        all(seconds >= 0 for seconds in took),
        "none ends earlier",
        f"{len(took)} spans, {at_once} of them without length",
    )


@check("infra/console/timeline.py", "UNCONFIRMED", Experiment.EXECUTION)
def a_condition_that_is_not_met_names_its_next_poll(place: Place) -> Answer:
    """Each poll of a condition that was not met ends as a step that succeeded with a delay until the next attempt."""
    found = [each for each in operations.read(place.once(tried).events) if each.kind == "condition"]
    polls = [end for each in found for _, end in each.attempts[:-1]]
    if not polls:
        raise NotReachedError(f"no condition of {place.function.folder} was polled twice")
    delays = [
        end and end.get("StepSucceededDetails", {}).get("RetryDetails", {}).get("NextAttemptDelaySeconds")
        for end in polls
    ]
    return seen(all(delays), "a delay for each", f"delays {delays}")


@check("infra/stacks/network.py", "UNCONFIRMED", Experiment.EXECUTION)
def checkpoints_go_through_an_endpoint(place: Place) -> Answer:
    """Without a NAT gateway, executions checkpoint through the VPC endpoint of Lambda, and end."""
    if place.target.environment.network.nat_gateways:
        raise NotReachedError(f"{place.target.environment.name} has NAT gateways; ask where nat_gateways is 0")
    return same("SUCCEEDED", place.once(tried).ended.status)


@check(FUNCTION, "UNCONFIRMED", Experiment.EXECUTION)
def what_has_ended_is_not_stopped(place: Place) -> Answer:
    """Stopping an execution that has ended is refused."""
    stop: Any = place.client.stop_durable_execution
    return refused(refusal(partial(stop, DurableExecutionArn=place.once(tried).arn)))


def _function_arn(place: Place) -> str:
    environment = place.target.environment
    return f"arn:aws:lambda:{environment.region}:{environment.account}:function:{place.function.name}"


def _order(times: list[Any]) -> str:
    rises = [later >= earlier for earlier, later in pairwise(times)]
    falls = [later <= earlier for earlier, later in pairwise(times)]
    return "oldest first" if all(rises) else "newest first" if all(falls) else "in no order"
