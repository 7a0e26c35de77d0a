"""Ages as a person reads them."""

from datetime import timedelta

_UNITS = (("day", 86_400), ("h", 3_600), ("min", 60))


def text(age: timedelta) -> str:
    """Write an age in its largest unit, rounded down: 45 s, 12 min, 3 h, 1 day, 2 days."""
    seconds = max(0, int(age.total_seconds()))
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), ("s", 1))
    count = seconds // size
    return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
