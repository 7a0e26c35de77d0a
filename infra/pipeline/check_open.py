"""Fail unless a pull request is open: a preview that is deployed after its removal would be left for good."""

from argparse import ArgumentParser, Namespace

from infra.aws.target import Target
from infra.console.report import Report
from infra.errors import CommandError
from infra.github import pull_requests
from infra.pipeline.arguments import add_pull_request


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `check-open` takes."""
    add_pull_request(parser, required=True)


def run(_target: Target, arguments: Namespace) -> Report:
    """Ask GitHub. Exit code 1 when it is closed, and when GitHub can't be asked."""
    number = arguments.pull_request
    state = pull_requests.state(number)
    if state != "open":
        raise CommandError(f"pull request {number} is {state}, so it gets no preview")
    return Report({"state": state}, [f"Pull request {number} is open"])
