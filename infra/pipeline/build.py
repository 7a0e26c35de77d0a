"""Synthesize the stacks of one environment into a cloud assembly. Needs no credentials and no network."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from infra.aws.assembly import default_folder, digest, stack_names
from infra.aws.cdk import cdk
from infra.console.output import show
from infra.console.progress import doing
from infra.environment import Environment
from infra.pipeline.arguments import add_pull_request


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `build` takes."""
    add_pull_request(parser)
    parser.add_argument("--commit", help="what the stacks are tagged with (default: the commit checked out)")
    parser.add_argument("--output", type=Path, help="folder for the assembly (default: below build/assembly)")


def run(environment: Environment, arguments: Namespace) -> int:
    """Build, and name what came out."""
    folder = arguments.output or default_folder(environment.name, arguments.pull_request)
    context = {"environment": environment.name, "pull_request": arguments.pull_request, "commit": arguments.commit}
    options = [option for key, value in context.items() if value for option in ("--context", f"{key}={value}")]
    with doing(f"Synthesizing {environment.name}"):
        cdk(
            ["synth", "--quiet", "--output", str(folder), *options],
            log=f"build-{folder.name}",
            verbose=arguments.verbose,
        )
    names = stack_names(folder)
    facts = {"assembly": str(folder), "stacks": names, "digest": digest(folder)}
    show(arguments, facts, [f"{', '.join(names)} in {folder}", f"SHA-256 {facts['digest']}"])
    return 0
