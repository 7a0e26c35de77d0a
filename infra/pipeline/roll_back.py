"""Point the live alias back at an earlier version. Running executions stay on the version that they started on."""

from argparse import ArgumentParser, Namespace

from infra import naming
from infra.aws.target import Target
from infra.console.report import Report
from infra.pipeline.arguments import add_pull_request


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `roll-back` takes."""
    add_pull_request(parser)
    parser.add_argument("--version", default="", help="the version to go back to; empty after a first deployment")


def run(target: Target, arguments: Namespace) -> Report:
    """Move the alias, or say that there is nothing to go back to. An update that is under way is taken back first."""
    function, version = target.function, arguments.version
    stack = target.stacks.find(function.name)
    if stack and stack.status == "UPDATE_IN_PROGRESS":
        target.stacks.cancel_update(stack)
    function.refuse_if_closed()
    failed = function.live()
    if not version or version == failed:
        message = f"{function.name}: no other version was live before; the alias stays at {failed or 'none'}"
        return Report({"version": failed, "rolled_back_from": None}, [message], message)
    go_live(target, version)
    message = (
        f"{function.name}: the alias {naming.ALIAS} went back from version {failed} to {version}. The next deployment "
        "moves it on."
    )
    return Report({"version": version, "rolled_back_from": failed}, [message], message)


def go_live(target: Target, version: str) -> None:
    """Let new executions start on another version, with all the environments of a live one: pruning takes some away.

    Raises:
        CommandError: there is no such version, or no live alias.
    """
    settings = target.environment.function
    target.function.scale(version, settings.minimum_environments, settings.maximum_environments)
    target.function.go_live(version)
