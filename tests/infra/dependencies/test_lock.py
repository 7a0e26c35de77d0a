"""The locks of functions and ours, resolved by uv from packages of the tests' own."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra import functions
from infra.dependencies import lock
from infra.dependencies.requirements import pins
from infra.dependencies.stale import GROUPS, problems
from infra.errors import CommandError, UsageError
from tests.infra.fakes.wheels import Shelf


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder beside which there is a version 1 and a version 2 of a few packages, and nothing else."""
    shelf = Shelf(tmp_path / "wheels")
    for name in ("boto3", "six", "urllib3"):
        for version in ("1", "2"):
            shelf.add(name, version)
    shelf.be_all(monkeypatch)
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def add(root: Path, function: str, wanted: str | None = None, locked: str | None = None) -> Path:
    """Add a function, and return its lock."""
    folder = root / "functions" / function
    folder.mkdir(parents=True)
    (folder / "handler.py").touch()
    for name, text in ((lock.SOURCE, wanted), (lock.LOCK, locked)):
        if text is not None:
            (folder / name).write_text(text)
    return folder / lock.LOCK


def locked(path: Path) -> dict[str, str]:
    return {pin.name: pin.version for pin in pins(path.read_text())}


def test_each_lock_has_what_its_own_function_names_and_nothing_moves_that_need_not(root: Path) -> None:
    billing = add(root, "billing", "boto3\nsix\n", "boto3==1\nsix==1\n")
    refunds = add(root, "refunds", "boto3\nurllib3\n")
    lock.write(root)
    assert locked(billing) == {"boto3": "1", "six": "1"}
    assert locked(refunds) == {"boto3": "1", "urllib3": "2"}
    assert "--hash=" in refunds.read_text()


def test_nothing_is_written_where_nothing_has_to_move(root: Path) -> None:
    billing = add(root, "billing", "boto3\n", "boto3==1\n")
    lock.write(root)
    refunds = add(root, "refunds", "six\n")
    assert lock.write(root) == [refunds]
    assert lock.write(root) == []
    assert locked(billing) == {"boto3": "1"}


def test_an_upgrade_moves_all_alike(root: Path) -> None:
    locks = [add(root, "billing", "boto3\n", "boto3==1\n"), add(root, "refunds", "boto3\n", "boto3==1\n")]
    assert lock.write(root, upgrade=True) == locks
    assert [locked(each) for each in locks] == [{"boto3": "2"}] * 2


def test_locks_that_differ_come_to_agree(root: Path) -> None:
    locks = [add(root, "billing", "boto3\n", "boto3==1\n"), add(root, "refunds", "boto3==2\n", "boto3==2\n")]
    lock.write(root)
    assert [locked(each) for each in locks] == [{"boto3": "2"}] * 2


def test_functions_that_exclude_each_other_leave_their_locks_as_they_were(root: Path) -> None:
    billing = add(root, "billing", "boto3==1\n", "boto3==1\n")
    add(root, "refunds", "boto3==2\n")
    with pytest.raises(
        CommandError, match=r"functions/billing/requirements\.in, functions/refunds/requirements\.in; .*"
    ):
        lock.write(root)
    assert billing.read_text() == "boto3==1\n"


def test_our_locks_are_written_from_their_groups_and_move_for_an_upgrade_alone(root: Path) -> None:
    groups = "".join(f'{group} = ["boto3", "six"]\n' for group in GROUPS)
    (root / "pyproject.toml").write_text(f'[project]\nname = "own"\nversion = "1"\n[dependency-groups]\n{groups}')
    locks = [root / file for file in GROUPS.values()]
    for each in locks:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_text("boto3==1\n")
    assert lock.write_ours(root) == locks
    assert [locked(each) for each in locks] == [{"boto3": "1", "six": "2"}] * len(locks)
    for file, text in (("package.json", "{}"), ("package-lock.json", '{"packages": {"": {}}}')):
        (root / file).write_text(text)
    assert list(problems(root)) == []
    assert lock.write_ours(root) == []
    assert lock.write_ours(root, upgrade=True) == locks
    assert locked(locks[0])["boto3"] == "2"


def test_a_group_that_cannot_be_resolved_is_named_and_no_lock_is_written(root: Path) -> None:
    groups = "".join(f'{group} = ["{"absent" if group == "local" else "six"}"]\n' for group in GROUPS)
    (root / "pyproject.toml").write_text(f'[project]\nname = "own"\nversion = "1"\n[dependency-groups]\n{groups}')
    with pytest.raises(CommandError, match=r"^uv could not resolve pyproject\.toml:local$"):
        lock.write_ours(root)
    assert not [file for file in GROUPS.values() if (root / file).exists()]


def test_a_function_that_names_nothing_is_told_which_file_is_missing(root: Path) -> None:
    add(root, "billing")
    with pytest.raises(UsageError, match=r"^functions/billing/requirements\.in: there is no such file"):
        lock.write(root)


def test_without_functions_there_is_nothing_to_lock(root: Path) -> None:
    assert lock.write(root) == []


def test_what_runs_before_anything_is_installed_takes_the_standard_library_only() -> None:
    path = f"import sys; sys.path.insert(0, {str(lock.ROOT)!r})"
    program = f"{path}; from infra.dependencies import add, lock, registries, stale"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_function_of_this_checkout_has_both_files() -> None:
    for name in functions.names():
        folder = lock.ROOT / "functions" / name
        for file in (lock.SOURCE, lock.LOCK):
            assert (folder / file).is_file(), f"functions/{name}/{file} is missing; `make lock` says what is to be done"
        found = (folder / lock.LOCK).read_text()
        assert "--hash=" in found, f"functions/{name}/{lock.LOCK} has no hashes; `make lock` writes it anew"
        assert "index-url" not in found, f"functions/{name}/{lock.LOCK} names an index; `make lock` writes it anew"
