"""Fail unless a pull request is open: a preview that is deployed after its removal would be left for good."""

from argparse import ArgumentParser, Namespace

from infra.console.output import show
from infra.environment import Environment
from infra.errors import CommandError
from infra.github import client as github
from infra.pipeline.arguments import add_pull_request


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `check-open` takes."""
    add_pull_request(parser, required=True)


def run(_: Environment, arguments: Namespace) -> int:
    """Ask GitHub. Exit code 1 when it is closed, and when GitHub can't be asked."""
    number = arguments.pull_request
    state = github.pull_request(number).state
    if state != "open":
        raise CommandError(f"pull request {number} is {state}, so it gets no preview")
    show(arguments, {"state": state}, [f"Pull request {number} is open"])
    return 0
