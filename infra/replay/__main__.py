"""Replays recorded histories against this checkout, and names the operation at which an execution could not resume.

An execution resumes by running the handler from its top, and the SDK matches each operation with the recorded one at
the same position. Executions stay on the version that they began on, so a break harms none of them there; it does harm
those of `$LATEST.PUBLISHED`, and a bump of the SDK can bring one as well. `record` replaces the histories: for a break
that is meant, once nothing runs that it would harm. Then `operations` in the function's contract.toml must follow.

Exit codes: 0 every history replays; 1 one does not, or the contract has other operations; 2 the input is wrong. Every
function is tried, and the highest code of all is returned.
"""

import logging
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from infra import ROOT, contract, functions
from infra.contract import Contract
from infra.errors import UsageError
from infra.pipeline.arguments import add_function
from infra.replay import recorded
from infra.replay.check import check, compare
from infra.replay.code import imported, invoked, replaced
from infra.replay.history import load
from infra.replay.record import Answers, record
from infra.replay.resume import Handler


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run one command on the functions below a folder, and return its exit code."""
    parser = ArgumentParser("python -m infra.replay", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "record"], nargs="?", default="check")
    add_function(parser)
    parsed = parser.parse_args(arguments)
    try:
        chosen = _chosen(parsed.function, functions.names(root))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return max(_run(parsed.command, function, root, f"{function}: " if len(chosen) > 1 else "") for function in chosen)


def _chosen(function: str | None, known: Sequence[str]) -> Sequence[str]:
    if function and function not in known:
        raise UsageError(f"there is no function {function} in functions/; there are {', '.join(known)}")
    return [function] if function else known


def _run(command: str, function: str, root: Path, label: str) -> int:
    try:
        promised = contract.load(function, root)
        with imported(function, root) as handler:
            if command == "record":
                _record(function, handler, promised, root)
            return _check(function, handler, promised, root, label)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2


def _record(function: str, handler: Handler, promised: Contract, root: Path) -> None:
    with replaced(function, root):
        answers = Answers(promised.answers_of(promised.example), invoked(function, root))
        paths = record(handler, promised.sample, recorded(function, root), answers=answers)
    for path in paths:
        print(f"Recorded {path.relative_to(root)}")


def _check(function: str, handler: Handler, promised: Contract, root: Path, label: str) -> int:
    histories = load(function, root)
    breaks = check(handler, histories)
    differences = compare(function, promised, histories)
    for each in [*(f"{label}{each}" for each in breaks), *differences]:
        print(each, file=sys.stderr)
    print(f"{label}{len(histories) - len(breaks)} of {len(histories)} recorded histories replay")
    return 1 if breaks or differences else 0


if __name__ == "__main__":
    logging.disable()  # the SDK logs what is reported here
    sys.exit(main())
