"""What a function promises: what is read of it, and each broken promise that is found."""

import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from infra import contract
from infra.aws.execution import Execution
from infra.toml import FileError
from tests.infra.fakes.history import event, invocation

CONTRACT = """\
example = "bill-1"
operations = ["step check", "wait pause", "step ship"]
rising = ["checkedAt", "shippedAt"]
event = {id = "{name}", tags = ["sample", "of-{name}"]}

[result]
id = "{name}"
done = {by = "us", times = 1}
checkedAt = "{number}"
shippedAt = "{number}"
"""
RESULT: dict[str, Any] = {"id": "smoke-1", "done": {"by": "us", "times": 1}, "checkedAt": 1000, "shippedAt": 6000}
CHECK = [event("StepStarted", 0.1, "check"), event("StepSucceeded", 0.2, "check")]
PAUSE = [event("WaitStarted", 0.2, "pause"), invocation(0, 0.3), event("WaitSucceeded", 5.2, "pause")]
SHIP = [event("StepStarted", 5.3, "ship"), event("StepSucceeded", 5.4, "ship")]
BRANCH = [event(kind, 0.2, "rest", ParentId="check") for kind in ("WaitStarted", "WaitSucceeded")]
BILL = [event("ChainedInvokeStarted", 5.4, "bill"), event("ChainedInvokeSucceeded", 5.4, "bill")]
LAST = invocation(5.2, 5.5)
STARTED, SUCCEEDED = event("ExecutionStarted", 0), event("ExecutionSucceeded", 5.5)


def history(*parts: Any) -> list[Any]:
    """Return the history of an execution, of the events, and lists of events, between its first and its last."""
    parts_as_lists: list[list[Any]] = [part if isinstance(part, list) else [part] for part in parts]
    return [STARTED, *chain(*parts_as_lists), SUCCEEDED]


def write(root: Path, text: str) -> Path:
    """Write the contract of a function, and return the file's path."""
    path = root / "functions" / "billing" / "contract.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


@pytest.fixture
def promised(tmp_path: Path) -> contract.Contract:
    write(tmp_path, CONTRACT)
    return contract.load("billing", tmp_path)


def ended(result: Any = RESULT, status: str = "SUCCEEDED", error: str | None = None) -> Execution:
    return Execution("arn", "smoke-1", "7", status, result, error)


@pytest.mark.parametrize(
    "legal",
    [
        pytest.param(history(CHECK, PAUSE, SHIP, LAST), id="once"),
        pytest.param(
            history(CHECK, PAUSE, SHIP[0], event("StepFailed", 5.4, "ship"), LAST, SHIP, invocation(7.4, 7.5)),
            id="a step that failed and was tried again",
        ),
        pytest.param(history(CHECK[0], invocation(0, 0.1), CHECK, PAUSE, SHIP, LAST), id="a step that was cut short"),
        pytest.param(history(CHECK, PAUSE, invocation(1, 1.1), SHIP, LAST, LAST), id="invoked again"),
        pytest.param(
            history(CHECK, PAUSE, SHIP, invocation(0.1, 5.4), LAST), id="invoked twice at once, and one ran through"
        ),
        pytest.param(
            history(CHECK, invocation(0, 0.25), PAUSE, invocation(1, 2), invocation(3, 5.3), SHIP, LAST),
            id="invoked more often than it takes",
        ),
        pytest.param(history(CHECK, PAUSE[0], PAUSE, SHIP, LAST), id="told twice that a wait began"),
        pytest.param(history(CHECK, PAUSE[0], PAUSE[2], PAUSE[1], SHIP, LAST), id="told late of an invocation"),
        pytest.param(history(CHECK, PAUSE, SHIP), id="not told of the last invocation yet"),
        pytest.param(
            history(CHECK, event("ExecutionPaused", 0.2), event("ExecutionResumed", 0.2), PAUSE, SHIP, LAST),
            id="paused",
        ),
        pytest.param(history(CHECK, BRANCH, PAUSE, SHIP, LAST), id="branches, of which one waits while another runs"),
    ],
)
def test_what_lambda_may_do_breaks_no_promise(promised: contract.Contract, legal: list[Any]) -> None:
    assert contract.problems(promised, "smoke-1", ended(), legal) == []


def operations(*found: str) -> str:
    return f"its operations are {list(found)}, and should be {['step check', 'wait pause', 'step ship']}"


NO_WAIT = "its wait pause was no durable wait: the invocation that began it ran on until it ended"


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        pytest.param(history(PAUSE, SHIP, LAST), operations("wait pause", "step ship"), id="missing"),
        pytest.param(
            history(CHECK, PAUSE[1:], SHIP, LAST), operations("step check", "step ship"), id="without a start"
        ),
        pytest.param(
            history(CHECK, PAUSE, [each | {"Name": "send"} for each in SHIP], LAST),
            operations("step check", "wait pause", "step send"),
            id="renamed",
        ),
        pytest.param(
            history(CHECK, SHIP, PAUSE, LAST), operations("step check", "step ship", "wait pause"), id="reordered"
        ),
        pytest.param(
            history(CHECK, PAUSE, SHIP, [each | {"Id": "2"} for each in SHIP], LAST),
            operations("step check", "wait pause", "step ship", "step ship"),
            id="repeated as another",
        ),
        pytest.param(
            history(CHECK, PAUSE, SHIP, BILL, LAST),
            operations("step check", "wait pause", "step ship", "invoke bill"),
            id="additional",
        ),
        pytest.param(history(), operations(), id="none"),
        pytest.param(
            history(CHECK, PAUSE, SHIP[0], event("StepFailed", 5.4, "ship"), LAST),
            "its step ship did not succeed: the last that is told of it is StepFailed",
            id="failed",
        ),
        pytest.param(
            history(CHECK, PAUSE, SHIP[0], LAST),
            "its step ship did not succeed: the last that is told of it is StepStarted",
            id="not ended",
        ),
        pytest.param(history(CHECK, PAUSE[0], PAUSE[2], SHIP, invocation(0, 5.5)), NO_WAIT, id="one invocation"),
        pytest.param(
            history(invocation(0, 0.1), CHECK, PAUSE[0], PAUSE[2], SHIP, invocation(0.15, 5.5)),
            NO_WAIT,
            id="a repeated invocation that held the wait",
        ),
        pytest.param(
            history(CHECK, PAUSE[0], PAUSE[2], SHIP, invocation(0, 5.5), invocation(1, 2)),
            NO_WAIT,
            id="a repeated invocation that ended beside the one that held the wait",
        ),
        pytest.param(history(CHECK, PAUSE[0], PAUSE[2], SHIP), NO_WAIT, id="told of no invocation"),
    ],
)
def test_a_history_that_differs_is_a_problem(promised: contract.Contract, broken: list[Any], problem: str) -> None:
    assert contract.problems(promised, "smoke-1", ended(), broken) == [problem]


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ("processed", "its result is 'processed', and should be an object"),
        (RESULT | {"id": "another"}, "its result.id is 'another', and should be 'smoke-1'"),
        (RESULT | {"id": "{name}"}, "its result.id is '{name}', and should be 'smoke-1'"),
        (RESULT | {"done": 1}, "its result.done is 1, and should be an object"),
        (RESULT | {"done": {"times": 1}}, "its result.done.by is None, and should be 'us'"),
        (RESULT | {"checkedAt": None}, "its result.checkedAt is None, and should be a number"),
        (RESULT | {"checkedAt": True}, "its result.checkedAt is True, and should be a number"),
        (RESULT | {"shippedAt": "6000"}, "its result.shippedAt is '6000', and should be a number"),
        (
            RESULT | {"shippedAt": 999.5},
            "its result's checkedAt, shippedAt are [1000, 999.5], and should not fall",
        ),
    ],
)
def test_a_result_that_differs_is_a_problem(promised: contract.Contract, result: Any, problem: str) -> None:
    assert contract.problems(promised, "smoke-1", ended(result), history(CHECK, PAUSE, SHIP, LAST)) == [problem]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "STOPPED", "DELETING"])
def test_any_end_but_success_is_a_problem(promised: contract.Contract, status: str) -> None:
    for error, told in [("boom", "boom"), (None, "no error was given")]:
        found = contract.problems(promised, "smoke-1", ended(None, status, error), history(CHECK, PAUSE, SHIP, LAST))
        assert found == [f"it ended as {status}: {told}"]


# Two branches, in one of which what the contract names failed.
NESTED = [
    event("ContextStarted", 0, "wrap", SubType="Parallel"),
    *(event("ContextStarted", 0, each, SubType="ParallelBranch", ParentId="wrap") for each in "ab"),
    *(event("StepStarted", 0, f"pack {each}", ParentId=each) | {"Name": "pack"} for each in "ab"),
    event("StepFailed", 1, "pack a", ParentId="a"),
    event("StepSucceeded", 1, "pack b", ParentId="b"),
    event("ContextSucceeded", 1, "wrap", SubType="Parallel"),
]


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("parallel wrap > step pack", None),
        ("parallel wrap > branch b > step pack", None),
        (
            "parallel wrap > branch a > step pack",
            "its parallel wrap > branch a > step pack did not succeed: the last that is told of it is StepFailed",
        ),
        ("parallel wrap > step send", "its operations are ['parallel wrap'], and should be"),
        ("branch a > step pack", "its operations are ['parallel wrap'], and should be"),
    ],
)
def test_what_runs_in_another_may_be_named_with_it(tmp_path: Path, named: str, problem: str | None) -> None:
    text = CONTRACT.replace('"step check", "wait pause", "step ship"', f'"parallel wrap", "{named}"')
    write(tmp_path, text)
    found = contract.problems(contract.load("billing", tmp_path), "smoke-1", ended(), history(NESTED))
    assert len(found) == (1 if problem else 0)
    assert not problem or found[0].startswith(problem)


def test_callbacks_are_answered_with_the_name_of_the_execution(tmp_path: Path) -> None:
    text = CONTRACT.replace('"wait pause"', '"callback pause"').replace(
        "[result]", '[callbacks]\npause = "{name}"\n\n[result]'
    )
    write(tmp_path, text)
    assert contract.load("billing", tmp_path).answers_of("smoke-1") == {"pause": b'"smoke-1"'}


def test_an_event_carries_the_name_of_its_execution(promised: contract.Contract) -> None:
    assert promised.event_of("smoke-1") == {"id": "smoke-1", "tags": ["sample", "of-smoke-1"]}
    assert promised.sample == promised.event_of("bill-1")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"step check"',
            '"check"',
            "operations = 'check': must be the operations in their order, each a kind and a name",
        ),
        ('"step check"', '"task check"', "operations = 'task check': must be the operations in their order"),
        ('example = "bill-1"\n', "", "example: missing; must be the name of an execution"),
        ('"bill-1"', '"bill 1"', "example = 'bill 1': must be the name of an execution"),
        ('"us"', "2026-01-01", "result = datetime.date(2026, 1, 1): must be a table of what JSON can say"),
        ('["checkedAt"', '["id"', """rising = 'id': must be a key that [result] has as "{number}\""""),
        (
            "rising =",
            "falling =",
            "falling: unknown key; known here: example, operations, rising, callbacks, event, result",
        ),
    ],
)
def test_a_contract_that_is_wrong_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert CONTRACT.count(old) == 1
    path = write(tmp_path, CONTRACT.replace(old, new))
    with pytest.raises(FileError, match=re.escape(f"{path}: {message}")):
        contract.load("billing", tmp_path)


def test_a_contract_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "functions" / "billing" / "contract.toml"
    with pytest.raises(FileError, match=re.escape(f"{path}: there is no such file")):
        contract.load("billing", tmp_path)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"id": "any", "tags": []}, []),
        ({"id": "any", "tags": [7], "more": {}}, []),
        ({"tags": []}, ["id is missing, and the contract's event has it"]),
        (
            {"id": 7, "tags": None},
            ["id is a number, and the contract's is a string", "tags is null, and the contract's is a list"],
        ),
        ({"id": True, "tags": []}, ["id is true or false, and the contract's is a string"]),
        ([], ["the event is a list, and the contract's is an object"]),
    ],
)
def test_in_what_an_event_is_unlike_the_contract_s(found: Any, told: list[str], promised: contract.Contract) -> None:
    assert contract.unlike(promised, found) == told


def test_what_is_missing_further_in_is_named_by_its_path(promised: contract.Contract) -> None:
    deep = promised.model_copy(update={"event": {"order": {"lines": {"count": 1}}}})
    assert contract.unlike(deep, {"order": {"lines": {}}}) == [
        "order.lines.count is missing, and the contract's event has it"
    ]
