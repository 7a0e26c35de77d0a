"""Everything that brings the durable function to AWS."""

import sys
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[1]
"""The checkout."""


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if kind is not KeyboardInterrupt:
        sys.__excepthook__(kind, error, traceback)


# Reading its modules is most of a command's first second, and a traceback of that tells nobody anything.
sys.excepthook = _show
