"""Bring a built cloud assembly to its account: exactly what was built, nothing is synthesized again."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from infra.aws.assembly import Assembly
from infra.aws.cdk import cdk
from infra.aws.target import Target
from infra.console.progress import doing
from infra.console.report import Report, write_outputs
from infra.errors import CommandError, UsageError
from infra.naming import Output
from infra.pipeline.arguments import add_pull_request
from infra.pipeline.roll_back import go_live


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `deploy` takes."""
    add_pull_request(parser)
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")
    parser.add_argument("--digest", help="SHA-256 that `build` told of the assembly; any other is refused")


def run(target: Target, arguments: Namespace) -> Report:
    """Deploy every stack of the assembly, in the order of their dependencies, and see live what was built."""
    assembly = Assembly.of(target, arguments.assembly)
    if arguments.digest and (found := assembly.digest()) != arguments.digest:
        raise UsageError(
            f"{assembly.folder} is not what was built: its SHA-256 is {found}, and {arguments.digest} was built"
        )
    previous = _live_before(target)
    # At once: a deployment that is cancelled is taken back to it.
    write_outputs({"previous_version": previous})
    with doing(f"Deploying {', '.join(assembly.stack_names)}"):
        cdk(
            ["deploy", "--app", str(assembly.folder), "--all", "--require-approval", "never"],
            log=f"deploy-{assembly.folder.name}",
            session=target.session,
            verbose=arguments.verbose,
        )
    deployed = {name: target.stacks.get(name).outputs for name in assembly.stack_names}
    outputs = deployed[target.function_name] if target.has_function else {}
    facts = {
        "stacks": deployed,
        "alias_arn": outputs.get(Output.ALIAS_ARN),
        "version": _see_live(target, outputs[Output.VERSION]) if outputs else None,
        "previous_version": previous,
    }
    lines = [f"{name}: {key} {value}" for name, found in deployed.items() for key, value in found.items()]
    return Report(facts, lines)


def _live_before(target: Target) -> str | None:
    if not target.has_function:
        return None
    target.function.refuse_if_closed()
    return target.function.live()


def _see_live(target: Target, version: str) -> str:
    """Return the version that is live, which is the one of the stack.

    CloudFormation leaves the alias alone where the template has not changed, and then it may name another: the version
    was taken back. To deploy it is to try it once more.

    Raises:
        CommandError: another version is live.
    """
    if target.function.live() != version:
        go_live(target, version)
    live = target.function.live()
    if live != version:
        raise CommandError(f"{target.function_name}: version {version} was deployed, and {live or 'none'} is live")
    return version
