"""Wake the live version of each function that was put to sleep, and wait until it takes executions: a minute or two."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from infra import budgets
from infra.aws import previews
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.console.progress import doing
from infra.console.report import Report
from infra.errors import CommandError
from infra.pipeline.arguments import add_function, add_pull_request


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `wake` takes."""
    add_pull_request(parser)
    add_function(parser)


def run(target: Target, arguments: Namespace) -> Report:  # noqa: ARG001 - it takes none beside its target
    """Wake them. Exit code 1 when there is none, or one does not wake in time."""
    live = {function: version for function in target.functions if (version := function.live())}
    if not live:
        raise CommandError(previews.none_found(target))
    asleep = {function: version for function, version in live.items() if function.is_asleep(version)}
    wake(target, asleep)
    told = [f"{each.name} {'is awake' if each in asleep else 'was awake'}" for each in live]
    return Report({"functions": {each.folder: {"woken": each in asleep} for each in live}}, told, "\n".join(told))


def wake(target: Target, versions: Mapping[DeployedFunction, str]) -> None:
    """Let versions have all the environments of live ones, side by side, and wait until they can be invoked.

    Raises:
        CommandError: there is no such version, or one does not wake.
    """
    for function, version in versions.items():
        scale_as_live(target, function, version)
    waking = {
        function: version
        for function, version in versions.items()
        if not _stays_asleep(target, function) and not function.scaling.is_awake(version)
    }
    if not waking:
        return
    since = target.clock.monotonic()
    with doing(f"Waking {', '.join(each.name for each in waking)}, which takes a minute or two"):
        for function, version in waking.items():
            function.scaling.await_awake(version, budgets.WAKING, since)


def scale_as_live(target: Target, function: DeployedFunction, version: str) -> None:
    """Let a version have the environments of a live one, without waiting for them.

    Raises:
        CommandError: there is no such version.
    """
    settings = target.environment.settings(function.folder)
    function.scaling.set(version, settings.minimum_environments, settings.maximum_environments)


def refuse_asleep(target: Target, function: DeployedFunction) -> None:
    """Refuse to start an execution that would wait until somebody wakes its version.

    Raises:
        CommandError: it is asleep; the message says what wakes it.
    """
    version = function.live()
    if version is None or not function.is_asleep(version):
        return
    if _stays_asleep(target, function):
        remedy = f"environments/{target.environment.name}.toml says so: maximum_environments = 0"
    else:
        which = "" if target.pull_request is None else f" --pull-request {target.pull_request}"
        remedy = f"wake it by `wake --environment {target.environment.name}{which}`, which takes a minute or two"
    raise CommandError(f"{function.name} is asleep, and nothing would run on it; {remedy}")


def _stays_asleep(target: Target, function: DeployedFunction) -> bool:
    return target.environment.settings(function.folder).maximum_environments == 0
