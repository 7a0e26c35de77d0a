"""Makes a new durable function, with tests, that passes every check as it stands.

Exit codes: 0 made; 1 what it carries could not be resolved; 2 the name can't be a function's, or is taken. Unless it is
made, nothing is left of it.
"""

import logging
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra import ROOT
from infra.environment import load_all
from infra.errors import CommandError, UsageError
from infra.scaffold.make import make


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Make the function that is named, say what to do next, and return the exit code."""
    parser = ArgumentParser("make function", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("name", help="its folder in functions/, such as refunds")
    if not (name := parser.parse_args(arguments).name):
        parser.error("name the function, as in `make function NAME=refunds`")
    try:
        made = make(name, root)
    except (CommandError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    for path in made:
        print(f"Made {path.relative_to(root)}")
    for line in _next(name, root):
        print(f"\n{line}")
    return 0


def _next(name: str, root: Path) -> Iterator[str]:
    try:
        load_all(root)
    except UsageError as error:
        yield "First, for the environments to hold one more function:"
        yield str(error)
    yield f"""Next, replace what is only an example, in this order:
  functions/{name}/work.py        what its event is, and its work
  functions/{name}/handler.py     the steps and waits that the work is made of
  functions/{name}/contract.toml  what every execution promises
and see that it holds:
  make record FUNCTION={name}     records its executions, whenever its operations have changed on purpose
  make test
  make run FUNCTION={name}        runs it, deployed to a local AWS
What it carries is named in functions/{name}/requirements.in, and locked by `make lock`. Where its settings differ from
those of all functions, environments/*.toml have a table [functions.{name}]. To remove it, remove its two folders,
functions/{name}/ and tests/functions/{name}/."""


if __name__ == "__main__":
    logging.disable()  # the SDK logs the failure that is recorded
    sys.exit(main())
