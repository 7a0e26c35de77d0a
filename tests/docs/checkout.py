"""A copy of the checkout in which the commands of pages are run, as their reader would."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.adoption.fork import Fork
from tests.docs.names import translated

# What pages are written for, in characters.
WIDTH = 118


@dataclass(frozen=True)
class Done:
    """How a command ended, and all that it printed."""

    code: int
    output: str


class Checkout:
    """The copy, which shares what is installed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.fork = Fork(folder)

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.fork.folder

    def run(self, command: str, environ: dict[str, str] | None = None) -> Done:
        """Run a page's command in a shell, on what the checkout calls things, with a person who agrees to all it asks.

        Args:
            command: as it stands on the page.
            environ: variables on top of a person's.
        """
        path = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "COLUMNS": str(WIDTH), "PYTHONUNBUFFERED": "1"}
        with _terminal("yes\n") as terminal:
            done = subprocess.run(
                [shutil.which("bash") or "bash", "-c", translated(command)],
                cwd=self.folder,
                env=self.fork.environ | own | (environ or {}),
                stdin=terminal,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        # A lock that it wrote must not be newer than what is installed of it.
        self.fork.settle()
        return Done(done.returncode, done.stdout)


@contextmanager
def _terminal(typed: str) -> Generator[int]:
    """Give a terminal on which somebody has typed."""
    person, terminal = os.openpty()
    try:
        os.write(person, typed.encode())
        yield terminal
    finally:
        os.close(person)
        os.close(terminal)
