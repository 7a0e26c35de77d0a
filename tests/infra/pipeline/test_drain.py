"""What a drain does with executions that run, are paused, or do not stop."""

from argparse import Namespace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from infra.aws.execution import Listed
from infra.environment import load
from infra.errors import CommandError
from infra.pipeline import drain
from infra.pipeline.__main__ import main

ANYTHING = cast("Any", None)


class FakeFunction:
    """Stands in for a function: its executions by their names, with statuses that each look at them may change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *statuses: dict[str, str], stops: bool = True) -> None:
        self.looks = list(statuses)
        self.looked = 0
        self.stopped: list[str] = []
        self.door: list[str] = []
        self._stops = stops
        monkeypatch.setattr(drain, "running", self._running)
        monkeypatch.setattr(drain, "stop", self._stop)
        monkeypatch.setattr(drain, "close", self._close)
        monkeypatch.setattr(drain, "reopen", self._reopen)
        monkeypatch.setattr(drain, "POLL_SECONDS", 0)
        monkeypatch.setattr(drain, "SETTLES_WITHIN_SECONDS", 0)
        monkeypatch.setattr(drain, "is_closed", self._is_closed)

    def _is_closed(self, *_: Any) -> bool:
        return self.door[-1:] == ["closed"]

    def _close(self, *_: Any) -> None:
        self.door.append("closed")

    def _reopen(self, *_: Any) -> None:
        self.door.append("open")

    def _running(self, *_: Any) -> list[Listed]:
        self.looked += 1
        now = self.looks[0] if len(self.looks) == 1 else self.looks.pop(0)
        left = {name: status for name, status in now.items() if not (self._stops and name in self.stopped)}
        return [Listed(f"arn:{name}", name, "7", status, datetime.now(UTC)) for name, status in left.items()]

    def _stop(self, _: Any, arn: str, __: str) -> bool:
        self.stopped.append(arn.removeprefix("arn:"))
        return True


def drained(running: str, deadline: float | None = None) -> int:
    return drain.drain(ANYTHING, load("dev"), "orders-dev", Namespace(running=running, deadline=deadline))


def test_where_nothing_runs_the_function_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {})
    assert drained("refuse") == 0
    assert function.door == ["closed"]


def test_running_orders_refuse_it_before_the_function_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {"order-1": "RUNNING"})
    with pytest.raises(CommandError, match=r"order-1 on version 7: RUNNING, started 0 s ago"):
        drained("refuse")
    assert function.door == []


def test_an_order_that_comes_before_the_function_is_closed_opens_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {}, {"order-1": "RUNNING"})
    with pytest.raises(CommandError, match="order-1"):
        drained("refuse")
    assert function.door == ["closed", "open"]


def test_it_waits_until_the_last_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {"order-1": "RUNNING", "order-2": "PAUSING"}, {"order-2": "RUNNING"}, {})
    assert drained("wait") == 0
    assert (function.door, function.stopped, function.looks) == (["closed"], [], [{}])


def test_at_its_deadline_it_gives_up_and_opens_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {"order-1": "RUNNING"})
    with pytest.raises(CommandError, match="1 executions of orders-dev have not ended"):
        drained("wait", deadline=0)
    assert function.door == ["closed", "open"]


def test_paused_orders_are_not_waited_for_and_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {"order-1": "RUNNING", "order-2": "PAUSED"}, {"order-2": "PAUSED"})
    monkeypatch.setitem(drain.CHOICES, "wait", 5)
    with pytest.raises(CommandError, match=r"order-2 on version 7: PAUSED(?s:.*)once somebody resumes or stops them"):
        drained("wait")
    assert function.door == ["closed", "open"]
    # Once none but the paused one was left, it was not looked again.
    assert function.looked == 2


def test_on_consent_all_are_stopped_paused_ones_too(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {"order-1": "RUNNING", "order-2": "PAUSED"})
    assert drained("stop") == 2
    assert function.stopped == ["order-1", "order-2"]
    assert function.door == ["closed"]


def test_an_order_that_is_listed_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {}, {"order-1": "RUNNING"}, {})
    assert drained("wait") == 0
    assert function.looks == [{}]


def test_paused_orders_that_were_stopped_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    paused = {"order-1": "PAUSED"}
    function = FakeFunction(monkeypatch, paused, paused, paused, {}, stops=False)
    assert drained("stop") == 1
    assert function.door == ["closed"]


def test_a_function_that_is_closed_already_says_so_when_it_is_not_drained(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {"order-1": "RUNNING"})
    function.door.append("closed")
    with pytest.raises(CommandError, match="no new ones are taken until `drain --open`"):
        drained("refuse")


def test_what_does_not_stop_is_told_after_the_longest_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "STOPPED_AFTER_TIMEOUT_SECONDS", -load("dev").function.timeout_seconds)
    function = FakeFunction(monkeypatch, {"order-1": "RUNNING"}, stops=False)
    with pytest.raises(CommandError, match="were told to stop and have not"):
        drained("stop")
    assert function.door == ["closed", "open"]


def test_an_interruption_opens_the_function_again(monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(monkeypatch, {"order-1": "RUNNING"})

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drain.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        drained("wait")
    assert function.door == ["closed", "open"]


def test_a_long_list_is_cut() -> None:
    now = datetime.now(UTC)
    told = list(drain.lines([Listed("arn", f"order-{number}", "7", "RUNNING", now) for number in range(25)]))
    assert len(told) == drain.LISTED_AT_MOST + 1
    assert told[-1] == "and 5 more"


@pytest.mark.parametrize("confirmed", ["", "prod", "orders-dev"])
def test_stopping_orders_of_prod_takes_its_stacks_name(confirmed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drain", "--environment", "prod", "--running", "stop", "--confirm", confirmed]) == 2
    assert "takes --confirm orders-prod" in capsys.readouterr().err
