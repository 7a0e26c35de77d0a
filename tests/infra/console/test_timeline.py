"""The history of a durable execution, drawn."""

import re
from typing import Any

import pytest
from rich.console import Console

from infra.console import timeline
from tests.infra.console.commonmark import codes
from tests.infra.fakes.history import START, at, callback, event, invocation

HISTORY = [
    event("ExecutionStarted", 0),
    event("StepStarted", 0.1, "check"),
    event("StepSucceeded", 0.2, "check"),
    event("WaitStarted", 0.2, "wait"),
    invocation(0.1, 0.3),
    event("WaitSucceeded", 5.2, "wait"),
    event("StepStarted", 5.3, "pay"),
    event("StepSucceeded", 5.4, "pay"),
    invocation(5.2, 5.5),
    event("ExecutionSucceeded", 5.5),
]


def summary(events: list[Any]) -> list[tuple[str, str, str]]:
    return [(span.kind, span.name, span.outcome) for span in timeline.spans(events)]


def test_an_execution_is_two_invocations_around_a_wait() -> None:
    assert summary(HISTORY) == [
        ("invocation", "1", "completed"),
        ("step", "check", "succeeded"),
        ("wait", "wait", "succeeded"),
        ("invocation", "2", "completed"),
        ("step", "pay", "succeeded"),
    ]


def test_a_span_lasts_from_its_start_to_its_outcome() -> None:
    wait = next(span for span in timeline.spans(HISTORY) if span.kind == "wait")
    assert (wait.start, wait.end, wait.seconds) == (at(0.2), at(5.2), 5.0)


def test_each_attempt_of_a_retried_step_is_a_span() -> None:
    events = [
        event("StepStarted", 0, "pay"),
        event("StepFailed", 1, "pay"),
        event("StepStarted", 3, "pay"),
        event("StepSucceeded", 4, "pay"),
    ]
    assert summary(events) == [("step", "pay", "failed"), ("step", "pay", "succeeded")]
    assert [each.attempt for each in timeline.spans(events)] == [1, 2]
    assert drawn(events) == ["step pay, attempt 1", "step pay, attempt 2"]


def drawn(events: list[Any]) -> list[str]:
    """Return the cells of the picture's second column."""
    return [str(cell) for cell in timeline.picture(events).columns[1].cells]


def started(kind: str, name: str, parent: str = "", seconds: float = 0, **more: Any) -> Any:
    return event("ContextStarted", seconds, name, SubType=kind, **({"ParentId": parent} if parent else {}), **more)


BRANCHES = [
    started("Parallel", "wrap"),
    started("ParallelBranch", "a", "wrap"),
    started("ParallelBranch", "b", "wrap"),
    event("StepStarted", 1, "in b", ParentId="b"),
    event("StepStarted", 2, "in a", ParentId="a"),
    event("StepSucceeded", 3, "in a", ParentId="a"),
    event("StepFailed", 4, "in b", ParentId="b"),
]


def test_what_runs_in_another_follows_it_whatever_ran_beside_it() -> None:
    assert [(each.depth, each.kind, each.name, each.outcome) for each in timeline.spans(BRANCHES)] == [
        (0, "parallel", "wrap", "running"),
        (1, "branch", "a", "running"),
        (2, "step", "in a", "succeeded"),
        (1, "branch", "b", "running"),
        (2, "step", "in b", "failed"),
    ]
    assert drawn(BRANCHES) == ["parallel wrap", "  branch a", "    step in a", "  branch b", "    step in b"]


def test_what_was_left_when_the_execution_ended_is_unfinished() -> None:
    spans = timeline.spans([*BRANCHES, event("ExecutionSucceeded", 5)])
    assert [each.outcome for each in spans] == ["unfinished", "unfinished", "succeeded", "unfinished", "failed"]


@pytest.mark.parametrize(
    "events",
    [
        [callback(0, "approval", "abc")],
        [
            started("WaitForCallback", "approval"),
            callback(0, "approval create callback id", "abc", ParentId="approval"),
        ],
    ],
)
def test_a_callback_waits_until_it_is_answered(events: list[Any]) -> None:
    (span,) = timeline.spans(events)
    assert (span.kind, span.name, span.outcome, span.detail) == ("callback", "approval", "waiting", "abc")
    answered: Any = {**events[-1], "EventType": "CallbackSucceeded", "CallbackStartedDetails": {}}
    (span,) = timeline.spans([*events, answered])
    assert (span.name, span.detail) == ("approval", None)
    assert span.outcome != "waiting"
    assert "waiting approval" in timeline.gantt(timeline.spans(events))


def test_a_chained_invoke_names_its_function() -> None:
    arn = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-refunds:live"
    events = [event("ChainedInvokeStarted", 0, "refund", ChainedInvokeStartedDetails={"FunctionName": arn})]
    assert drawn(events) == ["invoke refund of acme-dev-refunds:live"]
    assert "running refund of acme-dev-refunds_live" in timeline.gantt(timeline.spans(events))


def test_a_condition_that_is_not_met_yet_is_looked_at_again() -> None:
    later = {"RetryDetails": {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 5}}
    events = [
        event("StepStarted", 0, "shipped", SubType="WaitForCondition"),
        event("StepSucceeded", 0, "shipped", SubType="WaitForCondition", StepSucceededDetails=later),
        event("StepStarted", 5, "shipped", SubType="WaitForCondition"),
        event("StepSucceeded", 5, "shipped", SubType="WaitForCondition", StepSucceededDetails={}),
    ]
    assert summary(events) == [("condition", "shipped", "again"), ("condition", "shipped", "succeeded")]


def test_what_runs_in_another_is_in_its_section_of_a_diagram() -> None:
    (diagram,) = codes(timeline.gantt(timeline.spans(BRANCHES)))
    assert [re.sub(r" :.*", "", line) for line in diagram.splitlines()[3:]] == [
        "    section parallel wrap",
        "    running wrap",
        "    running branch a",
        "    1.00 s step in a",
        "    running branch b",
        "    3.00 s step in b",
    ]


def test_what_goes_on_has_no_end() -> None:
    (span,) = timeline.spans([event("WaitStarted", 0, "wait")])
    assert (span.outcome, span.end, span.seconds) == ("running", None, None)


def test_a_failed_invocation_is_told_from_a_completed_one() -> None:
    assert summary([invocation(0, 1, Error={"Payload": {"ErrorType": "Sandbox.Timedout"}})]) == [
        ("invocation", "1", "failed")
    ]


def test_every_span_is_a_row_of_the_picture() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(timeline.picture(HISTORY))
    rows = capture.get().splitlines()[1:]
    assert [row.split()[3] for row in rows] == ["1", "check", "wait", "2", "pay"]
    assert max(map(len, rows)) <= 80
    assert "5.00 s" in rows[2]


def test_bars_stay_within_the_scale_and_in_proportion() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(timeline.picture(HISTORY))
    bars = [row.count("█") for row in capture.get().splitlines()[1:]]
    assert min(bars) == 1
    assert max(bars) == bars[2] <= 24


def test_an_empty_history_draws_nothing() -> None:
    assert timeline.picture([]).row_count == 0


def test_a_diagram_has_the_spans_of_each_kind_in_a_section() -> None:
    failed = [event("StepStarted", 6, "click"), event("StepFailed", 7, "click"), event("StepStarted", 8, "```")]
    (diagram,) = codes(timeline.gantt(timeline.spans([*HISTORY[1:3], invocation(0, 0.3), *failed])))
    zero = int(START.timestamp() * 1000)
    assert diagram.splitlines()[3:] == [
        "    section invocation",
        f"    0.30 s 1 :{zero}, {zero + 300}",
        "    section step",
        f"    0.10 s check :{zero + 100}, {zero + 200}",
        f"    1.00 s click :crit, {zero + 6_000}, {zero + 7_000}",
        f"    running _ :{zero + 8_000}, {zero + 8_001}",
    ]


def test_a_diagram_says_how_many_spans_it_leaves_out() -> None:
    text = timeline.gantt(timeline.spans(HISTORY), limit=2)
    assert codes(text)[0].count(" s ") == 2
    assert text.endswith("\n\nand 3 more, which the run's log has")
