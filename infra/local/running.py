"""The local AWS that runs for this checkout: how `make local` makes it known, and how others find it.

A file tells of it for as long as the process lives that wrote it, which holds a lock on the file. The operating system
takes the lock back however that process ends, so a file without one is of a local AWS that is gone.
"""

import fcntl
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from infra.local.aws import LOGS, RunningAws

ANSWERS_WITHIN_SECONDS = 5


@contextmanager
def announced(aws: RunningAws, folder: Path = LOGS) -> Generator[None]:
    """Let other processes find a local AWS, until the context is left or this process ends."""
    port = aws.endpoint.rpartition(":")[2]
    path, unlocked = folder / f"{port}.json", folder / f"{port}.json.new"
    with unlocked.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump({"endpoint": aws.endpoint, "folder": str(aws.folder), "log": str(aws.log)}, file)
        file.flush()
        unlocked.rename(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def find(folder: Path = LOGS) -> RunningAws | None:
    """Return the local AWS that was made known last and answers, or None."""
    files = [*folder.glob("*.json")]
    for path in sorted(files, key=lambda each: each.stat().st_mtime, reverse=True):
        aws = _read(path)
        if aws and aws.answers(ANSWERS_WITHIN_SECONDS):
            return aws
    return None


def _read(path: Path) -> RunningAws | None:
    """Return the local AWS that a file tells of, or None where that is gone; the file goes then."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            told = json.load(file)
            return RunningAws(told["endpoint"], Path(told["folder"]), Path(told["log"]))
        path.unlink(missing_ok=True)
    return None
