"""Remove an environment, or the preview of one pull request: what runs first, then its stacks, and see it all gone.

Stacks are deleted by their names. Nothing is synthesized: it works whatever became of the code.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from infra.aws import capacity_provider, leftovers, previews
from infra.aws.execution import Listed
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline.arguments import add_pull_request
from infra.pipeline.drain import Ending, add_ending, drain, lines, told_of_stopped
from infra.policies.trust import MAIN


@dataclass(frozen=True)
class Plan:
    """The stacks that there are to remove, in the order in which they go, and why they may not be removed."""

    stacks: list[Stack]
    refusals: list[str]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `teardown` takes."""
    add_pull_request(parser)
    parser.add_argument("--confirm", default="", metavar="STACK", help="consent: the name of the first stack that goes")
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
    add_ending(parser, default="refuse")


def run(target: Target, arguments: Namespace) -> Report:
    """Remove. Exit code 0 only once it is gone; what never was is gone."""
    names = target.stack_names[::-1]
    _check_branch(target)
    if not arguments.dry_run and arguments.confirm != names[0]:
        raise UsageError(f"--confirm {arguments.confirm!r}: removing {', '.join(names)} takes --confirm {names[0]}")
    plan = make_plan(target)
    if arguments.dry_run:
        left = _running(target, plan)
        told = list(_lines(target, plan, left))
        facts = {"stacks": [stack.name for stack in plan.stacks], "refusals": plan.refusals, "running": len(left)}
        return Report({**facts, "removed": False}, told, "\n".join(told))
    stopped = remove(target, plan, Ending(arguments.running, arguments.deadline))
    retained = verify(target)
    message = _told(names, plan, stopped, retained)
    return Report({"removed": bool(plan.stacks), "stopped": stopped, "retained": retained}, [message], message)


def make_plan(target: Target) -> Plan:
    """Look at what there is. Nothing is changed."""
    stacks = [stack for name in target.stack_names[::-1] if (stack := target.stacks.find(name))]
    refusals = [refusal for stack in stacks for refusal in _refusals(target, stack)]
    return Plan(stacks, refusals + [refusal for stack in stacks for refusal in _users(target, stack)])


def remove(target: Target, plan: Plan, ending: Ending) -> int:
    """Drain, then delete the stacks of a plan, and return how many executions were stopped.

    Raises:
        CommandError: it may not be removed, executions still run, or a stack could not be deleted.
    """
    if plan.refusals:
        raise CommandError("\n".join(["Nothing was removed:", *plan.refusals]))
    stopped = 0
    for stack in plan.stacks:
        if _is_of_function(target, stack):
            stopped = drain(target, ending)
            _delete_drained(target, stack)
        else:
            # Somebody may have begun to use it meanwhile.
            if users := _users(target, stack):
                raise CommandError("\n".join(users))
            target.stacks.delete(stack)
    return stopped


def verify(target: Target) -> list[str]:
    """Return what was meant to be left.

    Raises:
        CommandError: something else is left as well.
    """
    left = leftovers.find(target)
    if left.unwanted:
        raise CommandError(
            "\n".join(
                [
                    "The stacks are gone, and this is left with their tags; it is in no stack, so remove it by hand:",
                    *(f"  {arn}" for arn in left.unwanted),
                ]
            )
        )
    return left.retained


def _check_branch(target: Target) -> None:
    """Refuse a workflow of another branch than main; AWS refuses its token as well."""
    ref, environment = os.environ.get("GITHUB_REF", MAIN), target.environment
    if ref != MAIN and not environment.hosts_previews:
        raise UsageError(f"{environment.name} is removed by a workflow of {MAIN} alone, and this one runs on {ref}")


def _is_of_function(target: Target, stack: Stack) -> bool:
    return target.has_function and stack.name == target.function_name


def _delete_drained(target: Target, stack: Stack) -> None:
    """Delete a stack whose function was drained, and say where a failure leaves it closed."""
    try:
        target.stacks.delete(stack)
    except (CommandError, ClientError) as error:
        if not target.function.is_closed():
            raise
        raise CommandError(
            f"{error}\n{stack.name} is still there, and takes no new executions: run this again, or let it take them "
            "with `drain --open`"
        ) from error


def _refusals(target: Target, stack: Stack) -> Iterator[str]:
    if not stack.carries(target.tags):
        yield f"{stack.name} was not made by this project: its tags are {stack.tags}, and should be {target.tags}"
    if stack.is_protected:
        yield (
            f"{stack.name} has termination protection: set protection.termination_protection = false in "
            f"environments/{target.environment.name}.toml, deploy that, and run this again"
        )
    if stack.is_changing:
        yield f"{stack.name} is {stack.status}: somebody deploys it; run this again when that has ended"


def _users(target: Target, stack: Stack) -> list[str]:
    """Say which functions use a platform beside the environment's own. Another stack has none."""
    if _is_of_function(target, stack):
        return []
    used = {version.split(":")[6] for version in capacity_provider.versions(target) or []}
    if target.environment.hosts_previews:
        used |= {preview.target.function_name for preview in previews.find(target)}
    others = sorted(used - ({target.function_name} if target.has_function else set[str]()))
    return [f"{stack.name} is used by {', '.join(others)}; remove that first"] if others else []


def _running(target: Target, plan: Plan) -> list[Listed]:
    return target.function.running() if any(_is_of_function(target, stack) for stack in plan.stacks) else []


def _lines(target: Target, plan: Plan, left: list[Listed]) -> Iterator[str]:
    if not plan.stacks:
        yield f"There is nothing of {target.environment.name} to remove"
    for stack in plan.stacks:
        yield f"To be removed: {stack.name}, {stack.status}"
    for line in lines(target, left):
        yield f"  {line}"
    for refusal in plan.refusals:
        yield f"Refused: {refusal}"


def _told(names: list[str], plan: Plan, stopped: int, retained: list[str]) -> str:
    if not plan.stacks:
        told = f"There is no {' and no '.join(names)}: nothing was left to remove"
    else:
        told = f"{' and '.join(stack.name for stack in plan.stacks)} gone{told_of_stopped(stopped)}"
    return "\n".join([told, *(f"Retained, as the template says: {arn}" for arn in retained)])
