"""Point the live aliases back at earlier versions. Running executions stay on the version that they started on.

A version that is asleep wakes first, which takes a minute or two.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import suppress

from botocore.exceptions import ClientError

from infra import naming
from infra.aws.function import DeployedFunction
from infra.aws.problems import noting
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.console.report import Report
from infra.errors import CommandError
from infra.pipeline.arguments import add_function, add_pull_request, add_versions, versions_of
from infra.pipeline.wake import scale_as_live, wake


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `roll-back` takes."""
    add_pull_request(parser)
    add_function(parser)
    add_versions(
        parser, "the versions to go back to; a function without one was deployed for the first time, and stays"
    )


def run(target: Target, arguments: Namespace) -> Report:
    """Move the aliases, as far as there is something to go back to. Updates that are under way are taken back first.

    Exit code 1 when one function could not go back; the others do all the same.
    """
    functions, versions = target.functions, versions_of(target, arguments)
    problems: list[str] = []
    updating = _cancel_updates(target, functions, problems)
    since = target.clock.monotonic()
    _begin_waking(target, functions, versions)
    facts: dict[str, object] = {}
    told: list[str] = []
    for function in functions:
        with noting(problems):
            if function.name in updating:
                target.stacks.see_update_ended(updating[function.name], since)
            before, now = _go_back(target, function, versions.get(function.folder))
            facts[function.folder] = {"version": now, "rolled_back_from": before if before != now else None}
            told.append(_told(function, before, now))
    error = "\n".join(problems) or None
    return Report({"functions": facts}, told, "\n\n".join([*told, *problems]), code=1 if error else 0, error=error)


def go_live(target: Target, function: DeployedFunction, version: str) -> None:
    """Let new executions start on another version, once it is awake with all the environments of a live one.

    Raises:
        CommandError: there is no such version, or no live alias, or the version does not wake.
    """
    wake(target, {function: version})
    function.go_live(version)
    # Whoever put it to sleep may have looked just before.
    if function.is_asleep(version):
        wake(target, {function: version})


def _cancel_updates(target: Target, functions: list[DeployedFunction], problems: list[str]) -> dict[str, Stack]:
    """Let all updates that are under way be taken back side by side, and return their stacks by name."""
    found = (target.stacks.find(function.name) for function in functions)
    updating = {stack.name: stack for stack in found if stack and stack.status == "UPDATE_IN_PROGRESS"}
    for stack in updating.values():
        with noting(problems):
            target.stacks.cancel_update(stack)
    return updating


def _begin_waking(target: Target, functions: list[DeployedFunction], versions: Mapping[str, str]) -> None:
    """Let all that sleep wake side by side; what fails is told when its turn comes."""
    for function in functions:
        with suppress(CommandError, ClientError):
            version = versions.get(function.folder)
            if version and version != function.live() and function.is_asleep(version):
                scale_as_live(target, function, version)


def _go_back(target: Target, function: DeployedFunction, version: str | None) -> tuple[str | None, str | None]:
    """Move an alias if there is another version to go back to, and return what was live before, and what is now."""
    function.refuse_if_closed()
    failed = function.live()
    if not version or version == failed:
        return failed, failed
    go_live(target, function, version)
    return failed, version


def _told(function: DeployedFunction, before: str | None, now: str | None) -> str:
    if before == now:
        return f"{function.name}: no other version was live before; the alias stays at {now or 'none'}"
    return (
        f"{function.name}: the alias {naming.ALIAS} went back from version {before} to {now}. The next deployment "
        "moves it on."
    )
