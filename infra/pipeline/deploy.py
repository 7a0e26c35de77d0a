"""Bring a built cloud assembly to its account: exactly what was built, nothing is synthesized again."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from infra import naming
from infra.aws.alias import check_open, live_version
from infra.aws.assembly import default_folder, digest, stack_names
from infra.aws.cdk import cdk
from infra.aws.session import open_session
from infra.aws.stack import outputs
from infra.console.output import show
from infra.console.progress import doing
from infra.environment import Environment
from infra.errors import UsageError
from infra.pipeline.arguments import add_pull_request


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `deploy` takes."""
    add_pull_request(parser)
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")
    parser.add_argument("--digest", help="SHA-256 that `build` told of the assembly; any other is refused")


def run(environment: Environment, arguments: Namespace) -> int:
    """Deploy every stack of the assembly, in the order of their dependencies."""
    folder = arguments.assembly or default_folder(environment.name, arguments.pull_request)
    names = stack_names(folder)
    if arguments.digest and (found := digest(folder)) != arguments.digest:
        raise UsageError(f"{folder} is not what was built: its SHA-256 is {found}, and {arguments.digest} was built")
    session = open_session(environment)
    function = naming.orders_stack(environment.name, arguments.pull_request)
    client = session.client("lambda")
    check_open(client, function)
    previous = live_version(client, function)
    with doing(f"Deploying {', '.join(names)}"):
        cdk(
            ["deploy", "--app", str(folder), "--all", "--require-approval", "never"],
            log=f"deploy-{folder.name}",
            verbose=arguments.verbose,
        )
    deployed = {name: outputs(session, name) for name in names}
    live = deployed.get(function, {})
    facts = {
        "stacks": deployed,
        "alias_arn": live.get("AliasArn"),
        "version": live.get("Version"),
        "previous_version": previous,
    }
    lines = [f"{name}: {key} {value}" for name, found in deployed.items() for key, value in found.items()]
    show(arguments, facts, lines)
    return 0
