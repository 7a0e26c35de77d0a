"""What CloudFormation may do in an environment: the actions that the resource types of its stacks take, and no others.

A policy holds what the environment's file asks for today. Where that changes, deploy `access` first if something is to
be made that needs more, and after the environment if something is to be removed.
"""

from collections.abc import Iterator
from typing import Any

from infra import naming
from infra.environment import Environment
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
    resolve,
)

# The policies of AWS that roles of the stacks may have.
MANAGED_POLICIES = (
    "arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
)

# Actions by which a role gets rights. In previews they are allowed for roles under the permissions boundary alone.
BOUNDED = ("iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy")

# The platform's roles have policies of AWS; those of functions have none.
ATTACHING: Actions = {ROLE: "iam:AttachRolePolicy iam:DetachRolePolicy"}
BOUNDING: Actions = {ROLE: "iam:PutRolePermissionsBoundary"}
# What CloudFormation reads while it deploys a template of the CDK's.
DEPLOYING: Actions = {BOOTSTRAP_VERSION: "ssm:GetParameters", PARAMETER: "ssm:GetParameters"}


def execution(environment: Environment) -> list[Statement]:
    """Return what CloudFormation may do for the workflows that deploy to an environment.

    Where there are previews that is the functions of pull requests alone: a person deploys the platform below them.
    """
    granted = [*_of_functions(environment), *_of_platform(environment)]
    return statements(granted, lambda action: _condition(action, environment))


def boundary(environment: Environment) -> list[Statement]:
    """Return what a function of a preview may do at most, whatever its pull request makes of its role."""
    names = names_of_functions(environment)
    durable = ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"]
    return [
        allow(durable, resolve(FUNCTION, names)),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], resolve(LOG_GROUP, names)),
    ]


def boundary_arn(environment: Environment) -> str:
    """Return the ARN of the permissions boundary of an environment's previews."""
    return policy_arn(environment, naming.boundary(environment))


def _of_functions(environment: Environment) -> Iterator[Grant]:
    names = names_of_functions(environment)
    yield from granted(FUNCTION_TYPES, names)
    yield from grants(DEPLOYING, names)
    if environment.hosts_previews:
        yield from grants(BOUNDING, names)


def _of_platform(environment: Environment) -> Iterator[Grant]:
    if not environment.hosts_previews:
        names = names_of_platform(environment)
        yield from granted(platform_types(environment), names)
        yield from grants(ATTACHING, names)


def _condition(action: str, environment: Environment) -> dict[str, dict[str, Any]]:
    if action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        return {"ArnEquals": {"iam:PolicyARN": list(MANAGED_POLICIES)}}
    if action == "iam:PassRole":
        return {"StringEquals": {"iam:PassedToService": _services(environment)}}
    if action in BOUNDED and environment.hosts_previews:
        return {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(environment)}}
    return {}


def _services(environment: Environment) -> list[str]:
    flow_logs = environment.network.flow_logs and not environment.hosts_previews
    return ["lambda.amazonaws.com", *(["vpc-flow-logs.amazonaws.com"] if flow_logs else [])]
