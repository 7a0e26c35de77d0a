"""Runs the CDK CLI."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path

import boto3

from infra import ROOT
from infra.errors import CommandError, UsageError

CLI = ROOT / "node_modules" / ".bin" / "cdk"
LOGS = ROOT / "build" / "log"
# What Node has compiled of the CLI, and of jsii: both start anew with each command.
COMPILED = ROOT / "build" / "compiled"

_TAIL_LINES = 30
# How the CLI ends what it prints where the app has refused to synthesize, and has said why before.
_REFUSED = re.compile(r"^python -m infra\.[a-z.]+( .*)?: Subprocess exited with error 2\s*\Z", re.MULTILINE)
# Where the CLI would look for credentials.
_CHOICES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
)


def cdk(
    arguments: Sequence[str],
    *,
    log: str,
    session: boto3.Session | None = None,
    verbose: bool = False,
    folder: Path = ROOT,
) -> str:
    """Run the CDK CLI, and return what it printed.

    Args:
        arguments: what follows `cdk`.
        log: name of the file below build/log that keeps what it printed.
        session: whose credentials it uses; without one it is to need none.
        verbose: show what it prints as well.
        folder: where it runs; in this checkout it finds the app.

    Raises:
        UsageError: the app refused what it is given, and the message is the app's.
        CommandError: it is not installed or failed; the message ends with the last lines that it printed.
    """
    if not CLI.exists():
        raise CommandError("the CDK CLI is not installed here; `make setup` installs it")
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    command = [str(CLI), "--no-color", "--ci", "--no-notices", *arguments]
    printed: list[str] = []
    with (
        path.open("w") as file,
        subprocess.Popen(
            command, cwd=folder, env=_environ(session), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                printed.append(line)
                file.write(line)
                if verbose:
                    sys.stderr.write(line)
        except BaseException:
            # Who interrupts this process does not reach that one. CloudFormation goes on either way.
            process.terminate()
            raise
    if process.returncode != 0:
        said = "".join(printed)
        if refused := _REFUSED.search(said):
            raise UsageError(said[: refused.start()].strip())
        tail = "".join(printed[-_TAIL_LINES:])
        raise CommandError(
            f"cdk {arguments[0]} failed with exit code {process.returncode}; all of it is in {path}\n{tail}"
        )
    return "".join(printed)


def session_name() -> str:
    """Return what the CLI calls its sessions in the roles that it assumes, so that CloudTrail tells whose they were.

    In a workflow that is the run, as in the name of the session that the job itself has; elsewhere the person. A name
    has 2 to 64 characters, and few kinds of them (STS API, AssumeRole, RoleSessionName).
    """
    if run := os.environ.get("GITHUB_RUN_ID"):
        return f"gha-{run}"
    try:
        user = getuser()
    except (KeyError, OSError):
        # In a container, a user may have a number alone.
        user = "unknown"
    return f"cdk-{re.sub(r'[^A-Za-z0-9_+=,.@-]', '-', user)}"[:64]


def _environ(session: boto3.Session | None) -> dict[str, str]:
    """Return the environment that the CLI runs in.

    The CLI would choose among the caller's profiles and variables by rules of its own, so that it is given the very
    credentials that were checked, and nothing to choose.
    """
    environ = {name: value for name, value in os.environ.items() if name not in _CHOICES}
    # The CLI and jsii take their Node from the path: ours lies beside this interpreter.
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environ["CDK_DISABLE_CLI_TELEMETRY"] = "true"
    environ.setdefault("CDK_ROLE_SESSION_NAME", session_name())
    environ["NODE_COMPILE_CACHE"] = str(COMPILED)
    credentials = session.get_credentials() if session else None
    if session and credentials:
        frozen = credentials.get_frozen_credentials()
        environ |= {
            "AWS_ACCESS_KEY_ID": frozen.access_key,
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
            "AWS_SESSION_TOKEN": frozen.token or "",
            "AWS_REGION": session.region_name,
        }
    return {name: value for name, value in environ.items() if value}
