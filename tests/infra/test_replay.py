"""The gate on the handler as it is, and on copies of it with one thing changed each."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from aws_durable_execution_sdk_python.lambda_service import OperationStatus

from infra import ROOT, contract
from infra.contract import load as load_contract
from infra.replay import RECORDED
from infra.replay import __main__ as command
from infra.replay.check import check, compare
from infra.replay.history import SDK, History, HistoryError, load
from orders import handler as orders

SOURCE = (ROOT / "functions" / "orders" / "handler.py").read_text()
WAIT = '    context.wait(WAIT_BEFORE_PROCESSING, name="wait-before-processing")\n'
PROCESS = SOURCE[
    SOURCE.index("    processed_at = context.step(") : SOURCE.index('    context.logger.info("Order processed"')
]
EXTRA = '    context.step(lambda _: None, name="reserve-stock")\n'
BRANCHES = """
    context.parallel(
        [
            lambda branch: branch.step(lambda _: None, name="reserve-stock"),
            lambda branch: branch.wait(WAIT_BEFORE_PROCESSING, name="pause"),
        ],
        name="prepare",
    )
"""
VALIDATE = "    validated = _validate(context, event, log_fields)\n"

WAITING, LAST = "1-wait-before-processing-started", "3-process-order-succeeded"
AFTER_THE_WAIT = {"2-process-order-pending", LAST}
ALL = {WAITING, *AFTER_THE_WAIT}
FIRST, SECOND, THIRD = (
    "operation 1, STEP validate-order",
    "operation 2, WAIT wait-before-processing",
    "operation 3, STEP process-order",
)
INSERTED = "another is inserted before it: the code now has STEP reserve-stock here"

Mutate = Callable[..., ModuleType]


@pytest.fixture
def mutant(tmp_path: Path) -> Mutate:
    """Import a copy of the handler in which every old text is replaced by the new one."""

    def load_copy(*changes: tuple[str, str]) -> ModuleType:
        source = SOURCE
        for old, new in changes:
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        path = tmp_path / "mutant.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("mutant", path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load_copy


@pytest.fixture
def histories() -> list[History]:
    return load(RECORDED)


def test_every_recorded_history_replays(histories: list[History]) -> None:
    assert {history.name for history in histories} == ALL
    assert check(orders.handler, histories) == []


@pytest.mark.parametrize(
    ("changes", "operation", "reason"),
    [
        pytest.param(
            [('"validate-order"', '"check-order"')],
            FIRST,
            "renamed or replaced: the code now has STEP check-order here",
            id="rename-1",
        ),
        pytest.param(
            [('"wait-before-processing"', '"pause"')],
            SECOND,
            "renamed or replaced: the code now has WAIT pause here",
            id="rename-2",
        ),
        pytest.param(
            [('name="process-order"', 'name="ship"')],
            THIRD,
            "renamed or replaced: the code now has STEP ship here",
            id="rename-3",
        ),
        pytest.param([(VALIDATE, EXTRA + VALIDATE)], FIRST, INSERTED, id="insert-first"),
        pytest.param([(WAIT, EXTRA + WAIT)], SECOND, INSERTED, id="insert-before-the-wait"),
        pytest.param([(WAIT, EXTRA + EXTRA + WAIT)], SECOND, INSERTED, id="insert-two"),
        pytest.param([(WAIT, WAIT + EXTRA)], THIRD, INSERTED, id="insert-after-the-wait"),
        pytest.param(
            [(WAIT, EXTRA.replace("context", "stock = context") + "    len(stock)\n" + WAIT)],
            SECOND,
            "renamed, removed or moved: the code now has STEP reserve-stock here",
            id="insert-one-whose-result-is-needed",
        ),
        pytest.param(
            [(VALIDATE, '    validated: ValidatedOrder = {"orderId": "order-123", "validatedAt": 0}\n')],
            FIRST,
            "removed: the code now has WAIT wait-before-processing here",
            id="remove-1",
        ),
        pytest.param([(WAIT, "")], SECOND, "removed: the code now has STEP process-order here", id="remove-2"),
        pytest.param([(PROCESS, "    processed_at = 0\n")], THIRD, "removed, or not reached any more", id="remove-3"),
        pytest.param(
            [(WAIT, ""), (PROCESS, PROCESS + WAIT)],
            SECOND,
            "reordered: the code now has STEP process-order here",
            id="reorder",
        ),
        pytest.param(
            [(WAIT, '    context.step(lambda _: None, name="wait-before-processing")\n')],
            SECOND,
            "changed: the code now has STEP wait-before-processing here",
            id="another-type",
        ),
        pytest.param(
            [('validated["orderId"]', 'validated["order"]')], SECOND, "the handler fails before it", id="failure-before"
        ),
        pytest.param(
            [(PROCESS, PROCESS + "    raise ValueError\n")], THIRD, "the handler fails after it", id="failure-after"
        ),
    ],
)
def test_a_handler_that_can_not_resume_is_red(
    changes: list[tuple[str, str]], operation: str, reason: str, mutant: Mutate, histories: list[History]
) -> None:
    breaks = check(mutant(*changes).handler, histories)
    assert {(each.operation, each.reason) for each in breaks} == {(operation, reason)}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        pytest.param([(WAIT, "")], ALL, id="the-wait"),
        pytest.param([(WAIT, WAIT + EXTRA)], AFTER_THE_WAIT, id="after-the-wait"),
        pytest.param([(PROCESS, PROCESS + "    raise ValueError\n")], {LAST}, id="after-processing"),
    ],
)
def test_only_histories_that_passed_the_change_are_red(
    changes: list[tuple[str, str]], broken: set[str], mutant: Mutate, histories: list[History]
) -> None:
    assert {each.history for each in check(mutant(*changes).handler, histories)} == broken


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([('"validatedAt": _now()}', '"validatedAt": _now() + 1}')], id="body-of-a-finished-step"),
        pytest.param(
            [("    process(order, idempotency_key)\n", "    raise ZeroDivisionError\n")], id="body-of-a-retry"
        ),
        pytest.param([('"Order validated"', '"Order is fine"')], id="log-line"),
        pytest.param([("from_seconds(5)", "from_seconds(50)")], id="duration-of-the-wait"),
        pytest.param([(PROCESS, PROCESS + EXTRA)], id="step-added-at-the-end"),
        pytest.param([(PROCESS, PROCESS + WAIT.replace("wait-before-processing", "cool-down"))], id="wait-at-the-end"),
    ],
)
def test_a_change_that_keeps_the_operations_is_green(
    changes: list[tuple[str, str]], mutant: Mutate, histories: list[History]
) -> None:
    assert check(mutant(*changes).handler, histories) == []


@pytest.mark.parametrize("status", [OperationStatus.READY, OperationStatus.STARTED, None])
def test_no_step_runs(status: OperationStatus | None, mutant: Mutate, histories: list[History]) -> None:
    module = mutant(("    process(order, idempotency_key)\n", "    RAN.append(order)\n"))
    ran: list[object] = []
    vars(module)["RAN"] = ran
    history = next(each for each in histories if each.name == LAST)
    before = history.operations[:-1]
    operations = [*before, replace(history.operations[-1], status=status)] if status else before
    assert check(module.handler, [replace(history, operations=operations)]) == []
    assert ran == []


def test_a_red_history_tells_of_a_bump_of_the_sdk(mutant: Mutate, histories: list[History]) -> None:
    handler = mutant((WAIT, "")).handler
    own, other = histories[0], replace(histories[0], sdk="0.1.0")
    assert "recorded with" not in str(check(handler, [own])[0])
    assert str(check(handler, [other])[0]).endswith(f"recorded with version 0.1.0 of the SDK, replayed with {SDK}")


def record_apart(module: str, path: Path, *folders: Path) -> None:
    """Record in a process of its own: the local runner leaves the event loop open that it makes."""
    code = (
        "import sys; from importlib import import_module; from pathlib import Path;"
        "from infra.contract import load; from infra.replay.record import record;"
        "[record(import_module(sys.argv[1]), load().sample, Path(folder)) for folder in sys.argv[2:]]"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(ROOT / "functions")])}
    subprocess.run([sys.executable, "-c", code, module, *map(str, folders)], check=True, cwd=ROOT, env=environ)


def test_recording_gives_the_same_bytes_each_time_and_replays(tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    folders[0].mkdir()
    (folders[0] / "of-an-operation-that-is-gone.json").touch()
    record_apart("orders.handler", tmp_path, *folders)
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert first == second
    assert set(first) == {f"{name}.json" for name in ALL}
    assert str(ROOT).encode() not in b"".join(first.values())
    assert check(orders.handler, load(folders[0])) == []


def test_a_handler_that_fails_is_not_recorded(
    mutant: Mutate, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mutant((PROCESS, PROCESS + "    raise ValueError\n"))
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "old.json").touch()
    with pytest.raises(subprocess.CalledProcessError):
        record_apart("mutant", tmp_path, folder)
    assert "HistoryError: nothing is recorded: the order ends FAILED" in capfd.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["old.json"]


def test_branches_are_replayed_as_well(mutant: Mutate, tmp_path: Path) -> None:
    module = mutant((WAIT, BRANCHES))
    record_apart("mutant", tmp_path, tmp_path / "recorded")
    recorded = load(tmp_path / "recorded")
    assert check(module.handler, recorded) == []
    (broken,) = check(mutant((WAIT, BRANCHES.replace('"pause"', '"rest"'))).handler, recorded)
    assert broken.operation.endswith(", WAIT pause")
    assert broken.reason == "renamed or replaced: the code now has WAIT rest here"


def test_the_contract_has_the_operations_of_the_recorded_histories(histories: list[History]) -> None:
    assert compare(load_contract(), histories) == []


def test_a_contract_with_other_operations_is_red_with_the_line_that_it_should_have(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = load_contract().model_copy(update={"operations": ["step validate-order", "step process-order"]})
    monkeypatch.setattr(contract, "load", lambda: stale)
    assert command.main(["check"]) == 1
    assert capsys.readouterr().err == (
        'functions/orders/contract.toml: operations: must be ["step validate-order", "wait wait-before-processing", '
        '"step process-order"], as in the recorded histories\n'
    )


def test_the_command_says_which_operation_broke_and_exits_with_1(
    mutant: Mutate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(orders, "handler", mutant(('"wait-before-processing"', '"pause"')).handler)
    assert command.main(["check"]) == 1
    output = capsys.readouterr()
    assert f"{WAITING}: {SECOND}: renamed or replaced: the code now has WAIT pause here\n  " in output.err
    assert "NonDeterministicExecutionError" in output.err
    assert output.out == "0 of 3 recorded histories replay\n"


def test_the_command_exits_with_0_when_all_replay(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    assert capsys.readouterr().out == "3 of 3 recorded histories replay\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"sdk": "3.0.0", "event": {}}', "KeyError: 'operations'"),
        ('{"event": {}, "operations": [{"Id": "1", "Type": "STEP", "Status": "STARTED"}]}', "KeyError: 'sdk'"),
        ('{"sdk": "3.0.0", "event": {}, "operations": []}', "operations: is empty"),
        ('{"sdk": "3.0.0", "event": {}, "operations": [{"Id": "1", "Type": "STEP", "Status": "SOON"}]}', "'SOON'"),
    ],
)
def test_a_file_that_is_no_history_is_named(
    content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.json").write_text(content)
    monkeypatch.setattr(command, "RECORDED", tmp_path)
    assert command.main(["check"]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path / 'odd.json'}: " in error
    assert message in error


def test_no_recorded_history_is_not_a_success(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="holds no recorded history"):
        load(tmp_path)
