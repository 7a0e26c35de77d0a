"""What is unconfirmed names the check that asks it, or why none can; and what checks name is there."""

import re
from pathlib import Path

import pytest

from infra import ROOT
from infra.assumptions import checks
from infra.assumptions.check import Check
from tests.docs.pages import pages

MARK = re.compile(r"UNCONFIRMED(?:\s+\((contract|no check):\s+([^)]+)\))?")
# What checks say of their own statements, and the page that is printed of that.
OF_CHECKS = ("infra/assumptions/", "docs/assumptions.md")
FILES = [
    *pages(),
    *sorted((ROOT / "infra").rglob("*.py")),
    *sorted((ROOT / ".github").rglob("*.yml")),
]


def problems(text: str) -> list[str]:
    """Return what of a file's text is unconfirmed, and leads nowhere."""
    found: list[str] = []
    for kind, named in MARK.findall(text):
        if not kind:
            found.append("UNCONFIRMED is followed by neither (contract: NAME) nor (no check: WHY)")
        elif kind == "contract":
            names = re.findall(r"\w+", named)
            found += [
                f"there is no check {name}; docs/assumptions.md lists them" for name in names if name not in checks()
            ]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_unconfirmed_names_a_check_or_why_there_is_none(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    if not name.startswith(OF_CHECKS):
        assert problems(path.read_text()) == [], name


@pytest.mark.parametrize("check", checks().values(), ids=lambda check: check.name)
def test_what_relies_on_a_statement_is_there(check: Check) -> None:
    assert (ROOT / check.relied_on).is_file(), (
        f"{check.name} names {check.relied_on}, which is gone: name what relies on it"
    )
    assert re.fullmatch(r"[A-Z$].*\.", check.statement)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it is UNCONFIRMED (contract: an_execution_is_listed_soon)", 0),
        ("UNCONFIRMED\n  (contract: an_execution_is_listed_soon,\n  lines_arrive_soon)", 0),
        ("UNCONFIRMED (no check: it takes a region without them)", 0),
        ("it is UNCONFIRMED.", 1),
        ("UNCONFIRMED (contract: nonsense, lines_arrive_soon)", 1),
    ],
)
def test_a_mark_that_leads_nowhere_is_found(text: str, expected: int) -> None:
    assert len(problems(text)) == expected
