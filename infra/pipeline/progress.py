"""What a person sees while a command works: on standard error, so that standard output stays the result's."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)


@contextmanager
def doing(what: str) -> Generator[None]:
    """Show that something is under way, and how long it took once it is done.

    On a terminal the elapsed time runs; elsewhere there is one line at the end.
    """
    started = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(what, total=None)
        yield
    console.print(f"{what}: {time.monotonic() - started:.1f} s")
