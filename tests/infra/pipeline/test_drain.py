"""What a drain does with executions that run, are paused, or do not stop."""

import pytest

from infra import naming
from infra.errors import CommandError, UsageError
from infra.pipeline import drain
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV, PROD, environment

NAME = naming.orders_stack("dev")


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function whose version 7 is live."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "7")
    return aws


def order(aws: FakeAws, name: str, status: str = "RUNNING", ends_after: float | None = None) -> None:
    execution = aws.lambda_.execution(NAME, name, status, "7")
    if ends_after is not None:
        aws.clock.after(ends_after, lambda: setattr(execution, "status", "SUCCEEDED"))


def drained(aws: FakeAws, *options: str) -> object:
    return run(drain, target(aws, DEV), *options).facts["stopped"]


def is_open(aws: FakeAws) -> bool:
    aliases = aws.lambda_.functions[NAME].aliases
    assert set(aliases) in ({naming.ALIAS}, {naming.CLOSED_ALIAS})
    return naming.ALIAS in aliases


def statuses(aws: FakeAws) -> list[str]:
    return [each.status for each in aws.lambda_.functions[NAME].executions]


def test_where_nothing_runs_the_function_stays_closed(aws: FakeAws) -> None:
    order(aws, "order-1", "SUCCEEDED")
    assert drained(aws, "--running", "refuse") == 0
    assert not is_open(aws)


@pytest.mark.parametrize("status", ["RUNNING", "PAUSING", "PAUSED"])
def test_orders_that_have_not_ended_refuse_it_before_the_function_is_closed(status: str, aws: FakeAws) -> None:
    order(aws, "order-1", status)
    with pytest.raises(CommandError, match=rf"order-1 on version 7: {status}, started 0 s ago"):
        drained(aws, "--running", "refuse")
    assert aws.count("CreateAlias") == 0


def test_an_order_that_comes_before_the_function_is_closed_opens_it_again(aws: FakeAws) -> None:
    aws.on("CreateAlias", lambda: order(aws, "order-1"))
    with pytest.raises(CommandError, match="order-1"):
        drained(aws, "--running", "refuse")
    assert is_open(aws)


def test_it_waits_until_the_last_has_ended(aws: FakeAws) -> None:
    order(aws, "order-1", ends_after=20)
    order(aws, "order-2", "PAUSING", ends_after=600)
    assert drained(aws, "--running", "wait") == 0
    assert not is_open(aws)
    assert statuses(aws) == ["SUCCEEDED", "SUCCEEDED"]


def test_at_its_deadline_it_gives_up_and_opens_the_function(aws: FakeAws) -> None:
    order(aws, "order-1", ends_after=20)
    with pytest.raises(CommandError, match=f"1 executions of {NAME} have not ended"):
        drained(aws, "--running", "wait", "--deadline", "9")
    assert is_open(aws)
    assert aws.clock.monotonic() == 9


def test_paused_orders_are_not_waited_for_and_not_lost(aws: FakeAws) -> None:
    order(aws, "order-1", ends_after=5)
    order(aws, "order-2", "PAUSED")
    with pytest.raises(CommandError, match=r"order-2 on version 7: PAUSED(?s:.*)once somebody resumes or stops them"):
        drained(aws, "--running", "wait")
    assert is_open(aws)
    assert aws.clock.monotonic() < drain.CHOICES["wait"] / 2


def test_on_consent_all_are_stopped_paused_ones_too(aws: FakeAws) -> None:
    order(aws, "order-1")
    order(aws, "order-2", "PAUSED")
    assert drained(aws, "--running", "stop") == 2
    assert statuses(aws) == ["STOPPED", "STOPPED"]
    assert not is_open(aws)


def test_an_order_that_is_listed_late_is_waited_for(aws: FakeAws) -> None:
    aws.on("ListDurableExecutionsByFunction", lambda: order(aws, "order-1", ends_after=9), call=2)
    assert drained(aws, "--running", "wait") == 0
    assert statuses(aws) == ["SUCCEEDED"]


@pytest.mark.parametrize("status", ["RUNNING", "PAUSED"])
def test_what_does_not_stop_is_told_after_the_longest_step(status: str, aws: FakeAws) -> None:
    aws.lambda_.execution(NAME, "order-1", status, "7").stops = False
    with pytest.raises(CommandError, match="were told to stop and have not"):
        run(drain, target(aws, environment(function={"timeout_seconds": 300})), "--running", "stop")
    assert aws.clock.monotonic() > 300
    assert is_open(aws)


def test_a_stop_that_is_refused_is_an_error_unless_it_had_ended(aws: FakeAws) -> None:
    order(aws, "order-1")
    aws.on("StopDurableExecution", lambda: setattr(aws.lambda_.functions[NAME].executions[0], "status", "SUCCEEDED"))
    assert drained(aws, "--running", "stop") == 0
    run(drain, target(aws, DEV), "--open")
    order(aws, "order-2")
    aws.deny("StopDurableExecution")
    with pytest.raises(Exception, match="no StopDurableExecution"):
        drained(aws, "--running", "stop")
    assert is_open(aws)


def test_a_function_that_is_closed_already_says_so_when_it_is_not_drained(aws: FakeAws) -> None:
    drained(aws, "--running", "refuse")
    order(aws, "order-1")
    with pytest.raises(CommandError, match="no new ones are taken until `drain --open`"):
        drained(aws, "--running", "refuse")


@pytest.mark.parametrize(
    ("operation", "call"), [("DeleteAlias", 1), ("ListDurableExecutionsByFunction", 2), ("StopDurableExecution", 1)]
)
def test_an_interruption_opens_the_function_again_whenever_it_comes(operation: str, call: int, aws: FakeAws) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    order(aws, "order-1")
    aws.on(operation, interrupt, call=call)
    with pytest.raises(KeyboardInterrupt):
        drained(aws, "--running", "stop")
    assert is_open(aws)


def test_a_long_list_is_cut(aws: FakeAws) -> None:
    for number in range(25):
        order(aws, f"order-{number}")
    with pytest.raises(CommandError, match=r"order-19 .*\n  and 5 more"):
        drained(aws, "--running", "refuse")


@pytest.mark.parametrize("confirmed", ["", "prod", NAME])
def test_stopping_orders_where_it_is_protected_takes_the_stacks_name(confirmed: str, aws: FakeAws) -> None:
    with pytest.raises(UsageError, match=f"takes --confirm {naming.orders_stack('prod')}"):
        run(drain, target(aws, PROD), "--running", "stop", "--confirm", confirmed)


def test_what_is_not_there_is_nothing_to_drain_and_can_not_be_opened() -> None:
    nothing = FakeAws()
    assert run(drain, target(nothing, DEV)).lines == [f"There is no function {NAME}"]
    with pytest.raises(CommandError, match="deploy it"):
        run(drain, target(nothing, DEV), "--open")
