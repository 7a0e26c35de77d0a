"""What was recorded of the function, and that recording it gives the same again."""

import subprocess
import sys

import pytest

from infra import ROOT, contract
from infra.replay.check import check, compare
from infra.replay.history import load
from orders.handler import handler

HISTORIES = {"1-wait-before-processing-started", "2-process-order-pending", "3-process-order-succeeded"}


def test_the_recorded_histories_are_of_the_wait_the_retry_and_the_end() -> None:
    assert {history.name for history in load("orders")} == HISTORIES, "`make record FUNCTION=orders` records them anew"


def test_every_recorded_history_replays() -> None:
    assert check(handler, load("orders")) == []


def test_the_contract_has_the_operations_of_the_recorded_histories() -> None:
    assert compare("orders", contract.load("orders"), load("orders")) == []


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """Record twice, in a process of its own: the local runner leaves the event loop open that it makes."""
    folders = [tmp_path_factory.mktemp("recorded") for _ in range(2)]
    code = (
        "import sys; from pathlib import Path; from infra import ROOT, contract\n"
        "from infra.replay.code import imported, replaced; from infra.replay.record import record\n"
        "for folder in sys.argv[1:]:\n"
        "    with imported('orders', ROOT) as handler, replaced('orders', ROOT):\n"
        "        record(handler, contract.load('orders').sample, Path(folder))"
    )
    subprocess.run([sys.executable, "-c", code, *map(str, folders)], check=True, cwd=ROOT)
    return [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]


def test_recording_gives_the_same_bytes_each_time(recordings: list[dict[str, bytes]]) -> None:
    first, second = recordings
    assert first == second, "tests/functions/orders/recording.py must replace what differs"
    assert set(first) == {f"{name}.json" for name in HISTORIES}
    assert str(ROOT).encode() not in b"".join(first.values())
