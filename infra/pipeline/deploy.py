"""Bring a built cloud assembly to its account: exactly what was built, nothing is synthesized again."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from infra.environment import Environment
from infra.pipeline.assembly import default_folder, stack_names
from infra.pipeline.cdk import cdk
from infra.pipeline.output import show
from infra.pipeline.progress import doing
from infra.pipeline.session import open_session
from infra.pipeline.stack import outputs


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `deploy` takes."""
    parser.add_argument("--pull-request", type=int, metavar="N", help="deploy the preview of this pull request")
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")


def run(environment: Environment, arguments: Namespace) -> int:
    """Deploy every stack of the assembly, in the order of their dependencies."""
    folder = arguments.assembly or default_folder(environment.name, arguments.pull_request)
    names = stack_names(folder)
    session = open_session(environment)
    with doing(f"Deploying {', '.join(names)}"):
        cdk(
            ["deploy", "--app", str(folder), "--all", "--require-approval", "never"],
            log=f"deploy-{folder.name}",
            verbose=arguments.verbose,
        )
    deployed = {name: outputs(session, name) for name in names}
    lines = [f"{name}: {key} {value}" for name, found in deployed.items() for key, value in found.items()]
    show(arguments, {"stacks": deployed}, lines)
    return 0
