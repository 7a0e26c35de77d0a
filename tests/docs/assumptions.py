"""Print what this project takes for granted of AWS: each statement, what relies on it, and where it comes from."""

from collections.abc import Iterator
from types import ModuleType

from infra.assumptions import THEMES
from infra.assumptions.check import Check, registered


def main() -> None:
    """Print a table for each theme."""
    print("\n\n".join("\n".join(_table(theme)) for theme in THEMES))


def _table(theme: ModuleType) -> Iterator[str]:
    title = " ".join((theme.__doc__ or "").split()).split(". ")[0].removesuffix(".")
    yield f"**{title}.**"
    yield ""
    yield "| check | what we say | relied on in | where it comes from |"
    yield "| --- | --- | --- | --- |"
    yield from map(_row, registered(theme.__name__))


def _row(check: Check) -> str:
    return f"| `{check.name}` | {check.statement} | `{check.relied_on}` | {check.source} |"


if __name__ == "__main__":
    main()
