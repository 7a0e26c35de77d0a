import shlex
import socket
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest

from infra.local.server import runner as module
from infra.local.server.runner import Runner
from tests.infra.local.durable_stack import eventually

# More than any pipe holds.
LONG = 2**20


def test_what_the_runner_prints_goes_to_the_log_and_never_stops_it(tmp_path: Path) -> None:
    prints = f"import sys; print(1, flush=True); print('x' * {LONG})"
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(prints)}\n")
    python.chmod(0o755)
    with redirect_stdout(StringIO()) as log:
        runner = Runner.start(str(python), "", skip_time=False)
    with runner.process as process:
        try:
            assert process.wait(60) == 0
            eventually(lambda: len(log.getvalue()) > LONG)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert runner.port == 1


def test_a_runner_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWERS_WITHIN_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        runner = Runner(cast("Any", None), silent.getsockname()[1])
        with pytest.raises(RuntimeError, match="did not answer GET /path"):
            runner.call("GET", "/path")
