"""Asking a person before something is done."""

import sys
from argparse import ArgumentParser

from infra.console.progress import console
from infra.errors import CommandError, UsageError


def add_yes(parser: ArgumentParser) -> None:
    """Add the consent that a script gives beforehand."""
    parser.add_argument("--yes", action="store_true", help="do not show and ask")


def check_terminal(otherwise: str = "with --yes") -> None:
    """Refuse to begin what nobody could agree to.

    Args:
        otherwise: how the command does not ask.

    Raises:
        UsageError: there is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"there is no terminal to ask on; make does not ask with YES=1, nor the command {otherwise}")


def show(changes: str) -> None:
    """Show what would change, in the words of the CDK CLI."""
    console.print(changes.strip(), markup=False, soft_wrap=True)


def ask(question: str) -> None:
    """Ask, and return once the answer is yes.

    Raises:
        CommandError: it is another.
    """
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was changed")
