"""Remove an environment, or the preview of one pull request: what runs first, then its stacks, and see it all gone.

Stacks are deleted by their names. Nothing is synthesized: it works whatever became of the code.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from infra import naming
from infra.aws import capacity_provider, leftovers, previews
from infra.aws.execution import Listed
from infra.aws.function import DeployedFunction
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline.arguments import add_function, add_pull_request
from infra.pipeline.drain import Ending, add_ending, drain_all, lines, told_of_stopped
from infra.policies.trust import MAIN


@dataclass(frozen=True)
class Plan:
    """The stacks that there are to remove, and why they may not be removed.

    Args:
        functions: those of functions, which go first.
        platform: that on which they run, where it goes as well and is there.
        refusals: why none may go; there are none where all may.
    """

    functions: list[Stack]
    platform: Stack | None
    refusals: list[str]

    @property
    def stacks(self) -> list[Stack]:
        """All of them, in the order in which they go."""
        return [*self.functions, *([self.platform] if self.platform else [])]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `teardown` takes."""
    add_pull_request(parser)
    add_function(parser)
    parser.add_argument(
        "--confirm", default="", metavar="NAME", help="consent: what is removed, such as PROJECT-ENVIRONMENT"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
    add_ending(parser, default="refuse")


def run(target: Target, arguments: Namespace) -> Report:
    """Remove. Exit code 0 only once it is gone; what never was is gone."""
    _check_branch(target)
    if target.only:
        target.check_has_functions()
    if not arguments.dry_run and arguments.confirm != target.name:
        raise UsageError(f"--confirm {arguments.confirm!r}: removing {target.name} takes --confirm {target.name}")
    plan = make_plan(target)
    if arguments.dry_run:
        running = {function: function.running() for function in _functions(target, plan)}
        told = list(_lines(target, plan, running))
        facts = {"stacks": [stack.name for stack in plan.stacks], "refusals": plan.refusals}
        facts |= {"running": sum(map(len, running.values())), "removed": False}
        return Report(facts, told, "\n".join(told))
    stopped = remove(target, plan, Ending(arguments.running, arguments.deadline))
    retained = verify(target)
    message = _told(target, plan, stopped, retained)
    facts = {"removed": bool(plan.stacks), "stopped": stopped, "retained": retained}
    return Report(facts, message.split("\n"), message)


def make_plan(target: Target) -> Plan:
    """Look at what there is. Nothing is changed."""
    functions = target.function_stacks() if target.has_functions else []
    has_platform = target.pull_request is None and not target.only
    platform = target.stacks.find(naming.platform_stack(target.environment)) if has_platform else None
    plan = Plan(functions, platform, [])
    plan.refusals.extend(refusal for stack in plan.stacks for refusal in _refusals(target, stack))
    plan.refusals.extend(_users(target, plan))
    return plan


def remove(target: Target, plan: Plan, ending: Ending) -> int:
    """Drain all functions, then delete the stacks of a plan, and return how many executions were stopped.

    Raises:
        CommandError: it may not be removed, executions still run, or a stack could not be deleted.
    """
    if plan.refusals:
        raise CommandError("\n".join(["Nothing was removed:", *plan.refusals]))
    stopped = 0
    if functions := _functions(target, plan):
        # All of them before the first stack goes, so that one that refuses keeps everything.
        stopped = drain_all(target, functions, ending)
        _delete_drained(target, plan.functions, functions)
    if plan.platform:
        # Somebody may have begun to use it meanwhile.
        if users := _users(target, plan):
            raise CommandError("\n".join(users))
        target.stacks.delete(plan.platform)
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


def _functions(target: Target, plan: Plan) -> list[DeployedFunction]:
    return [target.function_of(stack) for stack in plan.functions]


def _delete_drained(target: Target, stacks: Sequence[Stack], functions: Sequence[DeployedFunction]) -> None:
    """Delete stacks whose functions were drained, and say which of these a failure leaves closed."""
    try:
        target.stacks.delete(*stacks)
    except (CommandError, ClientError) as error:
        closed = " and ".join(each.name for each in functions if each.is_closed())
        if not closed:
            raise
        raise CommandError(
            f"{error}\nStill there, and taking no new executions: {closed}. Run this again, or let new ones be taken "
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


def _users(target: Target, plan: Plan) -> list[str]:
    """Say which functions use a platform that is to go beside those that go as well."""
    if not plan.platform:
        return []
    used = {version.split(":")[6] for version in capacity_provider.versions(target) or []}
    if target.environment.hosts_previews:
        used |= {stack.name for preview in previews.find(target) for stack in preview.stacks}
    others = sorted(used - {stack.name for stack in plan.functions})
    return [f"{plan.platform.name} is used by {', '.join(others)}; remove that first"] if others else []


def _lines(target: Target, plan: Plan, running: dict[DeployedFunction, list[Listed]]) -> Iterator[str]:
    if not plan.stacks:
        yield f"There is nothing of {target.name} to remove"
    for stack in plan.stacks:
        yield f"To be removed: {stack.name}, {stack.status}"
    for function, on in running.items():
        of = f"{function.name}: " if len(running) > 1 else ""
        yield from (f"  {of}{line}" for line in lines(target.clock, on))
    for refusal in plan.refusals:
        yield f"Refused: {refusal}"


def _told(target: Target, plan: Plan, stopped: int, retained: list[str]) -> str:
    if not plan.stacks:
        told = f"There is nothing of {target.name}: nothing was left to remove"
    else:
        told = f"{' and '.join(stack.name for stack in plan.stacks)} gone{told_of_stopped(stopped)}"
    return "\n".join([told, *map(leftovers.told, retained)])
