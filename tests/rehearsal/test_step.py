"""How a step ends once its job is cancelled."""

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from tests.rehearsal import step

IGNORES_BOTH = """
import signal, sys
got = []
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, lambda number, _: print(signal.Signals(number).name, flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""


def test_it_is_interrupted_then_terminated_and_then_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "SIGNALS", {signal.SIGINT: 1, signal.SIGTERM: 1, signal.SIGKILL: None})
    (flag := tmp_path / step.CANCEL).touch()
    with subprocess.Popen([sys.executable, "-c", IGNORES_BOTH], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        step.watch(flag, process, told := Event())
        assert process.stdout.read() == b"SIGINT\nSIGTERM\n"
    assert told.is_set()
    assert process.returncode == -signal.SIGKILL
