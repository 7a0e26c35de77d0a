"""The gate on a function, on copies of it with one thing changed each, and on several functions."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_durable_execution_sdk_python.lambda_service import OperationStatus

from infra import ROOT
from infra.replay import recorded, recording
from infra.replay.__main__ import main
from infra.replay.check import Break, check
from infra.replay.code import imported
from infra.replay.history import SDK, History, HistoryError, load
from tests.infra.fakes.environments import PROJECT

REPLAYED = Path(__file__).with_name("replayed")
SOURCE = (REPLAYED / "handler.py").read_text()
CHECK = '    checked = context.step(lambda _: check(event), name="check")\n'
WAIT = '    context.wait(Duration.from_seconds(5), name="pause")\n'
PAY = '    paid_at = context.step(lambda _: pay(bill), name="pay")\n'
EXTRA = '    context.step(lambda _: None, name="reserve")\n'
BRANCHES = """
    context.parallel(
        [
            lambda branch: branch.step(lambda _: None, name="reserve"),
            lambda branch: branch.wait(Duration.from_seconds(5), name="rest"),
        ],
        name="prepare",
    )
"""

WAITING, LAST = "1-pause-started", "3-pay-succeeded"
AFTER_THE_WAIT = {"2-pay-pending", LAST}
ALL = {WAITING, *AFTER_THE_WAIT}
FIRST, SECOND, THIRD = "operation 1, step check", "operation 2, wait pause", "operation 3, step pay"
INSERTED = "another is inserted before it: the code now has step reserve here"

Change = tuple[str, str]
Checkout = Callable[..., Path]


def write_function(root: Path, name: str, source: str) -> Path:
    """Write a function of that code, and return its folder."""
    folder = root / "functions" / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "handler.py").write_text(source)
    shutil.copy(PROJECT.root / "functions" / name / "contract.toml", folder)
    return folder


def write_billing(root: Path, changes: Sequence[Change]) -> Path:
    source = SOURCE
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    write_function(root, "billing", source)
    recording("billing", root).parent.mkdir(parents=True)
    shutil.copy(REPLAYED / "recording.py", recording("billing", root))
    return root


def run_apart(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own: the local runner leaves the event loop open that it makes."""
    code = (
        "import logging, sys; from pathlib import Path; from infra.replay.__main__ import main;"
        "logging.disable(); sys.exit(main(sys.argv[2:], Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(root), *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)


def bytes_of(root: Path, function: str = "billing") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in recorded(function, root).iterdir()}


@pytest.fixture(scope="module")
def billing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout in which `billing` is as it was recorded."""
    root = write_billing(tmp_path_factory.mktemp("recorded"), [])
    done = run_apart(root, "record")
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def histories(billing: Path) -> list[History]:
    return load("billing", billing)


@pytest.fixture
def checkout(tmp_path: Path, billing: Path) -> Checkout:
    """Make a checkout of the recorded histories, with a handler in which every old text is replaced by the new one."""

    def make(*changes: Change) -> Path:
        root = write_billing(tmp_path / "changed", changes)
        shutil.copytree(recorded("billing", billing), recorded("billing", root))
        return root

    return make


def breaks(root: Path, histories: Sequence[History]) -> list[Break]:
    with imported("billing", root) as handler:
        return check(handler, histories)


def test_what_was_recorded_replays(billing: Path, histories: list[History]) -> None:
    assert {history.name for history in histories} == ALL
    assert breaks(billing, histories) == []


@pytest.mark.parametrize(
    ("changes", "operation", "reason"),
    [
        pytest.param(
            [('"check"', '"verify"')], FIRST, "renamed or replaced: the code now has step verify here", id="name-1"
        ),
        pytest.param(
            [('"pause"', '"rest"')], SECOND, "renamed or replaced: the code now has wait rest here", id="name-2"
        ),
        pytest.param(
            [('name="pay"', 'name="send"')],
            THIRD,
            "renamed or replaced: the code now has step send here",
            id="name-3",
        ),
        pytest.param([(CHECK, EXTRA + CHECK)], FIRST, INSERTED, id="insert-first"),
        pytest.param([(WAIT, EXTRA + WAIT)], SECOND, INSERTED, id="insert-before-the-wait"),
        pytest.param([(WAIT, EXTRA + EXTRA + WAIT)], SECOND, INSERTED, id="insert-two"),
        pytest.param([(WAIT, WAIT + EXTRA)], THIRD, INSERTED, id="insert-after-the-wait"),
        pytest.param(
            [(WAIT, EXTRA.replace("context", "stock = context") + "    len(stock)\n" + WAIT)],
            SECOND,
            "renamed, removed or moved: the code now has step reserve here",
            id="insert-one-whose-result-is-needed",
        ),
        pytest.param(
            [(CHECK, '    checked = {"billId": "bill-123"}\n')],
            FIRST,
            "removed: the code now has wait pause here",
            id="remove-1",
        ),
        pytest.param([(WAIT, "")], SECOND, "removed: the code now has step pay here", id="remove-2"),
        pytest.param([(PAY, "    paid_at = 0\n")], THIRD, "removed, or not reached any more", id="remove-3"),
        pytest.param(
            [(WAIT, ""), (PAY, PAY + WAIT)], SECOND, "reordered: the code now has step pay here", id="reorder"
        ),
        pytest.param(
            [(WAIT, '    context.step(lambda _: None, name="pause")\n')],
            SECOND,
            "changed: the code now has step pause here",
            id="another-type",
        ),
        pytest.param([('checked["billId"]', 'checked["bill"]')], SECOND, "the handler fails before it", id="before"),
        pytest.param([(PAY, PAY + "    raise ValueError\n")], THIRD, "the handler fails after it", id="after"),
    ],
)
def test_a_handler_that_can_not_resume_is_red(
    changes: list[Change], operation: str, reason: str, checkout: Checkout, histories: list[History]
) -> None:
    found = breaks(checkout(*changes), histories)
    assert {(each.operation, each.reason) for each in found} == {(operation, reason)}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        pytest.param([(WAIT, "")], ALL, id="the-wait"),
        pytest.param([(WAIT, WAIT + EXTRA)], AFTER_THE_WAIT, id="after-the-wait"),
        pytest.param([(PAY, PAY + "    raise ValueError\n")], {LAST}, id="after-the-last"),
    ],
)
def test_only_histories_that_passed_the_change_are_red(
    changes: list[Change], broken: set[str], checkout: Checkout, histories: list[History]
) -> None:
    assert {each.history for each in breaks(checkout(*changes), histories)} == broken


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([('"checkedAt": now()}', '"checkedAt": now() + 1}')], id="body-of-a-finished-step"),
        pytest.param([("    raise ConnectionError(", "    raise ZeroDivisionError(")], id="body-of-a-retry"),
        pytest.param([('"Checked"', '"Fine"')], id="log-line"),
        pytest.param([("from_seconds(5)", "from_seconds(50)")], id="duration-of-the-wait"),
        pytest.param([(PAY, PAY + EXTRA)], id="step-added-at-the-end"),
        pytest.param([(PAY, PAY + WAIT.replace("pause", "cool-down"))], id="wait-at-the-end"),
    ],
)
def test_a_change_that_keeps_the_operations_is_green(
    changes: list[Change], checkout: Checkout, histories: list[History]
) -> None:
    assert breaks(checkout(*changes), histories) == []


@pytest.mark.parametrize("status", [OperationStatus.READY, OperationStatus.STARTED, None])
def test_no_step_runs(status: OperationStatus | None, checkout: Checkout, histories: list[History]) -> None:
    root = checkout(("    raise ConnectionError(", "    RAN.append("))
    ran: list[object] = []
    history = next(each for each in histories if each.name == LAST)
    before = history.operations[:-1]
    operations = [*before, replace(history.operations[-1], status=status)] if status else before
    with imported("billing", root) as handler:
        vars(sys.modules["billing.handler"])["RAN"] = ran
        assert check(handler, [replace(history, operations=operations)]) == []
    assert ran == []


def test_a_red_history_tells_of_a_bump_of_the_sdk(checkout: Checkout, histories: list[History]) -> None:
    root = checkout((WAIT, ""))
    own, other = histories[0], replace(histories[0], sdk="0.1.0")
    assert "recorded with" not in str(breaks(root, [own])[0])
    assert str(breaks(root, [other])[0]).endswith(f"recorded with version 0.1.0 of the SDK, replayed with {SDK}")


def test_recording_again_gives_the_same_bytes_and_nothing_else_stays(billing: Path, checkout: Checkout) -> None:
    root = checkout()
    (recorded("billing", root) / "of-an-operation-that-is-gone.json").touch()
    done = run_apart(root, "record")
    assert done.stdout.splitlines() == [
        *(f"Recorded tests/functions/billing/recorded/{name}.json" for name in sorted(ALL)),
        "3 of 3 recorded histories replay",
    ]
    assert bytes_of(root) == bytes_of(billing)
    assert str(ROOT).encode() not in b"".join(bytes_of(root).values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            (PAY, PAY + '    raise ValueError("boom")\n'),
            "ends FAILED: ValueError: boom; what it calls",
        ),
        ((SOURCE[SOURCE.index(CHECK) : SOURCE.index("\n\ndef check")], "    return event\n"), "has no operations"),
    ],
)
def test_what_does_not_succeed_is_not_recorded(change: Change, message: str, checkout: Checkout, billing: Path) -> None:
    root = checkout(change)
    done = run_apart(root, "record")
    assert done.returncode == 2
    assert f"{recorded('billing', root)}: stays as it is, since the execution of the contract's event" in done.stderr
    assert message in done.stderr
    assert bytes_of(root) == bytes_of(billing)


def test_what_does_not_end_is_not_recorded(checkout: Checkout) -> None:
    root = checkout((WAIT, "    import threading\n    threading.Event().wait()\n"))
    code = (
        "import os, sys; from pathlib import Path; from infra.replay.code import imported; from infra.replay.record"
        " import record\nwith imported('billing', Path(sys.argv[1])) as handler:\n"
        "    try: record(handler, {'billId': ''}, Path(), 1)\n"
        "    except Exception as error: print(type(error).__name__, error, file=sys.stderr, flush=True)\n"
        "    os._exit(1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert "HistoryError .: stays as it is" in done.stderr
    assert "does not end within 1 s" in done.stderr


def test_branches_are_replayed_as_well(tmp_path: Path) -> None:
    root = write_billing(tmp_path / "branches", [(WAIT, BRANCHES)])
    assert "of 3 recorded histories replay" in run_apart(root, "record").stdout
    histories = load("billing", root)
    assert breaks(root, histories) == []
    changed = write_billing(tmp_path / "changed", [(WAIT, BRANCHES.replace('"rest"', '"sleep"'))])
    (broken,) = breaks(changed, histories)
    assert broken.operation.endswith(", wait rest")
    assert broken.reason == "renamed or replaced: the code now has wait sleep here"


def test_a_contract_with_other_operations_is_red_with_the_line_that_it_should_have(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    root = checkout()
    contract = root / "functions" / "billing" / "contract.toml"
    contract.write_text(contract.read_text().replace('"wait pause", ', ""))
    assert main(["check"], root) == 1
    assert capsys.readouterr().err == (
        'functions/billing/contract.toml: operations: must be ["step check", "wait pause", "step pay"], as in the '
        "recorded histories\n"
    )


def test_the_command_says_which_operation_broke_and_exits_with_1(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"], checkout(('"pause"', '"rest"'))) == 1
    output = capsys.readouterr()
    assert f"{WAITING}: {SECOND}: renamed or replaced: the code now has wait rest here\n  " in output.err
    assert "NonDeterministicExecutionError" in output.err
    assert output.out == "0 of 3 recorded histories replay\n"


def test_the_command_exits_with_0_when_all_replay(billing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], billing) == 0
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
    content: str, message: str, checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    root = checkout()
    odd = recorded("billing", root) / "odd.json"
    odd.write_text(content)
    assert main(["check"], root) == 2
    error = capsys.readouterr().err
    assert f"{odd}: " in error
    assert message in error
    assert "`make record FUNCTION=billing` records some" in error


def test_no_recorded_history_is_not_a_success(tmp_path: Path) -> None:
    folder = recorded("billing", tmp_path)
    with pytest.raises(HistoryError) as error:
        load("billing", tmp_path)
    assert str(error.value) == f"{folder}: holds no recorded history; `make record FUNCTION=billing` records some"


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("functions/billing/handler.py", "", "must have a function handler() under @durable_execution"),
        ("functions/billing/handler.py", "def handler(): ...", "must have a function handler()"),
        ("tests/functions/billing/recording.py", "", "must have a function replaced() that returns a context manager"),
        ("tests/functions/billing/recording.py", "def replaced(): return 1", "must have a function replaced()"),
        ("functions/billing/contract.toml", "example = 1", "example = 1: must be the name of an execution"),
    ],
)
def test_a_file_of_a_function_that_is_wrong_is_named(
    path: str, content: str, message: str, checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    root = checkout()
    (root / path).write_text(content)
    assert main(["record"], root) == 2
    error = capsys.readouterr().err
    assert f"{path}: {message}" in error


def test_a_function_that_is_not_there_is_refused(billing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--function", "refunds"], billing) == 2
    assert capsys.readouterr().err == "there is no function refunds in functions/; there are billing\n"


# Two functions whose modules have the same names, and a package that both share and that keeps a count.
REFUNDS = """
from aws_durable_execution_sdk_python import durable_execution

from refunds.amounts import AMOUNT
from money.ledger import enter


@durable_execution
def handler(event, context):
    context.step(lambda _: [AMOUNT, enter(), str(context.execution_context.durable_execution_arn)], name="refund")
    return event
"""
BILLING = REFUNDS.replace("refunds", "billing").replace("refund", "pay / all")
LEDGER = "entries = []\n\n\ndef enter():\n    entries.append(1)\n    return len(entries)\n"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    for number, (name, source) in enumerate({"billing": BILLING, "refunds": REFUNDS}.items()):
        folder = write_function(tmp_path, name, source)
        (folder / "amounts.py").write_text(f"AMOUNT = {number}\n")
    contract = tmp_path / "functions" / "billing" / "contract.toml"
    contract.write_text(contract.read_text().replace('["step check", "wait pause", "step pay"]', '["step pay / all"]'))
    (tmp_path / "functions" / "money").mkdir()
    (tmp_path / "functions" / "money" / "ledger.py").write_text(LEDGER)
    return tmp_path


def results(root: Path, function: str) -> Any:
    (history,) = load(function, root)
    (operation,) = history.operations
    assert operation.step_details
    return json.loads(operation.step_details.result or "")


def test_each_function_is_recorded_by_itself_with_a_copy_of_what_they_share(two: Path) -> None:
    done = run_apart(two, "record")
    assert done.stdout.splitlines() == [
        "Recorded tests/functions/billing/recorded/1-pay-all-succeeded.json",
        "billing: 1 of 1 recorded histories replay",
        "Recorded tests/functions/refunds/recorded/1-refund-succeeded.json",
        "refunds: 1 of 1 recorded histories replay",
    ]
    (billed, refunded) = (results(two, name) for name in ("billing", "refunds"))
    assert [billed[:2], refunded[:2]] == [[0, 1], [1, 1]]
    assert billed[2] == refunded[2], "an execution has the same ARN in every recording"


def test_one_function_alone_is_recorded(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_apart(two, "record", "--function", "refunds")
    assert done.stdout.splitlines()[-1] == "1 of 1 recorded histories replay"
    assert main(["check"], two) == 2
    output = capsys.readouterr()
    assert output.out == "refunds: 1 of 1 recorded histories replay\n", "the other function is checked all the same"
    assert output.err.endswith(
        "billing/recorded: holds no recorded history; `make record FUNCTION=billing` records some\n"
    )


def test_a_break_is_told_with_its_function(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_apart(two, "record").returncode == 0
    handler = two / "functions" / "refunds" / "handler.py"
    handler.write_text(handler.read_text().replace('name="refund"', 'name="give-back"'))
    assert main(["check"], two) == 1
    output = capsys.readouterr()
    assert output.err.startswith("refunds: 1-refund-succeeded: operation 1, step refund: renamed or replaced")
    assert output.out == ("billing: 1 of 1 recorded histories replay\nrefunds: 0 of 1 recorded histories replay\n")


def test_nothing_that_was_imported_stays(two: Path) -> None:
    before = list(sys.path), dict(sys.modules)
    for name in ("billing", "refunds", "billing"):
        with imported(name, two):
            own = {f"{name}.handler", f"{name}.amounts", "money.ledger"}
            assert own <= sys.modules.keys()
    assert (list(sys.path), dict(sys.modules)) == before
