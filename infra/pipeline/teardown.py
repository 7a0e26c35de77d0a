"""Remove an environment, or the preview of one pull request: what runs first, then its stacks, and see it all gone.

Stacks are deleted by their names. Nothing is synthesized: it works whatever became of the code.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from infra import naming
from infra.aws import leftovers, previews
from infra.aws.alias import is_closed
from infra.aws.execution import Listed, running
from infra.aws.session import open_session
from infra.aws.stack import carries, delete, describe, is_changing, tags
from infra.aws.versions import on_capacity_provider
from infra.console.output import show
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.pipeline.arguments import add_pull_request
from infra.pipeline.drain import add_choice, drain, lines, told_of_stopped
from infra.policies.trust import MAIN

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef


@dataclass(frozen=True)
class Plan:
    """What there is to remove, and why it may not be removed."""

    orders: "StackTypeDef | None"
    platform: "StackTypeDef | None"
    refusals: list[str]

    @property
    def stacks(self) -> "list[StackTypeDef]":
        """The stacks in the order in which they go."""
        return [stack for stack in (self.orders, self.platform) if stack]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `teardown` takes."""
    add_pull_request(parser)
    parser.add_argument("--confirm", default="", metavar="STACK", help="consent: the name of the first stack that goes")
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
    add_choice(parser, default="refuse")


def run(environment: Environment, arguments: Namespace) -> int:
    """Remove. Exit code 0 only once it is gone; what never was is gone."""
    names = stack_names(environment, arguments.pull_request)
    check_branch(environment)
    if not arguments.dry_run and arguments.confirm != names[0]:
        raise UsageError(f"--confirm {arguments.confirm!r}: removing {', '.join(names)} takes --confirm {names[0]}")
    session = open_session(environment)
    plan = make_plan(session, environment, arguments.pull_request)
    if arguments.dry_run:
        facts = {"stacks": [stack["StackName"] for stack in plan.stacks], "refusals": plan.refusals}
        left = running(session.client("lambda"), plan.orders["StackName"]) if plan.orders else []
        told = list(_lines(plan, left, environment))
        show(arguments, {**facts, "running": len(left), "removed": False}, told, "\n".join(told))
        return 0
    stopped = remove(session, environment, plan, arguments)
    left = verify(session, environment, arguments.pull_request)
    message = _told(names, plan, stopped, left.retained)
    show(arguments, {"removed": bool(plan.stacks), "stopped": stopped, "retained": left.retained}, [message], message)
    return 0


def stack_names(environment: Environment, pull_request: int | None) -> list[str]:
    """Name the stacks of an environment, or of a preview, in the order in which they go.

    Raises:
        UsageError: the environment hosts no previews.
    """
    orders, platform = naming.orders_stack(environment.name, pull_request), naming.platform_stack(environment.name)
    if pull_request is None:
        return [platform] if environment.hosts_previews else [orders, platform]
    previews.check_hosted(environment)
    return [orders]


def check_branch(environment: Environment) -> None:
    """Refuse a workflow of another branch than main; AWS refuses its token as well.

    Raises:
        UsageError: it is one.
    """
    ref = os.environ.get("GITHUB_REF", MAIN)
    if ref != MAIN and not environment.hosts_previews:
        raise UsageError(f"{environment.name} is removed by a workflow of {MAIN} alone, and this one runs on {ref}")


def make_plan(session: boto3.Session, environment: Environment, pull_request: int | None) -> Plan:
    """Look at what there is. Nothing is changed."""
    found = [describe(session, name) for name in stack_names(environment, pull_request)]
    stacks = {stack["StackName"]: stack for stack in found if stack}
    orders = stacks.get(naming.orders_stack(environment.name, pull_request))
    platform = stacks.get(naming.platform_stack(environment.name))
    refusals = [refusal for stack in stacks.values() for refusal in _refusals(stack, environment, pull_request)]
    if platform:
        refusals += _users(session, environment, platform)
    return Plan(orders, platform, refusals)


def remove(session: boto3.Session, environment: Environment, plan: Plan, arguments: Namespace) -> int:
    """Drain, then delete the stacks of a plan, and return how many executions were stopped.

    Raises:
        CommandError: it may not be removed, executions still run, or a stack could not be deleted.
    """
    if plan.refusals:
        raise CommandError("\n".join(["Nothing was removed:", *plan.refusals]))
    stopped = 0
    if plan.orders:
        stopped = drain(session.client("lambda"), environment, plan.orders["StackName"], arguments)
        _delete_orders(session, plan.orders)
    if plan.platform:
        # Somebody may have begun to use it meanwhile.
        if users := _users(session, environment, plan.platform):
            raise CommandError("\n".join(users))
        delete(session, plan.platform)
    return stopped


def _delete_orders(session: boto3.Session, stack: "StackTypeDef") -> None:
    """Delete an orders stack that was drained, and say where a failure leaves it closed."""
    name = stack["StackName"]
    try:
        delete(session, stack)
    except (CommandError, ClientError) as error:
        if not is_closed(session.client("lambda"), name):
            raise
        raise CommandError(
            f"{error}\n{name} is still there, and takes no new executions: run this again, or let it take them with "
            "`drain --open`"
        ) from error


def verify(session: boto3.Session, environment: Environment, pull_request: int | None) -> leftovers.Leftovers:
    """Return what was meant to be left.

    Raises:
        CommandError: something else is left as well.
    """
    left = leftovers.find(session, environment, pull_request)
    if left.unwanted:
        raise CommandError(
            "\n".join(
                [
                    "The stacks are gone, and this is left with their tags; it is in no stack, so remove it by hand:",
                    *(f"  {arn}" for arn in left.unwanted),
                ]
            )
        )
    return left


def _refusals(stack: "StackTypeDef", environment: Environment, pull_request: int | None) -> Iterator[str]:
    name = stack["StackName"]
    expected = naming.tags(environment.name, pull_request)
    if not carries(stack, expected):
        yield f"{name} was not made by this project: its tags are {tags(stack)}, and should be {expected}"
    if stack.get("EnableTerminationProtection"):
        yield (
            f"{name} has termination protection: set protection.termination_protection = false in "
            f"environments/{environment.name}.toml, deploy that, and run this again"
        )
    if is_changing(stack):
        yield f"{name} is {stack['StackStatus']}: somebody deploys it; run this again when that has ended"


def _users(session: boto3.Session, environment: Environment, platform: "StackTypeDef") -> list[str]:
    """Say which functions use a platform beside the environment's own."""
    used: set[str] = set()
    arns = [output.get("OutputValue", "") for output in platform.get("Outputs", [])]
    for arn in (arn for arn in arns if ":capacity-provider:" in arn):
        used |= {version.split(":")[6] for version in on_capacity_provider(session, arn)}
    if environment.hosts_previews:
        used |= {preview.name for preview in previews.find(session, environment)}
    others = sorted(used - {naming.orders_stack(environment.name)})
    name = platform["StackName"]
    return [f"{name} is used by {', '.join(others)}; remove that first"] if others else []


def _lines(plan: Plan, left: list[Listed], environment: Environment) -> Iterator[str]:
    if not plan.stacks:
        yield f"There is nothing of {environment.name} to remove"
    for stack in plan.stacks:
        yield f"To be removed: {stack['StackName']}, {stack['StackStatus']}"
    for line in lines(left):
        yield f"  {line}"
    for refusal in plan.refusals:
        yield f"Refused: {refusal}"


def _told(names: list[str], plan: Plan, stopped: int, retained: list[str]) -> str:
    if not plan.stacks:
        told = f"There is no {' and no '.join(names)}: nothing was left to remove"
    else:
        told = f"{' and '.join(stack['StackName'] for stack in plan.stacks)} gone{told_of_stopped(stopped)}"
    return "\n".join([told, *(f"Retained, as the template says: {arn}" for arn in retained)])
