"""Replays recorded histories of orders against this checkout, and names the operation at which one could not resume.

An execution resumes by running the handler from its top, and the SDK matches each operation with the recorded one at
the same position. Executions stay on the version that they began on, so a break harms none of them there; it does harm
those of `$LATEST.PUBLISHED`, and a bump of the SDK can bring one as well. `record` replaces the histories: for a break
that is meant, once nothing runs that it would harm. Then `operations` in the function's contract.toml must follow.

Exit codes: 0 every history replays; 1 one does not, or the contract has other operations; 2 the input is wrong.
"""

import importlib
import logging
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from types import ModuleType

from infra import ROOT, contract
from infra.contract import Contract
from infra.replay import RECORDED
from infra.replay.check import check, compare
from infra.replay.history import HistoryError, load
from infra.replay.record import record
from infra.toml import FileError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = ArgumentParser("python -m infra.replay", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "record"], nargs="?", default="check")
    parsed = parser.parse_args(arguments)
    try:
        promised = contract.load()
        if parsed.command == "record":
            _record(promised)
        return _check(promised)
    except (HistoryError, FileError) as error:
        print(error, file=sys.stderr)
        return 2


def _record(promised: Contract) -> None:
    for path in record(_orders(), promised.sample, RECORDED):
        print(f"Recorded {path.relative_to(ROOT)}")


def _check(promised: Contract) -> int:
    histories = load(RECORDED)
    breaks = check(_orders().handler, histories)
    differences = compare(promised, histories)
    for each in [*breaks, *differences]:
        print(each, file=sys.stderr)
    print(f"{len(histories) - len(breaks)} of {len(histories)} recorded histories replay")
    return 1 if breaks or differences else 0


def _orders() -> ModuleType:
    sys.path.insert(0, str(ROOT / "functions"))
    return importlib.import_module("orders.handler")


if __name__ == "__main__":
    logging.disable()  # the SDK logs what is reported here
    sys.exit(main())
