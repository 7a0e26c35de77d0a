"""What CloudFormation may do in an environment: the actions that the resource types of its stacks take, and no others.

A policy holds what the environment's file asks for today. Where that changes, deploy `access` first if something is to
be made that needs more, and after the environment if something is to be removed.
"""

import json
from collections.abc import Iterator
from typing import Any

from infra import naming
from infra.environment import Environment
from infra.errors import UsageError
from infra.policies import added as added_types
from infra.policies import given_roles
from infra.policies.authorities import service_of
from infra.policies.places import NOTHING, Added
from infra.policies.resource_types import FUNCTION_TYPES, Actions, Grant, granted, grants, platform_types, statements
from infra.policies.resources import (
    BOOTSTRAP_VERSION,
    FUNCTION,
    LOG_GROUP,
    PARAMETER,
    ROLE,
    Statement,
    allow,
    names_of_functions,
    names_of_platform,
    policy_arn,
    policy_size,
    resolve,
)

Json = dict[str, Any]

# The policies of AWS that roles of the stacks may have.
MANAGED_POLICIES = ("arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator",)

# Actions by which a role gets rights. In previews they are allowed for roles under the permissions boundary alone.
BOUNDED = ("iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy")

# The platform's roles have policies of AWS; those of functions have none.
ATTACHING: Actions = {ROLE: "iam:AttachRolePolicy iam:DetachRolePolicy"}
BOUNDING: Actions = {ROLE: "iam:PutRolePermissionsBoundary"}
# What CloudFormation reads while it deploys a template of the CDK's.
DEPLOYING: Actions = {BOOTSTRAP_VERSION: "ssm:GetParameters", PARAMETER: "ssm:GetParameters"}


# IAM quota of a managed policy, in characters without white space.
LONGEST_POLICY = 6144


def execution(environment: Environment, added: Added = NOTHING) -> list[Statement]:
    """Return what CloudFormation may do for the workflows that deploy to an environment.

    Where there are previews that is the functions of pull requests alone: a person deploys the platform below them.

    Args:
        environment: which.
        added: what functions add to their stacks there.

    Raises:
        UsageError: they add what workflows may not make.
    """
    return [statement for policy in execution_policies(environment, added).values() for statement in policy]


def execution_policies(environment: Environment, added: Added = NOTHING) -> dict[str, list[Statement]]:
    """Return the same by the names of the managed policies that hold it: one for our own, others for what is added.

    Raises:
        UsageError: as above.
    """
    own = statements(
        [*_of_functions(environment), *_of_platform(environment)], lambda action: _condition(action, environment)
    )
    parts = _parted(_adding(environment, added))
    names = [naming.functions_policy(environment, number) for number in range(1, len(parts) + 1)]
    return {naming.execution_policy(environment): own, **dict(zip(names, parts, strict=True))}


def types(environment: Environment, added: Added) -> list[str]:
    """Return the resource types that workflows deploy to an environment."""
    platform = () if environment.hosts_previews else platform_types(environment)
    return sorted({*FUNCTION_TYPES, *platform, *added_types.types(added)})


def making(environment: Environment, added: Added, kind: str) -> list[Statement]:
    """Return what one of these types takes, of what is allowed altogether."""
    if kind in added_types.types(added):
        return statements(added_types.making(environment, added, kind), lambda action: _added(action, environment))
    places = [names_of_functions(environment)] if kind in FUNCTION_TYPES else []
    if not environment.hosts_previews and kind in platform_types(environment):
        places.append(names_of_platform(environment))
    granting = [grant for names in places for grant in granted([kind], names)]
    return statements(granting, lambda action: _condition(action, environment))


def boundary(environment: Environment, added: Added = NOTHING) -> list[Statement]:
    """Return what a function of a preview may do at most, whatever its pull request makes of its role.

    That is what the functions here are granted, on what previews make: of the checkout from which a person deploys it.

    Raises:
        UsageError: what they are granted can't be told before it is deployed, or is too much for one policy.
    """
    names = names_of_functions(environment)
    always: Actions = {
        FUNCTION: "lambda:CheckpointDurableExecution lambda:GetDurableExecutionState",
        LOG_GROUP: "logs:CreateLogStream logs:PutLogEvents",
    }
    by_condition: dict[str, set[Grant]] = {"{}": {*grants(always, names)}}
    for each in given_roles.granted(environment, added):
        by_condition.setdefault(each.condition, set()).add((each.action, each.resource))
    found = [
        statement
        for condition, allowed in sorted(by_condition.items())
        for statement in statements(allowed, lambda _, condition=condition: json.loads(condition))
    ]
    if policy_size(found) > LONGEST_POLICY:
        raise UsageError(
            f"the functions are granted more than the permissions boundary of previews can hold: it would have "
            f"{policy_size(found):,} characters, and IAM takes {LONGEST_POLICY:,}; grant fewer actions, or those of a "
            "service by a wildcard, in functions/*/infrastructure.py"
        )
    return found


def boundary_arn(environment: Environment) -> str:
    """Return the ARN of the permissions boundary of an environment's previews."""
    return policy_arn(environment, naming.boundary(environment))


def _of_functions(environment: Environment) -> Iterator[Grant]:
    names = names_of_functions(environment)
    yield from granted(FUNCTION_TYPES, names)
    if environment.hosts_previews:
        yield from grants(BOUNDING, names)


def _of_platform(environment: Environment) -> Iterator[Grant]:
    if not environment.hosts_previews:
        names = names_of_platform(environment)
        yield from granted(platform_types(environment), names)
        yield from grants(ATTACHING, names)


def _adding(environment: Environment, added: Added) -> list[Statement]:
    """Return what goes beyond our own types. The first statement is always there, so that the policy is."""
    names = names_of_functions(environment)
    roles: list[Statement] = []
    if services := sorted({*given_roles.services(added)} - {*_services(environment)}):
        roles.append(allow(["iam:PassRole"], resolve(ROLE, names), _passed_to(services)))
    if policies := given_roles.managed_policies(added, environment):
        attaching, bounded = ATTACHING[ROLE].split(), _bounded(environment) if environment.hosts_previews else {}
        roles.append(allow(attaching, resolve(ROLE, names), {"ArnEquals": {"iam:PolicyARN": policies}} | bounded))
    granting = [grant for kind in added_types.types(added) for grant in added_types.making(environment, added, kind)]
    return [
        *statements(grants(DEPLOYING, names), lambda _: {}),
        *roles,
        *statements(granting, lambda action: _added(action, environment)),
    ]


def _parted(found: list[Statement]) -> list[list[Statement]]:
    """Part statements into policies that IAM takes."""
    parts: list[list[Statement]] = [[]]
    for statement in found:
        if policy_size([statement]) > LONGEST_POLICY:
            raise UsageError(
                f"functions add resources that take more of {service_of(statement['Action'][0])} than a policy of IAM "
                f"can hold, {policy_size([statement]):,} characters of {LONGEST_POLICY:,}; have fewer types of that "
                "service in functions/*/infrastructure.py"
            )
        if policy_size([*parts[-1], statement]) > LONGEST_POLICY:
            parts.append([])
        parts[-1].append(statement)
    return parts


def _condition(action: str, environment: Environment) -> Json:
    if action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        return {"ArnEquals": {"iam:PolicyARN": list(MANAGED_POLICIES)}}
    if action == "iam:PassRole":
        return _passed_to(_services(environment))
    if action in BOUNDED and environment.hosts_previews:
        return _bounded(environment)
    return {}


def _added(action: str, environment: Environment) -> Json:
    if action in added_types.OF_FUNCTIONS:
        return {"ArnEquals": {"lambda:FunctionArn": resolve(FUNCTION, names_of_functions(environment))}}
    return {}


def _passed_to(services: list[str]) -> Json:
    return {"StringEquals": {"iam:PassedToService": services}}


def _bounded(environment: Environment) -> Json:
    return {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(environment)}}


def _services(environment: Environment) -> list[str]:
    flow_logs = environment.network.flow_logs and not environment.hosts_previews
    return ["lambda.amazonaws.com", *(["vpc-flow-logs.amazonaws.com"] if flow_logs else [])]
