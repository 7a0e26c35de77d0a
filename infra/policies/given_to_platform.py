"""The roles that a platform takes and does not make: what the pipeline can't make, it can't widen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra import naming
from infra.environment import Environment
from infra.policies.grants import Grant
from infra.policies.resources import LOG_GROUP, Statement, allow, document, names_of_platform, resolve


@dataclass(frozen=True)
class PlatformRole:
    """A role of the access stack that a service takes for the platform.

    Args:
        construct: what the role is called within the access stack.
        name: the role's own.
        service: which may take it.
        description: what for.
        statements: what it may do, on the platform's log groups by their names.
        managed_policies: the ARNs of those of AWS that it has besides.
    """

    construct: str
    name: str
    service: str
    description: str
    statements: list[Statement]
    managed_policies: tuple[str, ...] = ()

    @property
    def trust(self) -> dict[str, Any]:
        """The document of who may take it: the service alone."""
        return document([{"Effect": "Allow", "Principal": {"Service": self.service}, "Action": "sts:AssumeRole"}])


def platform_roles(environment: Environment) -> list[PlatformRole]:
    """Return the roles that an environment's platform takes."""
    groups = resolve(LOG_GROUP, names_of_platform(environment))
    logging = ["logs:CreateLogStream", "logs:PutLogEvents"]
    operator = PlatformRole(
        "Operator",
        naming.operator_role(environment),
        "lambda.amazonaws.com",
        "Lets Lambda run the instances of the capacity provider",
        [allow(logging, groups)],
        ("arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator",),
    )
    flow_log = PlatformRole(
        "FlowLog",
        naming.flow_log_role(environment),
        "vpc-flow-logs.amazonaws.com",
        "Lets the network write its flow logs",
        [allow([*logging, "logs:DescribeLogStreams"], groups)],
    )
    return [operator, *([flow_log] if environment.network.flow_logs else [])]


def passing(environment: Environment) -> Iterator[Grant]:
    """Yield what it takes to hand these roles to their services, and to no other."""
    for role in platform_roles(environment):
        arn = role_arn(environment, role.name)
        yield Grant("iam:PassRole", arn).under({"StringEquals": {"iam:PassedToService": [role.service]}})


def role_arn(environment: Environment, name: str) -> str:
    """Return the ARN of a role of an environment's account."""
    return f"arn:aws:iam::{environment.account}:role/{name}"
