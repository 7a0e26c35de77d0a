"""The repository on the rehearsal's GitHub: the work tree as it is, with a history of its own."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra import ROOT

Change = Callable[[Path], object]
"""Edits the files of a checkout in place."""

ENVIRON = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_NAME": "rehearsal" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "rehearsal@example.org" for who in ("AUTHOR", "COMMITTER")},
}


class Repository:
    """A bare repository that jobs fetch from, and a clone in which commits are made."""

    def __init__(self, folder: Path, change: Change | None = None) -> None:
        """Make it.

        Args:
            folder: an empty one.
            change: what main has on top of the work tree.
        """
        self.path = folder / "repository.git"
        self._clone = folder / "clone"
        _git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", str(self.path))
        # As on GitHub, a commit can be fetched by its id.
        _git(self.path, "config", "uploadpack.allowAnySHA1InWant", "true")
        _git(folder, "init", "--quiet", "--initial-branch", "main", str(self._clone))
        _git(self._clone, "remote", "add", "origin", str(self.path))
        copy_work_tree(self._clone)
        if change:
            change(self._clone)
        self._commit("The work tree that is rehearsed", "refs/heads/main")

    def commit(self, start: str, change: Change, message: str, ref: str) -> str:
        """Change what a ref or commit holds, push that as another ref, and return the new commit."""
        self._switch(start)
        change(self._clone)
        return self._commit(message, ref)

    def merge(self, head: str, message: str, ref: str) -> str:
        """Merge a commit into main, push that as a ref, and return the merge."""
        self._switch("main")
        _git(self._clone, "merge", "--quiet", "--no-ff", "-m", message, head)
        return self._push(ref)

    def changed(self, head: str) -> list[str]:
        """Return the files that a commit changes of main."""
        self._switch("main")
        return _git(self._clone, "diff", "--name-only", "HEAD..." + head).splitlines()

    def main(self) -> str:
        """Return the commit that main is at."""
        return _git(self.path, "rev-parse", "main")

    def export(self, commit: str, folder: Path) -> None:
        """Check a commit out into a new folder."""
        _git(self._clone, "clone", "--quiet", "--shared", "--no-checkout", str(self.path), str(folder))
        _git(folder, "checkout", "--quiet", "--detach", commit)

    def _switch(self, commit: str) -> None:
        _git(self._clone, "fetch", "--quiet", "origin", commit)
        _git(self._clone, "checkout", "--quiet", "--detach", "FETCH_HEAD")

    def _commit(self, message: str, ref: str) -> str:
        commit(self._clone, message)
        return self._push(ref)

    def _push(self, ref: str) -> str:
        _git(self._clone, "push", "--quiet", "--force", "origin", f"HEAD:{ref}")
        return _git(self._clone, "rev-parse", "HEAD")


def commit(folder: Path, message: str) -> None:
    """Commit all changes in a clone."""
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", message)


def copy_work_tree(target: Path) -> None:
    """Copy every file of this checkout that git knows, or would take up."""
    for name in _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def _git(folder: Path, *arguments: str) -> str:
    command = [shutil.which("git") or "git", *arguments]
    environ = os.environ | ENVIRON
    return subprocess.run(
        command, cwd=folder, env=environ, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
