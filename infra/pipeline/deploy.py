"""Bring a built cloud assembly to its account: exactly what was built, nothing is synthesized again."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from infra.aws import diagnosis, leftovers, replacement
from infra.aws.assembly import Assembly
from infra.aws.cdk import cdk
from infra.aws.function import DeployedFunction
from infra.aws.problems import noting
from infra.aws.stacks import POLL_SECONDS
from infra.aws.target import Target
from infra.console import consent
from infra.console.progress import doing
from infra.console.report import Report, write_outputs
from infra.errors import CommandError, UsageError
from infra.naming import Output
from infra.pipeline import diff
from infra.pipeline.arguments import add_pull_request, write_versions
from infra.pipeline.drain import Ending, drain_all, lines
from infra.pipeline.roll_back import go_live
from infra.pipeline.wake import wake

# How many functions are deployed side by side. The CDK CLI asks CloudFormation about each all the time, and an account
# may ask only so often.
CONCURRENCY = 8
# How long CloudFormation may tell of a stack as it was before.
TOLD_WITHIN_SECONDS = 60


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `deploy` takes."""
    add_pull_request(parser)
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")
    parser.add_argument("--digest", help="SHA-256 that `build` told of the assembly; any other is refused")
    parser.add_argument("--ask", action="store_true", help="show what would change, and ask")


def run(target: Target, arguments: Namespace) -> Report:
    """Deploy every stack of the assembly, see live what was built, and remove the functions whose folders are gone.

    Exit code 1 when one of them is running, or where something would be replaced that must not be: nothing is deployed
    then.
    """
    assembly = _built(target, arguments)
    if arguments.ask:
        _ask(target, assembly)
    functions = target.functions if target.has_functions else []
    removed = target.removed_functions()
    _refuse_running(target, removed)
    deployed = {name: diff.deployed_template(target, assembly, name) for name in assembly.stack_names}
    replacement.refuse(target, assembly, deployed, verbose=arguments.verbose)
    previous = {function.folder: _live_before(function) for function in functions}
    # At once: a deployment that is cancelled is taken back to them.
    write_outputs({"previous_versions": write_versions(previous)})
    _deploy(target, assembly, verbose=arguments.verbose)
    stacks = {name: _see_deployed(target, assembly, name) for name in assembly.stack_names}
    built = {each: stacks[each.name][Output.VERSION] for each in functions}
    # Where nothing of a version changed, CloudFormation left it as it was.
    wake(target, {each: version for each, version in built.items() if each.is_asleep(version)})
    versions = {each.folder: _see_live(target, each, version) for each, version in built.items()}
    retained = _remove(target, removed)
    found = {
        each.folder: {
            "alias_arn": stacks[each.name][Output.ALIAS_ARN],
            "version": versions[each.folder],
            "previous_version": previous[each.folder],
        }
        for each in functions
    }
    gone = [function.name for function in removed]
    told = [f"{name}: {key} {value}" for name, outputs in stacks.items() for key, value in outputs.items()]
    return Report(
        {"stacks": stacks, "functions": found, "removed": gone, "retained": retained},
        [*told, *(f"{name}: removed" for name in gone), *map(leftovers.told, retained)],
        outputs={"versions": write_versions(versions), "previous_versions": write_versions(previous)},
    )


def _built(target: Target, arguments: Namespace) -> Assembly:
    """Return the assembly to deploy.

    Raises:
        UsageError: it is not that of the target, not what was built, or not of a commit.
    """
    environment, assembly = target.environment, Assembly.of(target, arguments.assembly)
    if assembly.is_uncommitted and environment.name in environment.project.environments:
        raise UsageError(
            f"{assembly.folder} was built from changes that are in no commit, so nobody could tell what runs on "
            f"{environment.name}: commit them, or put them aside with `git stash -u`, and build anew"
        )
    if arguments.digest and (found := assembly.digest()) != arguments.digest:
        raise UsageError(
            f"{assembly.folder} is not what was built: its SHA-256 is {found}, and {arguments.digest} was built"
        )
    return assembly


def _ask(target: Target, assembly: Assembly) -> None:
    """Show what would change, and go on once that was agreed to.

    Raises:
        UsageError: there is no terminal to ask on.
        CommandError: it was not agreed to.
    """
    consent.check_terminal("without --ask")
    for changes in diff.changes(target, assembly, assembly.stack_names).values():
        consent.show(changes)
    consent.ask(f"Deploy {', '.join(assembly.stack_names)} to account {target.environment.account}?")


def _live_before(function: DeployedFunction) -> str | None:
    function.refuse_if_closed()
    return function.live()


def _deploy(target: Target, assembly: Assembly, *, verbose: bool) -> None:
    options = ["--all", "--concurrency", str(CONCURRENCY), "--require-approval", "never"]
    before = diagnosis.moments(target, assembly.stack_names)
    try:
        with doing(f"Deploying {', '.join(assembly.stack_names)}"):
            cdk(
                ["deploy", "--app", str(assembly.folder), *options],
                log=f"deploy-{assembly.folder.name}",
                session=target.session,
                verbose=verbose,
            )
    except CommandError as error:
        # What the CLI prints last is seldom why. Where CloudFormation was not asked at all, nothing else says it.
        causes: list[str] = []
        with noting(causes):
            causes += diagnosis.causes(target, before)
        said = str(error) if not causes else str(error).partition("\n")[0]
        raise CommandError("\n".join([*causes, said])) from error


def _see_deployed(target: Target, assembly: Assembly, name: str) -> dict[str, str]:
    """Return the outputs of a stack that was deployed.

    CloudFormation may tell for a moment of how it was before. The version in those outputs must not go live.

    Raises:
        CommandError: it still does, or somebody has deployed something else meanwhile.
    """
    built, since = assembly.commit(name), target.clock.monotonic()
    while (stack := target.stacks.get(name)).commit != built or not stack.is_at_rest:
        if target.clock.monotonic() > since + TOLD_WITHIN_SECONDS:
            raise CommandError(
                f"{name}: commit {built} was deployed, and it is {stack.status} from commit {stack.commit}"
            )
        target.clock.sleep(POLL_SECONDS)
    return stack.outputs


def _see_live(target: Target, function: DeployedFunction, version: str) -> str:
    """Return the version that is live, which is the one of the stack.

    CloudFormation leaves the alias alone where the template has not changed, and then it may name another: the version
    was taken back. To deploy it is to try it once more.

    Raises:
        CommandError: another version is live.
    """
    if function.live() != version:
        go_live(target, function, version)
    live = function.live()
    if live != version:
        raise CommandError(f"{function.name}: version {version} was deployed, and {live or 'none'} is live")
    return version


def _refuse_running(target: Target, removed: Sequence[DeployedFunction]) -> None:
    """Refuse to begin what could not end: a function is removed only once nothing runs on it.

    Raises:
        CommandError: something does.
    """
    on = f"--environment {target.environment.name}"
    if target.pull_request is not None:
        on = f"--pull-request {target.pull_request}"
    told: list[str] = []
    for function in removed:
        if running := function.running():
            told += [
                f"functions/{function.folder} is gone, and {len(running)} executions of {function.name} go on:",
                *(f"  {line}" for line in lines(target.clock, running)),
                f"Wait for them, by `drain {on} --function {function.folder} --running wait`, or stop them.",
            ]
    if told:
        raise CommandError("\n".join([*told, "Nothing was deployed. Run this again then, or bring the folder back."]))


def _remove(target: Target, removed: Sequence[DeployedFunction]) -> list[str]:
    """Remove functions, also protected ones: that their folders go was reviewed like any change.

    Return what their templates retain.

    Raises:
        CommandError: executions began meanwhile, and all take new ones again; or a stack could not be deleted.
    """
    if not removed:
        return []
    drain_all(target, removed, Ending("refuse"))
    stacks = [stack for function in removed if (stack := target.stacks.find(function.name))]
    for stack in stacks:
        if stack.is_protected:
            target.stacks.unprotect(stack)
    target.stacks.delete(*stacks)
    return leftovers.retained_by(target, stacks)
