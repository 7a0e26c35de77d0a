"""Synthesize the stacks of one environment into a cloud assembly. Needs no credentials and no network."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from infra.aws.assembly import Assembly, default_folder
from infra.aws.cdk import cdk
from infra.aws.target import Target
from infra.console.progress import doing
from infra.console.report import Report
from infra.pipeline.arguments import add_pull_request


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `build` takes."""
    add_pull_request(parser)
    parser.add_argument(
        "--commit", help="what the stacks tell that they were built from (default: the commit checked out)"
    )
    parser.add_argument("--output", type=Path, help="folder for the assembly (default: below build/assembly)")


def run(target: Target, arguments: Namespace) -> Report:
    """Build, and name what came out."""
    assembly = synthesize(target, arguments.output, commit=arguments.commit, verbose=arguments.verbose)
    names, digest = assembly.stack_names, assembly.digest()
    facts = {"assembly": str(assembly.folder), "stacks": names, "digest": digest}
    return Report(facts, [f"{', '.join(names)} in {assembly.folder}", f"SHA-256 {digest}", *warnings(assembly)])


def warnings(assembly: Assembly) -> list[str]:
    """Return what whoever deploys an assembly should know of it."""
    if not assembly.is_uncommitted:
        return []
    return [f"{assembly.folder} is built from changes that are in no commit: `deploy` takes it to the local AWS alone"]


def synthesize(
    target: Target, folder: Path | None = None, *, commit: str | None = None, verbose: bool = False
) -> Assembly:
    """Synthesize a target's stacks into a folder, and return that.

    Raises:
        CommandError: the CDK CLI failed.
    """
    folder = folder or default_folder(target)
    context = {"environment": target.environment.name, "pull_request": target.pull_request, "commit": commit}
    options = [option for key, value in context.items() if value for option in ("--context", f"{key}={value}")]
    with doing(f"Synthesizing {target.environment.name}"):
        cdk(["synth", "--quiet", "--output", str(folder), *options], log=f"build-{folder.name}", verbose=verbose)
    return Assembly(folder)
