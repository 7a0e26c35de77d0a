"""The durable functions: each a folder in functions/ with a handler.py. What several share is a package beside them."""

import keyword
import re
import sys
from pathlib import Path

from infra import ROOT
from infra.toml import FileError

# As a name of Python's, and short enough for the names that AWS makes of a stack's.
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST_NAME = 20


def names(root: Path = ROOT) -> tuple[str, ...]:
    """Return the names of all functions.

    Raises:
        FileError: there is none, or one can't be named so on AWS.
    """
    found = sorted(path.parent.name for path in (root / "functions").glob("*/handler.py"))
    if not found:
        raise FileError("functions/: holds no folder with a handler.py; `make function NAME=...` makes one")
    for name in found:
        check_name(name)
    return tuple(found)


def check_name(name: str) -> None:
    """Refuse what can't be the name of a function.

    Raises:
        FileError: it can't.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise FileError(
            f"functions/{name}: must be named by {LONGEST_NAME} characters at most, words of a to z and 0 to 9 that "
            "_ joins, a letter first"
        )
    if keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise FileError(f"functions/{name}: can't be imported, since {name} is Python's own; give it another name")
