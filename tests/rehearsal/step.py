"""Runs a step's shell, in the place of bash, and ends it as GitHub's runner does once the job is cancelled.

act itself would kill it at once. It is told afterwards, and goes on with the steps that always run.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

BASH = "/bin/bash"
# The file in a job's folder by which it is cancelled, what that is called afterwards, and the variable with its path.
CANCEL, CANCELLED, VARIABLE = "cancel", "cancelled", "REHEARSAL_CANCEL"
POLL_SECONDS = 0.1
# What the shell gets, and how many seconds it has after it; its children get nothing (docs.github.com, workflow
# cancellation reference).
SIGNALS = {signal.SIGINT: 7.5, signal.SIGTERM: 2.5, signal.SIGKILL: None}
KILLED_WITHIN_SECONDS = 5


def main() -> int:
    """Run the shell, and return its exit code."""
    # Only the step is told: what it starts, shells of its own included, has no variable.
    if not (path := os.environ.pop(VARIABLE, "")):
        os.execv(BASH, [BASH, *sys.argv[1:]])  # noqa: S606 - a shell is what is asked for
    flag, told = Path(path), Event()
    if flag.exists():
        _tell_act(flag)
    with subprocess.Popen([BASH, *sys.argv[1:]]) as shell:
        Thread(target=watch, args=(flag, shell, told), daemon=True).start()
        code = shell.wait()
    if told.is_set():
        _tell_act(flag)
    return code if code >= 0 else 128 - code


def watch(flag: Path, shell: "subprocess.Popen[bytes]", told: Event) -> None:
    """Wait for the flag, and end the shell then."""
    while not flag.exists():
        time.sleep(POLL_SECONDS)
    told.set()
    for each, patience in SIGNALS.items():
        shell.send_signal(each)
        try:
            shell.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return


def _tell_act(flag: Path) -> None:
    """Have this step killed by act, unless it is one that runs all the same."""
    flag.rename(flag.with_name(CANCELLED))
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(KILLED_WITHIN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
