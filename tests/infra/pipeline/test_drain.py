"""What a drain does with executions that run, are paused, or do not stop."""

import pytest

from infra import naming
from infra.errors import CommandError, UsageError
from infra.pipeline import drain
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW, PROD, environment
from tests.infra.fakes.history import callback

NAME, REFUNDS = "acme-dev-billing", "acme-dev-refunds"


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function whose version 7 is live."""
    aws = FakeAws()
    aws.formation.stack(NAME, naming.tags(DEV))
    aws.lambda_.function(NAME, "7")
    return aws


@pytest.fixture
def of_two(aws: FakeAws) -> FakeAws:
    """The same with a second function, which nothing runs on either."""
    aws.formation.stack(REFUNDS, naming.tags(DEV))
    aws.lambda_.function(REFUNDS, "7")
    return aws


def start(
    aws: FakeAws, name: str, status: str = "RUNNING", ends_after: float | None = None, function: str = NAME
) -> None:
    execution = aws.lambda_.execution(function, name, status, "7")
    if ends_after is not None:
        aws.clock.after(ends_after, lambda: setattr(execution, "status", "SUCCEEDED"))


def drained(aws: FakeAws, *options: str) -> object:
    return run(drain, target(aws, DEV), *options).facts["stopped"]


def is_open(aws: FakeAws, name: str = NAME) -> bool:
    aliases = aws.lambda_.functions[name].aliases
    assert set(aliases) in ({naming.ALIAS}, {naming.CLOSED_ALIAS})
    return naming.ALIAS in aliases


def statuses(aws: FakeAws) -> list[str]:
    return [each.status for each in aws.lambda_.functions[NAME].executions]


def test_where_nothing_runs_the_function_stays_closed(aws: FakeAws) -> None:
    start(aws, "run-1", "SUCCEEDED")
    assert drained(aws, "--running", "refuse") == 0
    assert not is_open(aws)


@pytest.mark.parametrize("status", ["RUNNING", "PAUSING", "PAUSED"])
def test_executions_that_have_not_ended_refuse_it_before_the_function_is_closed(status: str, aws: FakeAws) -> None:
    start(aws, "run-1", status)
    with pytest.raises(CommandError, match=rf"run-1 on version 7: {status}, started 0 s ago"):
        drained(aws, "--running", "refuse")
    assert aws.count("CreateAlias") == 0


def test_an_execution_that_comes_before_the_function_is_closed_opens_it_again(aws: FakeAws) -> None:
    aws.on("CreateAlias", lambda: start(aws, "run-1"))
    with pytest.raises(CommandError, match="run-1"):
        drained(aws, "--running", "refuse")
    assert is_open(aws)


def test_it_waits_until_the_last_has_ended(aws: FakeAws) -> None:
    start(aws, "run-1", ends_after=20)
    start(aws, "run-2", "PAUSING", ends_after=600)
    assert drained(aws, "--running", "wait") == 0
    assert not is_open(aws)
    assert statuses(aws) == ["SUCCEEDED", "SUCCEEDED"]


def test_at_its_deadline_it_gives_up_and_opens_the_function(aws: FakeAws) -> None:
    start(aws, "run-1", ends_after=20)
    with pytest.raises(CommandError, match=f"1 executions of {NAME} have not ended"):
        drained(aws, "--running", "wait", "--deadline", "9")
    assert is_open(aws)
    assert aws.clock.monotonic() == 9


def test_paused_executions_are_not_waited_for_and_not_lost(aws: FakeAws) -> None:
    start(aws, "run-1", ends_after=5)
    start(aws, "run-2", "PAUSED")
    with pytest.raises(CommandError, match=r"run-2 on version 7: PAUSED(?s:.*)once somebody resumes or stops them"):
        drained(aws, "--running", "wait")
    assert is_open(aws)
    assert aws.clock.monotonic() < drain.CHOICES["wait"] / 2


def test_on_consent_all_are_stopped_paused_ones_too(aws: FakeAws) -> None:
    start(aws, "run-1")
    start(aws, "run-2", "PAUSED")
    assert drained(aws, "--running", "stop") == 2
    assert statuses(aws) == ["STOPPED", "STOPPED"]
    assert not is_open(aws)


def test_an_execution_that_is_listed_late_is_waited_for(aws: FakeAws) -> None:
    aws.on("ListDurableExecutionsByFunction", lambda: start(aws, "run-1", ends_after=9), call=2)
    assert drained(aws, "--running", "wait") == 0
    assert statuses(aws) == ["SUCCEEDED"]


@pytest.mark.parametrize("status", ["RUNNING", "PAUSED"])
def test_what_does_not_stop_is_told_after_the_longest_step(status: str, aws: FakeAws) -> None:
    aws.lambda_.execution(NAME, "run-1", status, "7").stops = False
    with pytest.raises(CommandError, match="were told to stop and have not"):
        run(drain, target(aws, environment(function={"timeout_seconds": 300})), "--running", "stop")
    assert aws.clock.monotonic() > 300
    assert is_open(aws)


def test_a_stop_that_is_refused_is_an_error_unless_it_had_ended(aws: FakeAws) -> None:
    start(aws, "run-1")
    aws.on("StopDurableExecution", lambda: setattr(aws.lambda_.functions[NAME].executions[0], "status", "SUCCEEDED"))
    assert drained(aws, "--running", "stop") == 0
    run(drain, target(aws, DEV), "--open")
    start(aws, "run-2")
    aws.deny("StopDurableExecution")
    with pytest.raises(Exception, match="no StopDurableExecution"):
        drained(aws, "--running", "stop")
    assert is_open(aws)


def test_a_function_that_is_closed_already_says_so_when_it_is_not_drained(aws: FakeAws) -> None:
    drained(aws, "--running", "refuse")
    start(aws, "run-1")
    with pytest.raises(CommandError, match="no new ones are taken until `drain --open`"):
        drained(aws, "--running", "refuse")


@pytest.mark.parametrize(
    ("operation", "call"), [("DeleteAlias", 1), ("ListDurableExecutionsByFunction", 2), ("StopDurableExecution", 1)]
)
def test_an_interruption_opens_the_function_again_whenever_it_comes(operation: str, call: int, aws: FakeAws) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    start(aws, "run-1")
    aws.on(operation, interrupt, call=call)
    with pytest.raises(KeyboardInterrupt):
        drained(aws, "--running", "stop")
    assert is_open(aws)


def test_a_long_list_is_cut(aws: FakeAws) -> None:
    for number in range(25):
        start(aws, f"run-{number}")
    with pytest.raises(CommandError, match=r"run-19 .*\n  and 5 more"):
        drained(aws, "--running", "refuse")


@pytest.mark.parametrize("confirmed", ["", "prod", "acme-dev", "acme-prod-billing"])
def test_stopping_executions_where_it_is_protected_takes_its_name(confirmed: str, aws: FakeAws) -> None:
    with pytest.raises(UsageError, match=r"takes --confirm acme-prod$"):
        run(drain, target(aws, PROD), "--running", "stop", "--confirm", confirmed)


def test_what_is_not_there_is_nothing_to_drain_and_can_not_be_opened() -> None:
    nothing = FakeAws()
    assert run(drain, target(nothing, DEV)).lines == ["There is no function of acme-dev"]
    with pytest.raises(CommandError, match="deploy it"):
        run(drain, target(nothing, DEV), "--open")


def test_several_functions_are_all_closed_and_named(of_two: FakeAws) -> None:
    start(of_two, "run-1", ends_after=20)
    start(of_two, "run-2", ends_after=60, function=REFUNDS)
    report = run(drain, target(of_two, DEV_OF_TWO), "--running", "wait")
    assert report.markdown == (
        f"Nothing runs on {NAME} and {REFUNDS} any more. They are closed: new executions are refused until they are "
        "removed, or opened by `drain --open`"
    )
    assert not is_open(of_two)
    assert not is_open(of_two, REFUNDS)
    assert run(drain, target(of_two, DEV_OF_TWO), "--open").lines == [
        f"{NAME} takes new executions, on version 7",
        f"{REFUNDS} takes new executions, on version 7",
    ]
    assert is_open(of_two)
    assert is_open(of_two, REFUNDS)


@pytest.mark.parametrize("running", ["wait", "stop"])
@pytest.mark.parametrize("busy", [NAME, REFUNDS])
def test_where_one_of_several_does_not_end_all_are_opened_again(busy: str, running: str, of_two: FakeAws) -> None:
    of_two.lambda_.execution(busy, "run-1", version="7").stops = False
    with pytest.raises(CommandError, match=rf"^1 executions of {busy} (?s:.*)run-1 on version 7: RUNNING"):
        run(drain, target(of_two, DEV_OF_TWO), "--running", running)
    assert is_open(of_two)
    assert is_open(of_two, REFUNDS)


def test_where_one_of_several_refuses_none_is_closed_and_all_that_run_are_told(of_two: FakeAws) -> None:
    start(of_two, "run-1")
    start(of_two, "run-2", function=REFUNDS)
    with pytest.raises(CommandError) as refusal:
        run(drain, target(of_two, DEV_OF_TWO), "--running", "refuse")
    assert str(refusal.value).split("\n")[:4] == [
        f"1 executions of {NAME} have not ended:",
        "  run-1 on version 7: RUNNING, started 0 s ago",
        f"1 executions of {REFUNDS} have not ended:",
        "  run-2 on version 7: RUNNING, started 0 s ago",
    ]
    assert of_two.count("CreateAlias") == 0


def test_several_take_no_longer_than_the_one_that_takes_longest(of_two: FakeAws) -> None:
    for name in (NAME, REFUNDS):
        start(of_two, "run-1", ends_after=600, function=name)
    assert run(drain, target(of_two, DEV_OF_TWO), "--running", "wait").facts["stopped"] == 0
    assert of_two.clock.monotonic() < 700


def test_the_longest_step_of_any_function_is_waited_for(of_two: FakeAws) -> None:
    slow = {**dict(DEV_OF_TWO.function), "timeout_seconds": 300, "durable": dict(DEV_OF_TWO.durable)}
    there = environment(function_names=("billing", "refunds"), functions={"refunds": slow})
    for name in (NAME, REFUNDS):
        of_two.lambda_.execution(name, "run-1", version="7").stops = False
    with pytest.raises(CommandError, match="were told to stop and have not"):
        run(drain, target(of_two, there), "--running", "stop")
    assert of_two.clock.monotonic() > 300


def test_one_function_is_drained_alone(of_two: FakeAws) -> None:
    start(of_two, "run-1")
    assert run(drain, target(of_two, DEV_OF_TWO, only="refunds"), "--running", "refuse").facts["stopped"] == 0
    assert (is_open(of_two), is_open(of_two, REFUNDS)) == (True, False)


def test_a_function_whose_code_is_gone_is_drained_and_one_of_somebody_else_is_not(of_two: FakeAws) -> None:
    of_two.formation.stack("acme-dev-other", {})
    of_two.lambda_.function("acme-dev-other", "7")
    assert run(drain, target(of_two, DEV), "--running", "refuse").facts["stopped"] == 0
    assert not is_open(of_two, REFUNDS)
    assert is_open(of_two, "acme-dev-other")


def test_the_platform_of_previews_has_nothing_to_drain() -> None:
    with pytest.raises(UsageError, match="add --pull-request N"):
        run(drain, target(FakeAws(), PREVIEW))


def test_an_execution_that_waits_for_a_callback_is_named_with_what_answers_it(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    start(aws, "run-1")
    aws.lambda_.functions[NAME].executions[0].events = [callback(0, "approval", "abc")]
    with pytest.raises(CommandError) as refusal:
        drained(aws, "--running", "wait", "--deadline", "10")
    command = "python -m infra.pipeline callback succeed abc --environment dev --result null"
    assert "run-1 has waited for callback approval for" in str(refusal.value)
    assert command in str(refusal.value)
    assert capsys.readouterr().err.count(command) == 1, "and once while it waits"
    assert is_open(aws)
