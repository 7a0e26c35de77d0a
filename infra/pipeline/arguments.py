"""What several commands take."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping

from infra.aws.target import Target
from infra.errors import UsageError


def add_pull_request(parser: ArgumentParser, *, required: bool = False) -> None:
    """Add the choice of a pull request, and so of its preview."""
    what = "the preview of this pull request" + ("" if required else ", and not the environment's own stacks")
    parser.add_argument("--pull-request", type=_positive, required=required, metavar="N", help=what)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"{text!r} is not the number of a pull request")
    return int(text)


def add_function(parser: ArgumentParser) -> None:
    """Add the choice of one function."""
    parser.add_argument("--function", metavar="NAME", help="one function alone, a folder in functions/ (default: all)")


def versions(text: str) -> dict[str, str]:
    """Read the versions of functions, such as `billing=7,refunds=3`; nothing is the version of none."""
    parts = (part.partition("=") for part in text.split(",") if part)
    found = {function: number for function, _, number in parts}
    if wrong := [number for number in found.values() if not (number.isascii() and number.isdigit() and int(number))]:
        raise ArgumentTypeError(f"{text!r} must be FUNCTION=VERSION, joined by commas; {wrong[0]!r} is no version")
    return found


def write_versions(found: Mapping[str, str | None]) -> str:
    """Write the versions of functions as `versions` reads them, without those that have none."""
    return ",".join(f"{function}={number}" for function, number in found.items() if number)


def add_versions(parser: ArgumentParser, what: str) -> None:
    """Add the versions of functions."""
    parser.add_argument(
        "--versions", type=versions, default={}, metavar="NAME=N,...", help=f"{what}, such as billing=7,refunds=3"
    )


def versions_of(target: Target, arguments: Namespace) -> dict[str, str]:
    """Return the versions that the command line names.

    Raises:
        UsageError: one is of no function that this checkout has.
    """
    known = target.environment.function_names
    if unknown := sorted(arguments.versions.keys() - {*known}):
        raise UsageError(
            f"--versions: there is no function {', '.join(unknown)} in functions/; there are {', '.join(known)}"
        )
    return arguments.versions
