"""Adding a package to a function, resolved by uv from packages of the tests' own."""

from pathlib import Path

import pytest

from infra.dependencies import lock
from infra.dependencies.add import add
from infra.dependencies.requirements import pins
from infra.errors import CommandError, UsageError
from tests.infra.fakes.modules import written
from tests.infra.fakes.wheels import Shelf

SOURCES = {"billing": "# why\nsix~=1.0 # because\n", "refunds": "six\n"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Return the packages that there are: those that are locked were the newest then."""
    shelf = Shelf(tmp_path / "wheels")
    shelf.add("six", "1.16.0")
    shelf.be_all(monkeypatch)
    return shelf


@pytest.fixture
def root(tmp_path: Path, shelf: Shelf) -> Path:
    """Return a folder with two functions, whose locks are of an earlier day."""
    modules = {f"{name}/handler.py": "" for name in SOURCES} | {"money/coins.py": ""}
    root = written(tmp_path / "root", modules | {f"{name}/{lock.SOURCE}": text for name, text in SOURCES.items()})
    lock.write(root)
    shelf.add("six", "1.17.0")
    shelf.add("money", "1.0")
    shelf.add("client", "2.14.4", requires=["six>=1.10", "part"])
    shelf.add("client", "2.13.0", requires=["six"])
    shelf.add("part", "0.5.1")
    shelf.add("newer", "0.3.2", requires=["six>=1.17"])
    return root


def files(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("requirements.*")}


def locked(root: Path, function: str) -> dict[str, str]:
    return {pin.name: pin.version for pin in pins((root / "functions" / function / lock.LOCK).read_text())}


def test_it_is_a_line_and_what_it_needs_in_the_lock_and_nothing_else_moves(root: Path) -> None:
    before = files(root)
    assert list(add("billing", "client", root)) == [
        "functions/billing/requirements.in: client~=2.14",
        "functions/billing/requirements.txt: client 2.14.4, part 0.5.1",
        "Say why behind the line in requirements.in, and then: make test",
    ]
    changed = {name for name, text in files(root).items() if text != before[name]}
    assert changed == {f"functions/billing/{file}" for file in (lock.SOURCE, lock.LOCK)}
    assert (root / "functions/billing/requirements.in").read_text() == f"{SOURCES['billing']}client~=2.14\n"
    assert locked(root, "billing") == {"client": "2.14.4", "part": "0.5.1", "six": "1.16.0"}
    # What was written is what would be locked anew.
    assert lock.write(root) == []


def test_a_constraint_that_is_given_is_the_one_that_is_written(root: Path) -> None:
    list(add("billing", "client<2.14", root))
    assert (root / "functions/billing/requirements.in").read_text().endswith("\nclient<2.14\n")
    assert locked(root, "billing") == {"client": "2.13.0", "six": "1.16.0"}


def test_a_file_that_does_not_end_its_last_line_gets_one_of_its_own(root: Path) -> None:
    (root / "functions/billing/requirements.in").write_text("six")
    list(add("billing", "client", root))
    assert (root / "functions/billing/requirements.in").read_text() == "six\nclient~=2.14\n"


def test_locks_that_must_agree_move_and_it_says_which(root: Path) -> None:
    assert list(add("refunds", "newer", root))[:3] == [
        "functions/refunds/requirements.in: newer~=0.3.2",
        "functions/refunds/requirements.txt: newer 0.3.2, six 1.17.0 instead of 1.16.0",
        "functions/billing/requirements.txt: had to agree: six 1.17.0 instead of 1.16.0",
    ]


@pytest.mark.parametrize(
    ("function", "package", "message"),
    [
        (
            "",
            "client",
            r"^FUNCTION=: must be the name of a folder in functions/ .*: billing, refunds; as in `make add ",
        ),
        ("money", "client", r"^FUNCTION=money: must be the name of a folder in functions/ with a handler\.py"),
        ("billing", "", r"^PACKAGE=: must be the name of a package"),
        ("billing", "client @ https://host/client.whl", r"^PACKAGE=client @ .*: must be the name of a package"),
        ("billing", "--upgrade", r"^PACKAGE=--upgrade: must be the name of a package"),
        (
            "billing",
            "Six>=1.17",
            r"^functions/billing/requirements\.in:2: has six~=1\.0 already; change that line.*lock$",
        ),
        ("billing", "money", r"^PACKAGE=money: functions/money has that name"),
        ("billing", "refunds", r"^PACKAGE=refunds: functions/refunds has that name"),
    ],
)
def test_wrong_input_is_refused_and_changes_nothing(root: Path, function: str, package: str, message: str) -> None:
    before = files(root)
    with pytest.raises(UsageError, match=message):
        list(add(function, package, root))
    assert files(root) == before


@pytest.mark.parametrize("package", ["nothing-of-the-name", "client>=99", "newer"])
def test_what_cannot_be_resolved_changes_nothing(root: Path, package: str) -> None:
    written(root, {"billing/requirements.in": "six<1.17\n"})
    before = files(root)
    with pytest.raises(CommandError, match=r"^uv could not resolve functions/billing/requirements\.in, "):
        list(add("refunds", package, root))
    assert files(root) == before
