"""What was recorded of the function, and that recording it gives the same again."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import ROOT, contract
from infra.replay import recorded
from infra.replay.check import check, compare
from infra.replay.history import load
from orders.handler import handler


def test_every_recorded_history_replays() -> None:
    assert check(handler, load("orders")) == []


def test_the_contract_has_the_operations_of_the_recorded_histories() -> None:
    assert compare("orders", contract.load("orders"), load("orders")) == []


def recording(root: Path) -> dict[str, bytes]:
    """Record a copy, in a process of its own: the local runner leaves the event loop open that it makes."""
    for name in ("functions", "tests/functions/orders"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import sys; from pathlib import Path; from infra.replay.__main__ import main; "
        "sys.exit(main(sys.argv[2:], Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(root), "record", "--function", "orders"]
    subprocess.run(command, check=True, cwd=ROOT)
    return {path.name: path.read_bytes() for path in recorded("orders", root).iterdir()}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    return [recording(tmp_path_factory.mktemp("recorded")) for _ in range(2)]


def test_recording_gives_the_same_bytes_each_time(recordings: list[dict[str, bytes]]) -> None:
    first, second = recordings
    assert first == second, "tests/functions/orders/recording.py must replace what differs"
    assert str(ROOT).encode() not in b"".join(first.values())


def test_what_is_recorded_is_of_this_code(recordings: list[dict[str, bytes]]) -> None:
    here = {path.name for path in recorded("orders").iterdir()}
    assert here == recordings[0].keys(), "`make record FUNCTION=orders` records them anew"
