"""Ending with the process that started this one, however that one ended.

The starter keeps the write end of a pipe that is this process's standard input. Whatever happens to it, a kill that it
can't catch included, the operating system closes that end. This works on every Unix, where asking Linux for a signal at
the parent's death would work on Linux alone, and would come as soon as the starting thread ended.
"""

import sys
from collections.abc import Callable
from threading import Thread


def when_orphaned(end: Callable[[], object]) -> None:
    """Call `end` on a thread of its own once the starter has closed standard input, or is gone."""

    def wait() -> None:
        sys.stdin.buffer.read()
        end()

    Thread(target=wait, name="orphan", daemon=True).start()
