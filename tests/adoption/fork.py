"""A fork: a copy of this checkout in which a team makes what is ours its own, and runs what it would run then."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from ipaddress import IPv4Network
from pathlib import Path

from infra import ROOT
from infra.environment import Environment, load_all
from infra.project import LOCAL, Project
from infra.project import load as load_project
from tests.rehearsal.repository import ENVIRON, copy_work_tree

# What is installed, each after what it follows from, and the names of what tells make that it is.
INSTALLED = (".tools/uv", ".venv", ".tools/local-aws", ".tools/checkov", "node_modules", ".tools/bundle")
STAMPS = ("ours-*", "ready*")
SLOW = ("tests/adoption", "tests/deployments", "tests/rehearsal")
# Tests that know neither project.toml nor what is in environments/ and functions/, and take half of the time.
READS_NOTHING = (
    "tests/access",
    "tests/github",
    "tests/infra/aws",
    "tests/infra/console",
    "tests/infra/dependencies",
    "tests/infra/github",
    "tests/infra/local",
    "tests/infra/scaffold",
    "tests/infra/test_replay_operations.py",
)
# What a team edits. A merge of our next version touches none of it.
THEIRS = ("project.toml", "environments/", "functions/", "tests/functions/")


class Fork:
    """The copy. It has the history of one commit, our version, and shares what is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        copy_work_tree(folder)
        for age, name in enumerate(INSTALLED, start=1):
            _share(ROOT / name, folder / name, age)
        self.settle()
        _git(folder, "init", "--quiet", "--initial-branch", "main")
        self.ours = self.commit("Our version")

    @property
    def project(self) -> Project:
        """What its project.toml says."""
        return load_project(self.folder)

    @property
    def environments(self) -> dict[str, Environment]:
        """Its environments."""
        return load_all(self.folder)

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of a person who works in it, outside of any workflow."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "PYTEST_"))}
        # Two forks run side by side, and each takes one of two cores.
        own = {"PYTEST_XDIST_AUTO_NUM_WORKERS": "1", "PYTHON": sys.executable, "MAKEFLAGS": ""}
        return environ | own | ENVIRON

    def assign(self, file: str, **values: object) -> None:
        """Give keys of a TOML file other values; each stands there once. What stands behind them on the line stays."""
        text = (self.folder / file).read_text()
        for key, value in values.items():
            line = f"{key} = {json.dumps(value)}"
            text, count = re.subn(rf"(?m)^{key} = ([^#\n]*[^#\s])", lambda _, line=line: line, text)
            assert count == 1, f"{file} has {count} lines that set {key}"
        (self.folder / file).write_text(text)

    def replace(self, file: str, changes: dict[str, str]) -> None:
        """Put other text in the place of some that stands in a file once."""
        text = (self.folder / file).read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        (self.folder / file).write_text(text)

    def append(self, file: str, text: str) -> None:
        """Write to the end of a file."""
        with (self.folder / file).open("a") as opened:
            opened.write(text)

    def make_room_for_a_function(self, before: dict[str, Environment]) -> None:
        """Let every capacity provider be large enough for one more function than before."""
        for name, environment in before.items():
            functions, most = len(environment.function_names), environment.capacity_provider.maximum_vcpus
            self.assign(f"environments/{name}.toml", maximum_vcpus=-(-most * (functions + 1) // functions))

    def add_environment(self, name: str) -> None:
        """Add an environment before the last of the promotion order, like that one: a file, and a word."""
        *before, last = self.project.promote
        text = (self.folder / "environments" / f"{last}.toml").read_text()
        (self.folder / "environments" / f"{name}.toml").write_text(text)
        self.assign(f"environments/{name}.toml", cidr=_free_network(self._networks_but(name)))
        self.assign("project.toml", promote=[*before, name, last])

    def _networks_but(self, name: str) -> list[IPv4Network]:
        """Return the networks of all environments but one, which may not be loaded yet."""
        files = (path for path in (self.folder / "environments").glob("*.toml") if path.stem not in (name, LOCAL))
        found = (re.search(r'^cidr = "(.*)"', path.read_text(), re.MULTILINE) for path in files)
        return [IPv4Network(each[1]) for each in found if each]

    def run(self, *command: str) -> str:
        """Run a command as a person would in the fork's folder, and return what it printed.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)} failed in the fork:\n{done.stdout[-8000:]}"
        return done.stdout

    def check(self, *, everything: bool = False) -> None:
        """Run what guards a merge, and send an event through each function.

        Args:
            everything: do not leave out what reads nothing of a team's files of TOML, nor what takes long and is shown
                as well: tests synthesize the templates.
        """
        self.settle()
        self.run("make", "lint", *(["types", "templates"] if everything else []), "run")
        left_out = SLOW if everything else (*SLOW, *READS_NOTHING)
        self.python("pytest", *(word for folder in left_out for word in ("--ignore", folder)))

    def rehearse(self, scenario: str) -> None:
        """Play the workflows up to a scenario."""
        self.settle()
        self.run("make", "rehearse", f"SCENARIO={scenario}")

    def python(self, *arguments: str) -> str:
        """Run a module."""
        return self.run(".venv/bin/python", "-m", *arguments)

    def own_packages(self) -> None:
        """Have a copy of what is installed in .venv, which it shares otherwise: something can be installed there."""
        folder = self.folder / ".venv"
        made = {path.name: path.stat().st_mtime for pattern in STAMPS for path in folder.glob(pattern)}
        shutil.rmtree(folder)
        shutil.copytree(ROOT / ".venv", folder, symlinks=True)
        for name, time_ in made.items():
            os.utime(folder / name, (time_, time_))

    def settle(self) -> None:
        """Make every lock older than what is installed of it, which it shares: a fork must install nothing."""
        locks = ("*requirements*.txt", "package-lock.json", "functions/*/requirements.txt", "infra/local/*.txt")
        for path in (path for lock in locks for path in self.folder.glob(lock)):
            os.utime(path, (0, 0))

    def touched(self) -> set[str]:
        """Return the files that differ from our version."""
        _git(self.folder, "add", "--all")
        return set(_git(self.folder, "diff", "--cached", "--name-only", self.ours).split())

    def commit(self, message: str) -> str:
        """Commit everything, and return the commit."""
        _git(self.folder, "add", "--all")
        _git(self.folder, "commit", "--quiet", "--message", message)
        return _git(self.folder, "rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        """Run git in it."""
        return _git(self.folder, *arguments)


def is_theirs(file: str) -> bool:
    """Return whether a file is a team's to edit."""
    return file.startswith(THEIRS)


def _share(source: Path, target: Path, age: int) -> None:
    """Share what is installed in a folder, where there is one, but for the stamps that make goes by.

    The checkout's may be in an order by which make would install anew, and for everybody, what a fork shares.
    """
    if not source.exists():
        return
    target.mkdir(parents=True)
    stamps = {path for pattern in STAMPS for path in source.glob(pattern)}
    for path in source.iterdir():
        if path not in stamps:
            (target / path.name).symlink_to(path)
    for path in stamps:
        (target / path.name).touch()
        # Of this moment: the jobs of a rehearsal have locks of an earlier one.
        made = time.time() - len(INSTALLED) + age
        os.utime(target / path.name, (made, made))


def _free_network(taken: list[IPv4Network]) -> str:
    free = (each for each in IPv4Network("10.0.0.0/8").subnets(new_prefix=20) if not any(map(each.overlaps, taken)))
    return str(next(free))


def _git(folder: Path, *arguments: str) -> str:
    git = shutil.which("git") or "git"
    done = subprocess.run(
        [git, *arguments], cwd=folder, env=os.environ | ENVIRON, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)} failed: {done.stdout}{done.stderr}"
    return done.stdout
