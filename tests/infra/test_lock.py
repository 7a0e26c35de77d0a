"""The locks of functions, resolved by a uv of the tests' own that prefers what stands in the file which it writes."""

import sys
from pathlib import Path

import pytest

from infra import functions, lock
from infra.errors import CommandError, UsageError

# Knows a newer version 2 of everything. It refuses packages that are asked for in two ways.
UV = """
import pathlib, sys
arguments = sys.argv[1:]
output = pathlib.Path(arguments[arguments.index("--output-file") + 1])
old = output.read_text().splitlines() if output.exists() and "--upgrade" not in arguments else []
preferred = dict(line.split("==") for line in old if line)
given = [line for path in arguments if path.endswith(".in") for line in pathlib.Path(path).read_text().split()]
asked = {line.partition("==")[0]: line for line in sorted(given)}
if any("==" in line and line != asked[line.partition("==")[0]] for line in given):
    sys.exit("error: No solution found")
pins = {name: line.partition("==")[2] or preferred.get(name, "2") for name, line in asked.items()}
output.write_text("".join(f"{name}=={version}\\n" for name, version in pins.items()))
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    # Not by its first line, which takes no interpreter in a folder with a space.
    (uv.parent / "uv.py").write_text(UV)
    uv.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{uv.parent}/uv.py" "$@"\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(uv.parent))
    return tmp_path


def add(root: Path, function: str, wanted: str | None = None, locked: str | None = None) -> Path:
    folder = root / "functions" / function
    folder.mkdir(parents=True)
    (folder / "handler.py").touch()
    for name, text in (("requirements.in", wanted), ("requirements.txt", locked)):
        if text is not None:
            (folder / name).write_text(text)
    return folder / "requirements.txt"


def test_each_lock_has_what_its_own_function_names_and_nothing_moves_that_need_not(root: Path) -> None:
    billing = add(root, "billing", "boto3\nsix\n", "boto3==1\nsix==1\n")
    refunds = add(root, "refunds", "boto3\nurllib3\n")
    assert lock.write(root) == [refunds]
    assert billing.read_text() == "boto3==1\nsix==1\n"
    assert refunds.read_text() == "boto3==1\nurllib3==2\n"


def test_an_upgrade_moves_all_alike(root: Path) -> None:
    locks = [add(root, "billing", "boto3\n", "boto3==1\n"), add(root, "refunds", "boto3\n", "boto3==1\n")]
    assert lock.write(root, upgrade=True) == locks
    assert [each.read_text() for each in locks] == ["boto3==2\n"] * 2


def test_locks_that_differ_come_to_agree(root: Path) -> None:
    locks = [add(root, "billing", "boto3\n", "boto3==1\n"), add(root, "refunds", "boto3==2\n", "boto3==2\n")]
    lock.write(root)
    assert [each.read_text() for each in locks] == ["boto3==2\n"] * 2


def test_functions_that_exclude_each_other_leave_their_locks_as_they_were(root: Path) -> None:
    billing = add(root, "billing", "boto3==1\n", "boto3==1\n")
    add(root, "refunds", "boto3==2\n")
    with pytest.raises(
        CommandError, match=r"functions/billing/requirements\.in, functions/refunds/requirements\.in; .*"
    ):
        lock.write(root)
    assert billing.read_text() == "boto3==1\n"


def test_a_function_that_names_nothing_is_told_which_file_is_missing(root: Path) -> None:
    add(root, "billing")
    with pytest.raises(UsageError, match=r"^functions/billing/requirements\.in: there is no such file"):
        lock.write(root)


def test_without_functions_there_is_nothing_to_lock(root: Path) -> None:
    assert lock.write(root) == []


def test_every_function_of_this_checkout_has_both_files() -> None:
    for name in functions.names():
        folder = lock.ROOT / "functions" / name
        for file in (lock.SOURCE, lock.LOCK):
            assert (folder / file).is_file(), f"functions/{name}/{file} is missing; `make lock` says what is to be done"
        found = (folder / lock.LOCK).read_text()
        assert "--hash=" in found, f"functions/{name}/{lock.LOCK} has no hashes; `make lock` writes it anew"
        assert "index-url" not in found, f"functions/{name}/{lock.LOCK} names an index; `make lock` writes it anew"
