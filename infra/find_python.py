"""Print the Python that this checkout should use: 3.13 or 3.14, what Lambda runs, or else another that will do.

Runs before anything is installed, on whatever `python3` is: standard library only, and nothing newer than 3.7.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

OLDEST = (3, 11)
PREFERRED = ("3.13", "3.14")
OTHERS = ("3.12", "3.11")
PROBE = "import ensurepip, sys, venv; sys.exit(sys.prefix != sys.base_prefix)"


def main() -> int:
    """Print the path of the interpreter. Exit code 2 when there is none that will do."""
    for candidate in candidates():
        if works(candidate):
            print(candidate)
            return 0
    print(
        "python3 is {}.{} at {}: Python 3.11 or newer with its venv module is needed, on the path or named as in "
        "`make run PYTHON=/opt/python/bin/python3.13`".format(*sys.version_info[:2], sys.executable),
        file=sys.stderr,
    )
    return 2


def candidates() -> Iterator[str]:
    """Yield where a Python that will do may be, the preferred ones first."""
    yield from installed(PREFERRED)
    if sys.version_info >= OLDEST:
        yield own()
    yield from installed(OTHERS)


def installed(versions: Iterable[str]) -> Iterator[str]:
    """Yield where these versions may be: on the path, then among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in versions:
        for folder in os.get_exec_path():
            yield str(Path(folder) / ("python" + version))
        for found in sorted(pyenv.glob(version + ".*"), reverse=True):
            yield str(found / "bin" / "python3")


def own() -> str:
    """Return the interpreter that runs this, or the one that its virtual environment was made from."""
    return sys.executable if sys.prefix == sys.base_prefix else str(Path(sys.base_prefix) / "bin" / "python3")


def works(python: str) -> bool:
    """Tell whether this interpreter starts and can make environments: a pyenv's shim may do neither.

    That of a virtual environment does not count. It may be the checkout's own, which is about to be made anew.
    """
    if not os.access(python, os.X_OK):
        return False
    try:
        answer = subprocess.run(
            [python, "-c", PROBE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return False
    return answer.returncode == 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    sys.exit(main())
