"""Files that a person changes, found by looking at their times again and again, which every system can do."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from infra.aws.clock import SystemClock

POLL_SECONDS = 0.3
# Some editors write a file in several goes, and some tools write several files.
SETTLES_WITHIN_SECONDS = 0.05

Seen = dict[Path, tuple[int, int]]


class Changed(Exception):  # noqa: N818 - it is no error: it ends a wait
    """Files were changed, added or removed."""

    def __init__(self, paths: set[Path]) -> None:
        super().__init__(", ".join(sorted(map(str, paths))))
        self.paths = paths


class Watch(SystemClock):
    """A clock on which each wait ends early, by raising Changed, once files have changed since the last time it did.

    Args:
        files: returns the files that count, those that are not there among them or not.
    """

    def __init__(self, files: Callable[[], Iterable[Path]]) -> None:
        self._files = files
        self._seen = self._look()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Changed: something has changed.
        """
        ends = time.monotonic() + seconds
        while True:
            if self._look() != self._seen:
                raise Changed(self._settled())
            left = ends - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(POLL_SECONDS, left))

    def _settled(self) -> set[Path]:
        before, now = self._seen, self._look()
        while True:
            time.sleep(SETTLES_WITHIN_SECONDS)
            self._seen, now = now, self._look()
            if now == self._seen:
                return {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}

    def _look(self) -> Seen:
        return dict(self._states())

    def _states(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        for path in self._files():
            try:
                status = path.stat()
            except OSError:
                continue
            yield path, (status.st_mtime_ns, status.st_size)
