"""Concurrency groups: of the jobs of a group one runs and one waits, whose place a newer one takes."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition

from tests.rehearsal.step import CANCEL


class Place:
    """The place of a job that waits or runs, with its files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._flag = folder / CANCEL
        self.cancelled = False

    def cancel(self) -> None:
        """Cancel it: it does not start any more, or its step is told."""
        self.cancelled = True
        self._flag.touch()


class Groups:
    """The groups of a repository. Upper and lower case are one, as on GitHub."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._running: dict[str, Place] = {}
        self._waiting: dict[str, Place] = {}

    @contextmanager
    def turn(self, place: Place, name: str, *, cancels: bool) -> Generator[bool]:
        """Wait for a job's turn in a group, and have it; False when the job was cancelled while it waited.

        Args:
            place: that of the job.
            name: the group's.
            cancels: whether what runs in the group is cancelled for it.
        """
        group = name.casefold()
        with self._changed:
            if group in self._waiting:
                self._waiting[group].cancel()
            if cancels and group in self._running:
                self._running[group].cancel()
            self._waiting[group] = place
            self._changed.notify_all()
            self._changed.wait_for(lambda: place.cancelled or group not in self._running)
            if self._waiting.get(group) is place:
                del self._waiting[group]
            if not place.cancelled:
                self._running[group] = place
        try:
            yield not place.cancelled
        finally:
            with self._changed:
                if self._running.get(group) is place:
                    del self._running[group]
                self._changed.notify_all()

    def look_again(self) -> None:
        """Let what waits see that it was cancelled."""
        with self._changed:
            self._changed.notify_all()
