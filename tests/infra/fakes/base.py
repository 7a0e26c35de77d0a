"""What the parts of the AWS in memory share: the clock, a refusal, and pages."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

Answer = dict[str, Any]
PAGE = 2  # so that a second page is never far


class FakeClock:
    """A clock on which waiting takes no time, and on which things happen at their moment."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._due: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self._elapsed += seconds
        due = sorted((each for each in self._due if each[0] <= self._elapsed), key=lambda each: each[0])
        self._due = [each for each in self._due if each[0] > self._elapsed]
        for _, action in due:
            action()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen once so much time has passed."""
        self._due.append((self._elapsed + seconds, action))


class AwsError(Exception):
    """A refusal, by its code."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code


def page(items: Iterable[Answer], parameters: Answer, key: str, given: str, following: str) -> Answer:
    found = list(items)
    start = int(parameters.get(given) or 0)
    more = {following: str(start + PAGE)} if start + PAGE < len(found) else {}
    return {key: found[start : start + PAGE], **more}
