"""What the commands of generated blocks print, and whether that says the same as what a page shows."""

import os
import re
import shlex
import subprocess
import sys

from infra import ROOT
from tests.docs.checkout import WIDTH, Checkout
from tests.docs.commands import OPERATING, SENT
from tests.docs.pages import Block

# A marker may show the beginning alone, as a reader would.
_HEAD = re.compile(r"(.+) \| head -n (\d+)")
# What differs from one time to the next, and what is too long for a page.
_VARIES = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,}(?:-[0-9a-f]{4,})*\b"), "ID"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|min|h|hours?|days?)\b"), "TIME"),
    (re.compile(r"\d+"), "0"),
    (re.compile(r"[ \t]+"), " "),
)
# What a function of a team's does and returns: it may edit the sample, and the page shows ours.
_TEAMS = re.compile(r"\s*(?:[\d.]+ s +\w+ \S.*|result .*|error .*)")
# What prints the same each time, but for what stands in a team's files.
COSTS = "python -m tests.docs.costs"
# What a command says while it works; a fast machine may skip it.
_MAKE = re.compile(r"make(?:\[\d+\])?: .*|Installing .*")


def base(command: str) -> tuple[str, int | None]:
    """Return a marker's command, and how many lines of what it prints are shown."""
    match = _HEAD.fullmatch(command)
    return (match[1], int(match[2])) if match else (command, None)


def shown(command: str, output: str) -> str:
    """Return what a page shows of what a command printed, and nothing that names a folder of this machine."""
    lines = [line.rstrip() for line in output.splitlines() if not _MAKE.fullmatch(line)]
    text = "\n".join(lines).strip()
    _, most = base(command)
    return "\n".join(text.splitlines()[:most])


def printed(command: str, checkout: Checkout | None = None) -> str:
    """Run a command that prints the same each time, here or in a copy, and return what a page shows of it.

    Raises:
        AssertionError: it failed.
    """
    if checkout:
        done = checkout.run(base(command)[0])
        code, output = done.code, done.output
    else:
        code, output = _run(base(command)[0])
    assert code == 0, f"{command} failed:\n{output}"
    return shown(command, output)


def is_fixed(command: str) -> bool:
    """Return whether a command prints the same each time, in any fork."""
    return base(command)[0] not in (*OPERATING, *SENT, COSTS)


def is_current(block: Block, output: str) -> bool:
    """Return whether a block says what its command prints, whenever and wherever it does."""
    if is_fixed(block.command):
        return block.text.strip() == output
    return normalized(block.text) == normalized(output)


def normalized(output: str) -> list[str]:
    """Return an output's lines without times, ids, widths, and what a team's function does."""
    lines = [line for line in output.splitlines() if not _TEAMS.fullmatch(line)]
    for pattern, word in _VARIES:
        lines = [pattern.sub(word, line).strip() for line in lines]
    return [line for line in lines if line]


def _run(command: str) -> tuple[int, str]:
    words = shlex.split(command)
    words[0] = sys.executable if words[0] == "python" else words[0]
    environ = {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "PYTHON": sys.executable}
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=_environ() | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def _environ() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "MAKE", "MFLAGS"))}
