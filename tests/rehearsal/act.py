"""Runs one job with act, on this machine and without Docker."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra import ROOT
from tests.rehearsal.step import CANCELLED
from tests.rehearsal.workflows import RUNNER, WorkflowError

ACT = Path(sys.executable).with_name("act")
HERE = Path(__file__).parent
STAND_INS = HERE / "actions"
# What GitHub's runner has, as far as the workflows ask for it.
PATH = [HERE / "bin", Path(sys.executable).parent, ROOT / "node_modules" / ".bin", ROOT / ".tools" / "uv" / "bin"]
SYSTEM_PATH = ["/usr/local/bin", "/usr/bin", "/bin"]


@dataclass
class Step:
    """A step of a job: what it printed, and its outputs."""

    name: str
    result: str = ""
    seconds: float = 0
    lines: list[str] = field(default_factory=list[str])
    outputs: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Job:
    """A job, its times in seconds since the epoch. It was skipped unless act told of its end."""

    name: str
    started: float
    ended: float = 0
    result: str = "skipped"
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    refusals: list[str] = field(default_factory=list[str])
    """What it was refused, and why: the errors that its actions tell of."""
    title: str = ""
    """What GitHub calls it, which need not tell it from the others."""

    @property
    def log(self) -> str:
        """All that it printed."""
        return "".join(line for step in self.steps.values() for line in step.lines)


@dataclass(frozen=True)
class Task:
    """What act is asked to run."""

    tree: Path
    """A checkout of the commit."""
    file: Path
    """The workflow, with the one job and what it needs."""
    key: str
    event: str
    payload: Path
    actor: str
    matrix: Mapping[str, str]
    token: str
    environ: Mapping[str, str]
    actions: Iterable[str]
    """Those of other repositories, as `owner/name@commit`."""


class Runner:
    """Runs jobs, several at a time."""

    def __init__(self, home: Path, actions: Path | None = None) -> None:
        """Make the runner.

        Args:
            home: what jobs have for their user's home.
            actions: a folder with checkouts of actions, by their names, that take the place of what stands in for them.
        """
        self._home = home
        self._folders = [actions, STAND_INS] if actions else [STAND_INS]
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(self, task: Task, name: str, folder: Path) -> Job:
        """Run a job, whose files all go into a folder."""
        (folder / "tmp").mkdir()
        job = Job(name, started=time.time())
        with self._started(task, folder) as process, (folder / "act.log").open("w") as log:
            for line in process.stdout or ():
                log.write(line)
                _take(job, task.key, line)
        job.ended = time.time()
        if (folder / CANCELLED).exists():
            job.result = "cancelled"
        return job

    def stop(self) -> None:
        """End all jobs, and start no more."""
        self._stopped = True
        for process in list(self._running):
            if process.stdin:
                process.stdin.close()

    @contextmanager
    def _started(self, task: Task, folder: Path) -> "Generator[subprocess.Popen[str]]":
        if self._stopped:
            raise InterruptedError("the rehearsal was stopped")
        path = os.pathsep.join([*map(str, PATH), *SYSTEM_PATH])
        own = {"PATH": path, "HOME": str(self._home), "PYTHON": sys.executable}
        with subprocess.Popen(
            [sys.executable, "-m", "tests.rehearsal.leash", *_command(task, folder, self._folders)],
            cwd=ROOT,
            env=own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            self._running.add(process)
            try:
                yield process
            finally:
                self._running.remove(process)


def _command(task: Task, folder: Path, actions: Sequence[Path]) -> list[str]:
    environ = {**task.environ, "TMPDIR": str(folder / "tmp")}
    return [
        *(str(ACT), task.event, "--directory", str(task.tree), "--workflows", str(task.file), "--job", task.key),
        *("--eventpath", str(task.payload), "--actor", task.actor, "--secret", f"GITHUB_TOKEN={task.token}"),
        *("--platform", f"{RUNNER}=-self-hosted", "--no-cache-server", "--no-skip-checkout"),
        *("--action-cache-path", str(folder / "act"), "--action-offline-mode", "--json"),
        *(option for pair in task.matrix.items() for option in ("--matrix", ":".join(pair))),
        *(option for pair in environ.items() for option in ("--env", "=".join(pair))),
        *(option for stand_in in _stand_ins(task.actions, actions) for option in ("--local-repository", stand_in)),
    ]


def _stand_ins(actions: Iterable[str], folders: Sequence[Path]) -> Iterator[str]:
    """Name every third-party action at the commit that it is pinned to, with what takes its place."""
    for action in sorted(actions):
        places = [folder / action.partition("@")[0].rpartition("/")[2] for folder in folders]
        found = next((place for place in places if place.exists()), None)
        if found is None:
            raise WorkflowError(f"nothing stands in for {action}; {places[-1]} would")
        yield f"{action}={found}"


def _take(job: Job, key: str, line: str) -> None:
    """Take up one line of act's log. What is not JSON is act's own last word on what the lines before told."""
    try:
        said: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return
    # A job of a called workflow has its caller's name before its own, and the key that it has in its file.
    is_called = said.get("job", "").count("/") > 1
    if said.get("jobID") != key and not is_called:
        return
    job.result = said.get("jobResult", job.result)
    if said.get("stage") == "Main" and "stepID" in said:
        _take_step(job, said)


def _take_step(job: Job, said: dict[str, Any]) -> None:
    # The steps of a composite action have their own ids after that of the step that uses it.
    identity, *inner = said["stepID"]
    step = job.steps.setdefault(identity, Step(said["step"]))
    if said.get("raw_output"):
        step.lines.append(said["msg"])
    if said.get("command") == "error":
        job.refusals.append(said["arg"])
    if said.get("command") == "set-output" and not inner:
        step.outputs[said["name"]] = said["arg"]
    if "stepResult" in said and not inner:
        step.result, step.seconds = said["stepResult"], said.get("executionTime", 0) / 1e9
