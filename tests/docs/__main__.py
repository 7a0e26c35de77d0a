"""Refresh the pages' blocks of output, each by the command of its marker. One that says the same stays as it is."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import ROOT
from infra.console.progress import doing
from infra.local.aws import LocalAws
from tests.docs import generated
from tests.docs.checkout import Checkout
from tests.docs.commands import OPERATING, SENT
from tests.docs.names import is_sample
from tests.docs.operating import Place, play
from tests.docs.pages import Block, blocks, fill


def main() -> int:
    """Return 0; 2 when the page that is asked for has no such block, or this checkout is not our sample any more."""
    parser = ArgumentParser("python -m tests.docs", description=__doc__)
    parser.add_argument("--page", help="refresh one page alone, such as docs/roles.md")
    page: str | None = parser.parse_args().page
    wanted = [block for block in blocks() if page in (None, block.page)]
    if not wanted:
        print(f"{page}: there is no page of this name with a block of output", file=sys.stderr)
        return 2
    if not is_sample():
        print("The pages tell of our sample, which this checkout no longer is: they stay as they are", file=sys.stderr)
        return 2
    outputs = dict(_outputs({block.command for block in wanted}))
    # The last of a page first, so that the lines of those above it stay what they are.
    for block in reversed(wanted):
        _refresh(block, outputs[block.command])
    return 0


def _refresh(block: Block, output: str) -> None:
    if generated.is_current(block, output):
        return
    fill(ROOT / block.page, block, output)
    print(f"{block.page}: {block.command}")


def _outputs(markers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Run the command of each marker once."""
    of_accounts = [marker for marker in markers if generated.base(marker)[0] in OPERATING]
    for marker in sorted(set(markers) - set(of_accounts)):
        with doing(marker), TemporaryDirectory() as folder:
            copy = Checkout(Path(folder) / "checkout") if marker in SENT else None
            yield marker, generated.printed(marker, copy)
    if of_accounts:
        found = _operate()
        yield from ((marker, generated.shown(marker, found[generated.base(marker)[0]])) for marker in of_accounts)


def _operate() -> dict[str, str]:
    """Take all steps on a local AWS, and return what each printed.

    Raises:
        AssertionError: one ended otherwise than its page tells.
    """
    found: dict[str, str] = {}
    with TemporaryDirectory() as folder, LocalAws.start(Path(folder) / "logs") as aws:
        for step, done in play(Place(aws, Checkout(Path(folder) / "checkout"))):
            assert done.code == step.code, f"{step.command} ended with {done.code}:\n{done.output}"
            found[step.command] = done.output
    return found


if __name__ == "__main__":
    sys.exit(main())
