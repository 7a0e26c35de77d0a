"""How a local AWS that runs is found, and one that is gone is not."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from infra import ROOT
from infra.local.aws import LocalAws, RunningAws
from infra.local.running import announced, find

ANNOUNCE = """
import signal, sys
from pathlib import Path
from infra.local.aws import RunningAws
from infra.local.running import announced

folder = Path(sys.argv[2])
with announced(RunningAws(sys.argv[1], folder, folder / "log"), folder):
    print("announced", flush=True)
    signal.pause()
"""


def test_one_is_found_while_it_is_announced(local_aws: LocalAws, tmp_path: Path) -> None:
    assert find(tmp_path) is None
    with announced(local_aws, tmp_path):
        found = find(tmp_path)
        assert found
        assert (found.endpoint, found.folder, found.log) == (local_aws.endpoint, local_aws.folder, local_aws.log)
    assert find(tmp_path) is None
    assert not [*tmp_path.iterdir()]


def test_one_whose_process_was_killed_is_not_found_though_something_answers_there(
    local_aws: LocalAws, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", ANNOUNCE, local_aws.endpoint, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            assert process.stdout.readline()
            found = find(tmp_path)
            assert found
            assert found.endpoint == local_aws.endpoint
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
    assert [*tmp_path.glob("*.json")]
    assert find(tmp_path) is None
    assert not [*tmp_path.glob("*.json")]


def test_one_that_does_not_answer_is_passed_over_for_one_that_does(local_aws: LocalAws, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        silent = RunningAws(f"http://127.0.0.1:{closed.getsockname()[1]}", tmp_path, tmp_path / "log")
    with announced(local_aws, tmp_path), announced(silent, tmp_path):
        later = {path: path.stat().st_mtime + 10 for path in tmp_path.glob("*.json") if local_aws.log.stem != path.stem}
        for path, at in later.items():
            os.utime(path, (at, at))
        found = find(tmp_path)
        assert found
        assert found.endpoint == local_aws.endpoint
