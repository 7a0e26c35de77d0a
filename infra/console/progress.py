"""What a person sees while a command works: on standard error, so that standard output stays the result's."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)


@contextmanager
def doing(what: str) -> Generator[Callable[[str], None]]:
    """Show that something is under way, and how long it took once it is done.

    On a terminal the elapsed time runs, beside what the yielded function was told last. Elsewhere there is a line for
    each change of that, and one at the end.
    """
    started = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    told = ""

    def tell(state: str) -> None:
        nonlocal told
        if state != told and not console.is_terminal:
            console.print(f"{what}: {state}")
        told = state
        progress.update(task, description=f"{what}: {state}")

    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield tell
    console.print(f"{what}: {time.monotonic() - started:.1f} s")
