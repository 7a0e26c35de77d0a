"""The gate on a function with an operation of every kind, each renamed, moved and removed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.replay import recorded, recording
from infra.replay.__main__ import main
from infra.replay.history import History, load
from tests.infra.test_replay import Change, breaks, bytes_of, run_apart

OPERATIONS = Path(__file__).with_name("operations")
SOURCE = (OPERATIONS / "handler.py").read_text()
APPROVAL = '    approval = read(context.wait_for_callback(ask, name="approval"))\n'
RECEIPT = '    receipt = context.create_callback(name="receipt")\n'
PACK = '    packed = context.run_in_child_context(pack, name="pack")\n'
LABEL = 'ParallelBranch(label, name="label")'
GLUE = 'ParallelBranch(glue, name="glue")'
WEIGH = '    weights = context.map([1, 2], weigh, name="weigh")\n'
SHIPPED = '    context.wait_for_condition(look, WaitForConditionConfig(twice, 0), name="shipped")\n'
REFUND = """    refund = context.invoke(f"{os.environ['REFUNDS']}:live", {"refundId": bill}, name="refund")\n"""
ENTER = """    entry = context.invoke(os.environ["LEDGER"], {"bill": bill}, name="enter")\n"""
END = '    return {\n        "billId"'
RECORDING = "tests/functions/billing/recording.py"

Checkout = Callable[..., Path]


def write(root: Path, *changes: Change) -> Path:
    """Write the function, with every old text replaced by the new one, into a checkout."""
    source = SOURCE
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    folder = root / "functions" / "billing"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "handler.py").write_text(source)
    shutil.copy(OPERATIONS / "contract.toml", folder)
    recording("billing", root).parent.mkdir(parents=True)
    shutil.copy(OPERATIONS / "recording.py", recording("billing", root))
    return root


@pytest.fixture(scope="module")
def billing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write(tmp_path_factory.mktemp("recorded"))
    done = run_apart(root, "record")
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def histories(billing: Path) -> list[History]:
    return load("billing", billing)


@pytest.fixture
def checkout(tmp_path: Path, billing: Path) -> Checkout:
    def make(*changes: Change) -> Path:
        root = write(tmp_path / "changed", *changes)
        shutil.copytree(recorded("billing", billing), recorded("billing", root))
        return root

    return make


def test_what_was_recorded_replays(billing: Path, histories: list[History]) -> None:
    assert breaks(billing, histories) == []
    operations = max((history.operations for history in histories), key=len)
    assert {operation.sub_type for operation in operations} == {
        *("Step", "Wait", "Callback", "WaitForCallback", "WaitForCondition", "RunInChildContext"),
        *("Parallel", "ParallelBranch", "Map", "MapIteration", "ChainedInvoke"),
    }


def test_recording_again_gives_the_same_bytes(billing: Path, checkout: Checkout) -> None:
    root = checkout()
    assert run_apart(root, "record").returncode == 0
    assert bytes_of(root) == bytes_of(billing)


@pytest.mark.parametrize(
    ("changes", "operation"),
    [
        pytest.param([('name="approval"', 'name="consent"')], "callback approval", id="callback renamed"),
        pytest.param([(APPROVAL, '    approval = {"approved": True}\n')], "callback approval", id="callback removed"),
        pytest.param([(APPROVAL + RECEIPT, RECEIPT + APPROVAL)], "callback approval", id="callbacks reordered"),
        pytest.param([('name="receipt"', 'name="bill"')], "callback receipt", id="created callback renamed"),
        pytest.param([('name="pack"', 'name="wrap up"')], "context pack", id="context renamed"),
        pytest.param([(PACK, '    packed = "in a box"\n')], "context pack", id="context removed"),
        pytest.param([('name="wrap"', 'name="cover"')], "parallel wrap", id="parallel renamed"),
        pytest.param([('name="label"', 'name="tag"')], "branch label", id="branch renamed"),
        pytest.param([(f"{LABEL}, {GLUE}", f"{GLUE}, {LABEL}")], "branch label", id="branches reordered"),
        pytest.param([(f"{LABEL}, ", "")], "branch label", id="first branch removed"),
        pytest.param([(f", {GLUE}", "")], "branch glue", id="last branch removed"),
        pytest.param([('name="dry"', 'name="harden"')], "wait dry", id="wait in a branch renamed"),
        pytest.param([('name="weigh"', 'name="measure"')], "map weigh", id="map renamed"),
        pytest.param([('name="shipped"', 'name="sent"')], "condition shipped", id="condition renamed"),
        pytest.param([(SHIPPED, "")], "condition shipped", id="condition removed"),
        pytest.param([('name="refund"', 'name="give back"')], "invoke refund", id="invoke renamed"),
        pytest.param([(REFUND + ENTER, ENTER + REFUND)], "invoke refund", id="invokes reordered"),
        pytest.param([(ENTER, "    entry = None\n")], "invoke enter", id="invoke removed"),
        pytest.param([(WEIGH + SHIPPED, SHIPPED + WEIGH)], "map weigh", id="map moved"),
    ],
)
def test_a_change_of_an_operation_is_red_and_names_it(
    changes: list[Change], operation: str, checkout: Checkout, histories: list[History]
) -> None:
    found = breaks(checkout(*changes), histories)
    assert {each.operation.partition(", ")[2] for each in found} == {operation}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([('lambda _: "in a box"', "lambda _: None")], id="body of a step in a context"),
        pytest.param([('name="box"', 'name="bag"')], id="step in a context that no invocation ends in"),
        pytest.param([("[1, 2], weigh", "[1, 2, 3][:2], weigh")], id="how the items come about"),
        pytest.param([("f\"{os.environ['REFUNDS']}:live\"", '"another:live"')], id="the function that is invoked"),
        pytest.param([("seen > 1", "seen > 2")], id="the condition"),
        pytest.param([(END, f'    context.wait(SECOND, name="rest")\n{END}')], id="an operation at the end"),
    ],
)
def test_a_change_that_keeps_the_operations_is_green(
    changes: list[Change], checkout: Checkout, histories: list[History]
) -> None:
    assert breaks(checkout(*changes), histories) == []


def test_a_contract_lacks_an_operation_that_is_recorded(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    root = checkout()
    contract = root / "functions" / "billing" / "contract.toml"
    contract.write_text(contract.read_text().replace('    "map weigh",\n', "").replace(" > wait dry", " > wait wet"))
    assert main(["check"], root) == 1
    error = capsys.readouterr().err
    assert '"parallel wrap > branch label > step print", "map weigh", "map weigh > step scale"' in error
    assert "wait wet" not in error


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        (
            "functions/billing/contract.toml",
            ("approval = {approved = true}\n", ""),
            "waits for callback approval: [callbacks] in contract.toml says no answer",
        ),
        (RECORDING, ('"some-ledger": ', '"other": '), "Function not found: some-ledger"),
        (RECORDING, ("INVOKED = {", "INVOKED = 1, {"), "INVOKED must be a dictionary"),
        (RECORDING, ("ENVIRONMENT = {", "ENVIRONMENT = 1, {"), "ENVIRONMENT must be a dictionary"),
    ],
)
def test_what_it_waits_for_and_nobody_answers_is_named(
    path: str, change: Change, message: str, checkout: Checkout, billing: Path
) -> None:
    root = checkout()
    text = (root / path).read_text()
    assert change[0] in text
    (root / path).write_text(text.replace(*change))
    done = run_apart(root, "record")
    assert done.returncode == 2
    assert message in done.stderr
    assert bytes_of(root) == bytes_of(billing)
