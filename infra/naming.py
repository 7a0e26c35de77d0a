"""What everything is called. Names follow from the project, the environment, the pull request and the function alone.

They are made so that a policy tells them apart by their beginnings: neither a project nor an environment has a hyphen,
and what belongs to a platform or to access stands in a place where no environment's name can.
"""

import hashlib
import re
from typing import NamedTuple

from infra.environment import Environment

ALIAS = "live"
# What the alias is called while a drain refuses new executions.
CLOSED_ALIAS = "closed"

# What an assembly says of a stack beside its template: the VPC endpoints that its code needs.
ENDPOINTS = "endpoints"

QUALIFIER_CHARACTERS = 10  # the CDK's bootstrap template, parameter Qualifier

# How a stack's commit ends where what was built holds more than that commit.
UNCOMMITTED = "-dirty"


class Output:
    """The keys of what stacks tell of themselves."""

    FUNCTION_NAME = "FunctionName"
    ALIAS_ARN = "AliasArn"
    VERSION = "Version"
    LOG_GROUP_NAME = "LogGroupName"
    CAPACITY_PROVIDER_ARN = "CapacityProviderArn"
    COMMIT = "Commit"


class Named(NamedTuple):
    """What the name of a function and its stack says."""

    pull_request: int | None
    function: str


def platform_stack(environment: Environment) -> str:
    """Name the stack that an environment's functions run on."""
    return f"{environment.project.name}-platform-{environment.name}"


def access_stack(environment: Environment) -> str:
    """Name the stack of who may do what in an environment; the names of its roles and policies begin so."""
    return f"{environment.project.name}-access-{environment.name}"


def whole(environment: Environment, pull_request: int | None = None) -> str:
    """Name an environment, or the preview of a pull request, in its account: its functions' names begin so."""
    place = environment.name if pull_request is None else f"pr-{pull_request}"
    return f"{environment.project.name}-{place}"


def function(environment: Environment, function: str, pull_request: int | None = None) -> str:
    """Name a function, and its stack.

    Args:
        environment: where.
        function: the folder in functions/.
        pull_request: the pull request in whose preview it is, or None.
    """
    return f"{whole(environment, pull_request)}-{function.replace('_', '-')}"


def read_function(environment: Environment, name: str) -> Named | None:
    """Read the name of a function, or of its stack; None where it is that of nothing in this environment."""
    places = r"pr-(?P<pull_request>[1-9][0-9]*)" if environment.hosts_previews else re.escape(environment.name)
    match = re.fullmatch(rf"{environment.project.name}-{places}-(?P<function>[a-z][a-z0-9]*(-[a-z0-9]+)*)", name)
    if not match:
        return None
    pull_request = match.groupdict().get("pull_request")
    return Named(int(pull_request) if pull_request else None, match["function"].replace("-", "_"))


def capacity_provider_parameter(environment: Environment, generation: int) -> str:
    """Name the SSM parameter in which an environment's platform leaves the ARN of a capacity provider.

    Each has one of its own. So functions change with the generation, and a new version of them is on the new one.
    """
    return f"/{platform_stack(environment)}/capacity-provider-arn{of_generation(generation, '-')}"


def of_generation(generation: int, separator: str = "") -> str:
    """Return how names end that belong to a generation of the capacity provider; the first has none."""
    return "" if generation == 1 else f"{separator}{generation}"


def tags(environment: Environment, pull_request: int | None = None) -> dict[str, str]:
    """Return the tags by which a stack is known to be ours."""
    known = {"project": environment.project.name, "environment": environment.name}
    return known if pull_request is None else known | {"pull-request": str(pull_request)}


def execution_policy(environment: Environment, number: int = 1) -> str:
    """Name a policy of what CloudFormation may make in an environment; there are as many as it takes."""
    return f"{access_stack(environment)}-execution{'' if number == 1 else f'-{number}'}"


def boundary(environment: Environment) -> str:
    """Name the permissions boundary of every role that a function's stack makes."""
    return f"{access_stack(environment)}-boundary"


def operator_role(environment: Environment) -> str:
    """Name the role with which Lambda runs the instances of an environment."""
    return f"{access_stack(environment)}-operator"


def flow_log_role(environment: Environment) -> str:
    """Name the role with which an environment's network writes its flow logs."""
    return f"{access_stack(environment)}-flow-log"


def qualifier(environment: Environment) -> str:
    """Name the CDK's bootstrap of an environment: what an account needs of the CDK is made once for each."""
    digest = hashlib.sha256(f"{environment.project.name}/{environment.name}".encode()).hexdigest()
    return f"{environment.name[:3]}{digest}"[:QUALIFIER_CHARACTERS]


def toolkit_stack(environment: Environment) -> str:
    """Name the stack of the CDK's bootstrap."""
    return f"CDKToolkit-{qualifier(environment)}"
