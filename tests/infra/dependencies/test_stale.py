"""Locks that are of what their sources name, and such that are not."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from infra import ROOT
from infra.dependencies import stale

PIN = "{name}=={version} \\\n    --hash=sha256:aa\n    # via {origin}\n"
GROUPS = {group: f"of-{group}~=1.0" for group in stale.GROUPS}


def pin(name: str, version: str, origin: str = "-r requirements.in") -> str:
    return PIN.format(name=name, version=version, origin=origin)


def write(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder whose locks are all of their sources: one line in each."""
    lines = "".join(f'{group} = ["{line}"]\n' for group, line in GROUPS.items())
    write(tmp_path, "pyproject.toml", f"[dependency-groups]\n{lines}")
    for group, file in stale.GROUPS.items():
        write(tmp_path, file, pin(f"of-{group}", "1.2", f"own (pyproject.toml:{group})"))
    write(tmp_path, "functions/billing/requirements.in", "# why\nsix>=1.16 # because\n")
    write(tmp_path, "functions/billing/requirements.txt", pin("six", "1.17") + pin("idna", "3", "six"))
    for function in ("billing", "new"):
        write(tmp_path, f"functions/{function}/handler.py", "")
    write(tmp_path, "functions/new/requirements.txt", "")
    write(tmp_path, "package.json", json.dumps({"devDependencies": {"tool": "1.0"}}))
    write(tmp_path, "package-lock.json", json.dumps({"packages": {"": {"devDependencies": {"tool": "1.0"}}}}))
    return tmp_path


def test_locks_that_are_of_their_sources_are_no_problem(root: Path) -> None:
    assert list(stale.problems(root)) == []


def test_the_locks_of_this_checkout_are_of_their_sources() -> None:
    assert list(stale.problems(ROOT)) == [], "`make lock` writes the locks anew"


OF_BILLING = "functions/billing/requirements.in"


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        (
            OF_BILLING,
            "six>=1.16\nurllib3\n",
            f"functions/billing/requirements.txt: has no urllib3, which {OF_BILLING} names",
        ),
        (
            OF_BILLING,
            "six>=1.18\n",
            f"functions/billing/requirements.txt: has six 1.17, and {OF_BILLING} asks for six>=1.18",
        ),
        (
            OF_BILLING,
            "# nothing\n",
            f"functions/billing/requirements.txt: has six from {OF_BILLING}, which does not name it any more",
        ),
        (
            OF_BILLING,
            "six[fast]>=1.16\n",
            f"functions/billing/requirements.txt: has no six[fast]>=1.16, which {OF_BILLING} names",
        ),
        (
            "infra/local/requirements.txt",
            "",
            "infra/local/requirements.txt: has no of-local~=1.0, which group local of pyproject.toml names",
        ),
        (
            "package.json",
            '{"devDependencies": {"tool": "1.1"}}',
            "package-lock.json: has tool 1.0 in devDependencies, and package.json asks for 1.1",
        ),
        (
            "package.json",
            "{}",
            "package-lock.json: has tool 1.0 in devDependencies, and package.json asks for none",
        ),
    ],
)
def test_a_lock_that_is_not_of_its_source_is_named_with_what_differs(
    root: Path, file: str, text: str, problem: str
) -> None:
    write(root, file, text)
    assert list(stale.problems(root)) == [problem]


def test_a_lock_that_is_missing_is_named_with_its_source(root: Path) -> None:
    (root / "functions/new/requirements.txt").unlink()
    (root / "package-lock.json").unlink()
    assert list(stale.problems(root)) == [
        "functions/new/requirements.txt: there is no such file; it locks what functions/new/requirements.in names",
        "package-lock.json: there is no such file; it locks what package.json names",
    ]


def test_what_functions_share_has_no_lock_of_its_own(root: Path) -> None:
    write(root, "functions/money/requirements.in", "six\n")
    assert list(stale.problems(root)) == []


def test_one_version_for_each_of_several_pythons_will_do(root: Path) -> None:
    write(root, "functions/billing/requirements.txt", pin("six", "1.15") + pin("six", "1.17"))
    assert list(stale.problems(root)) == []


def test_comments_and_the_order_of_lines_do_not_count(root: Path) -> None:
    write(root, "functions/billing/requirements.txt", pin("six", "1.17") + pin("idna", "3"))
    write(root, "functions/billing/requirements.in", "idna # first\n\n# more\nsix\n")
    assert list(stale.problems(root)) == []


def git(root: Path, *arguments: str) -> int:
    command = [shutil.which("git") or "git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, check=False).returncode


# Far enough apart for git to take each for a change of its own.
NAMES = [f"package-{letter}" for letter in "abcdefghij"]


@pytest.fixture
def ours(root: Path) -> Path:
    """Return a repository with ten packages on main, of which a branch `next` asks for a later version of the last."""
    versions = dict.fromkeys(NAMES, "1.0")
    both(root, versions)
    git(root, "init", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-m", "ours")
    git(root, "checkout", "-b", "next")
    both(root, versions | {NAMES[-1]: "2.0"})
    git(root, "commit", "-am", "next")
    git(root, "checkout", "main")
    return root


def both(root: Path, versions: dict[str, str], locked: dict[str, str] | None = None) -> None:
    asked = "\n".join(f"{name}~={version}" for name, version in versions.items())
    write(root, "functions/billing/requirements.in", asked)
    pinned = "".join(pin(*each) for each in (locked or versions).items())
    write(root, "functions/billing/requirements.txt", pinned)


def test_a_merge_of_both_sources_and_both_locks_passes(ours: Path) -> None:
    both(ours, dict.fromkeys(NAMES, "1.0") | {NAMES[0]: "1.5"})
    git(ours, "commit", "-am", "theirs")
    assert git(ours, "merge", "next") == 0
    assert list(stale.problems(ours)) == []


def test_a_merge_that_keeps_the_lock_of_one_side_is_told(ours: Path) -> None:
    both(ours, dict.fromkeys(NAMES, "1.0") | {NAMES[0]: "1.5"})
    git(ours, "commit", "-am", "theirs")
    assert git(ours, "merge", "next") == 0
    git(ours, "checkout", "next", "--", "functions/billing/requirements.txt")
    (problem,) = stale.problems(ours)
    assert "has package-a 1.0, and functions/billing/requirements.in asks for package-a~=1.5" in problem
