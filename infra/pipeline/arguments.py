"""What several commands take."""

from argparse import ArgumentParser, ArgumentTypeError


def add_pull_request(parser: ArgumentParser, *, required: bool = False) -> None:
    """Add the choice of a pull request, and so of its preview."""
    what = "the preview of this pull request" + ("" if required else ", and not the environment's own stacks")
    parser.add_argument("--pull-request", type=_positive, required=required, metavar="N", help=what)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"{text!r} is not the number of a pull request")
    return int(text)


def version(text: str) -> str:
    """Read the number of a version."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"{text!r} is not the number of a version")
    return text
