"""What people change in the rehearsal's repository. Any function can be changed so, whatever it does."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.rehearsal.repository import Change
from tests.rehearsal.stage import require

# The function that is added, and how many vCPUs each environment then has: enough.
ANOTHER, VCPUS = "rehearsed", 1000
CAPACITY = re.compile(r"^(maximum_vcpus\s*=\s*)[0-9]+", re.MULTILINE)
# The table of what an execution returns, and what none does.
RESULT = re.compile(r"^\[result\].*$", re.MULTILINE)
NEVER = '[result]\nrehearsed = "never"'


def harmless(function: str, what: str) -> Change:
    """Return a change of a function's code, and so a new version of it, by which it does what it did."""

    def change(tree: Path) -> None:
        with (tree / "functions" / function / "handler.py").open("a") as handler:
            handler.write(f"\n# {what}.\n")

    return change


def failing(function: str) -> Change:
    """Return a change by which the smoke execution of a function fails, and all other executions do what they did."""

    def change(tree: Path) -> None:
        harmless(function, "Promise more than is done")(tree)
        contract = tree / "functions" / function / "contract.toml"
        text, count = RESULT.subn(NEVER, contract.read_text())
        contract.write_text(text if count else f"{text}\n{NEVER}\n")

    return change


def slow(function: str, seconds: float) -> Change:
    """Return a change by which each invocation of a function takes some seconds longer."""

    def change(tree: Path) -> None:
        with (tree / "functions" / function / "handler.py").open("a") as handler:
            handler.write(SLOW.format(seconds=seconds))

    return change


def replace(file: str, old: str, new: str) -> Change:
    """Return the change of a text, which must be there, in a file."""

    def change(tree: Path) -> None:
        text = (tree / file).read_text()
        require(old in text, f"{file} holds {old}")
        (tree / file).write_text(text.replace(old, new))

    return change


def tell_more(tree: Path) -> None:
    """Change what is not deployed."""
    with (tree / "README.md").open("a") as readme:
        readme.write("\nThat is all.\n")


SLOW = """

_at_once = handler


def handler(event, context):
    import time

    time.sleep({seconds})
    return _at_once(event, context)
"""


def add_function(tree: Path) -> None:
    """Add a function as a developer does, and the capacity for it."""
    make = [sys.executable, "-m", "infra.scaffold", ANOTHER]
    done = subprocess.run(make, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    require(done.returncode == 0, f"{' '.join(make)} makes a function, and said:\n{done.stdout}")
    for path in (tree / "environments").glob("*.toml"):
        path.write_text(CAPACITY.sub(rf"\g<1>{VCPUS}", path.read_text()))


def remove_function(tree: Path) -> None:
    """Remove that function."""
    for folder in ("functions", "tests/functions"):
        shutil.rmtree(tree / folder / ANOTHER)
