"""Replays recorded histories of orders against this checkout, and names the operation at which one could not resume.

An execution resumes by running the handler from its top, and the SDK matches each operation with the recorded one at
the same position. Executions stay on the version that they began on, so a break harms none of them there; it does harm
those of `$LATEST.PUBLISHED`, and a bump of the SDK can bring one as well. `record` replaces the histories: for a break
that is meant, once nothing runs that it would harm.

Exit codes: 0 every history replays, or all are recorded; 1 one does not replay; 2 the input is wrong.
"""

import importlib
import logging
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from types import ModuleType

from infra import ROOT
from infra.replay import RECORDED
from infra.replay.check import check
from infra.replay.history import HistoryError, load
from infra.replay.record import record


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = ArgumentParser("python -m infra.replay", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "record"], nargs="?", default="check")
    parsed = parser.parse_args(arguments)
    try:
        return _record() if parsed.command == "record" else _check()
    except HistoryError as error:
        print(error, file=sys.stderr)
        return 2


def _record() -> int:
    for path in record(_orders(), RECORDED):
        print(f"Recorded {path.relative_to(ROOT)}")
    return 0


def _check() -> int:
    histories = load(RECORDED)
    breaks = check(_orders().handler, histories)
    for each in breaks:
        print(each, file=sys.stderr)
    print(f"{len(histories) - len(breaks)} of {len(histories)} recorded histories replay")
    return 1 if breaks else 0


def _orders() -> ModuleType:
    sys.path.insert(0, str(ROOT / "functions"))
    return importlib.import_module("orders.handler")


if __name__ == "__main__":
    logging.disable()  # the SDK logs what is reported here
    sys.exit(main())
