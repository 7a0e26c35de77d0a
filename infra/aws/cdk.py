"""Runs the CDK CLI."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra import ROOT
from infra.errors import CommandError

CLI = ROOT / "node_modules" / ".bin" / "cdk"
LOGS = ROOT / "build" / "log"

_TAIL_LINES = 30


def cdk(arguments: Sequence[str], *, log: str, verbose: bool = False, folder: Path = ROOT) -> str:
    """Run the CDK CLI, and return what it printed.

    Args:
        arguments: what follows `cdk`.
        log: name of the file below build/log that keeps what it printed.
        verbose: show what it prints as well.
        folder: where it runs; in this checkout it finds the app.

    Raises:
        CommandError: it is not installed or failed; the message ends with the last lines that it printed.
    """
    if not CLI.exists():
        raise CommandError("the CDK CLI is not installed here; `make setup` installs it")
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    command = [str(CLI), "--no-color", "--ci", "--no-notices", *arguments]
    # The CLI and jsii take their Node from the path: ours lies beside this interpreter.
    environ = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}
    printed: list[str] = []
    with (
        path.open("w") as file,
        subprocess.Popen(
            command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        for line in process.stdout or ():
            printed.append(line)
            file.write(line)
            if verbose:
                sys.stderr.write(line)
    if process.returncode != 0:
        tail = "".join(printed[-_TAIL_LINES:])
        raise CommandError(
            f"cdk {arguments[0]} failed with exit code {process.returncode}; all of it is in {path}\n{tail}"
        )
    return "".join(printed)
