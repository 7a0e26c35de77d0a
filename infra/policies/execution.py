"""What CloudFormation may do in an environment: what the resources of its stacks' templates take, and nothing else.

A policy holds what the templates have today. Where they change, deploy `access` first if something is to be made that
needs more, and after the environment if something is to be removed.
"""

from collections.abc import Iterator
from typing import Any

from infra import naming
from infra.environment import Environment
from infra.errors import UsageError
from infra.policies import given_roles, making, trust
from infra.policies.authorities import service_of
from infra.policies.boundary import boundary_arn
from infra.policies.given_to_platform import passing
from infra.policies.grants import Actions, Grant, grants, statements
from infra.policies.places import Places, Templates
from infra.policies.resources import (
    BOOTSTRAP_VERSION,
    LONGEST_POLICY,
    PARAMETER,
    ROLE,
    Statement,
    deny,
    names_of_functions,
    policy_arn,
    policy_size,
    resolve,
    stack_arns,
)

# By which a role gets rights. They are allowed for roles under the permissions boundary alone.
BOUNDED = ("iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy")
ATTACHING = ("iam:AttachRolePolicy", "iam:DetachRolePolicy")

# What CloudFormation reads while it deploys a template of the CDK's.
DEPLOYING: Actions = {BOOTSTRAP_VERSION: "ssm:GetParameters", PARAMETER: "ssm:GetParameters"}


def execution(environment: Environment, templates: Templates) -> list[Statement]:
    """Return what CloudFormation may do for the workflows that deploy to an environment.

    Where there are previews that is the functions of pull requests alone: a person deploys the platform below them.

    Args:
        environment: which.
        templates: what its stacks hold.

    Raises:
        UsageError: they hold what workflows may not make.
    """
    granted = [grant for places in _deployed(environment, templates) for grant in _making(places)]
    granted += grants(DEPLOYING, names_of_functions(environment))
    if not environment.hosts_previews:
        granted += passing(environment)
    return [_guard(environment), *statements(granted)]


def execution_policies(environment: Environment, templates: Templates) -> dict[str, list[Statement]]:
    """Return the same by the names of the managed policies that hold it, as many as it takes.

    Raises:
        UsageError: as above.
    """
    parts = _parted(execution(environment, templates))
    return {naming.execution_policy(environment, number): part for number, part in enumerate(parts, 1)}


def by_type(environment: Environment, templates: Templates) -> Iterator[tuple[str, list[Statement]]]:
    """Yield the resource types that workflows deploy to an environment, each with what it takes of the above."""
    for places in _deployed(environment, templates):
        for kind in making.types(places):
            yield kind, statements(_on_condition(places, grant) for grant in making.making(places, kind))


def _deployed(environment: Environment, templates: Templates) -> list[Places]:
    functions = Places.of_functions(environment, templates)
    return [functions] if environment.hosts_previews else [functions, Places.of_platform(environment, templates)]


def _making(places: Places) -> Iterator[Grant]:
    for kind in making.types(places):
        yield from (_on_condition(places, grant) for grant in making.making(places, kind))
    if services := given_roles.services(places):
        passed = {"StringEquals": {"iam:PassedToService": services}}
        yield from (Grant("iam:PassRole", role).under(passed) for role in resolve(ROLE, places.names))


def _on_condition(places: Places, grant: Grant) -> Grant:
    condition: dict[str, Any] = {}
    if grant.action in BOUNDED:
        condition |= {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(places.environment)}}
    if grant.action in ATTACHING:
        condition |= {"ArnEquals": {"iam:PolicyARN": given_roles.managed_policies(places)}}
    return grant.under(condition) if condition else grant


def _guard(environment: Environment) -> Statement:
    """Deny what would widen this: all that a person deploys, of all environments of the account.

    Roles of it are still read and passed as far as they are allowed to be.
    """
    account, access = environment.account, f"{environment.project.name}-access-*"
    made = [f"arn:aws:iam::{account}:role/{name}" for name in (access, "cdk-*")]
    made += [policy_arn(environment, access), trust.provider_arn(account)]
    return deny(
        [*made, *stack_arns(environment, access, "CDKToolkit-*")], but=["iam:Get*", "iam:List*", "iam:PassRole"]
    )


def _parted(found: list[Statement]) -> list[list[Statement]]:
    """Part statements into policies that IAM takes."""
    parts: list[list[Statement]] = [[]]
    for statement in found:
        if policy_size([statement]) > LONGEST_POLICY:
            raise UsageError(
                f"the stacks take more of {service_of(statement['Action'][0])} than a policy of IAM can hold, "
                f"{policy_size([statement]):,} characters of {LONGEST_POLICY:,}; have fewer types of that service in "
                "functions/*/infrastructure.py"
            )
        if policy_size([*parts[-1], statement]) > LONGEST_POLICY:
            parts.append([])
        parts[-1].append(statement)
    return parts
