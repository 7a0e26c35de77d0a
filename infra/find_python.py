"""Print the Python that this checkout should use: 3.13 or 3.14, what Lambda runs, or else this one.

Runs before anything is installed, on whatever `python3` is: standard library only, and nothing newer than 3.7.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST = (3, 11)
PREFERRED = ("3.13", "3.14")
PROBE = "import ensurepip, sys, venv; sys.exit(sys.prefix != sys.base_prefix)"


def main() -> int:
    """Print the path of the interpreter. Exit code 2 when there is none that will do."""
    for candidate in candidates():
        if works(candidate):
            print(candidate)
            return 0
    if sys.version_info >= OLDEST and works(own()):
        print(own())
        return 0
    print(
        "python3 is {}.{} at {}: Python 3.11 or newer with its venv module is needed".format(
            *sys.version_info[:2], sys.executable
        ),
        file=sys.stderr,
    )
    return 2


def candidates() -> Iterator[str]:
    """Yield where a preferred Python may be: on the path, then among pyenv's versions."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in PREFERRED:
        for folder in os.get_exec_path():
            yield str(Path(folder) / ("python" + version))
        for installed in sorted(pyenv.glob(version + ".*"), reverse=True):
            yield str(installed / "bin" / "python3")


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
    sys.exit(main())
