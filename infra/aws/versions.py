"""The published versions of a function: which there are, and how many execution environments each keeps at least."""

import re
from typing import TYPE_CHECKING

import boto3

from infra import naming
from infra.aws import previews
from infra.aws.stack import describe, outputs_of
from infra.environment import Environment

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionScalingConfigTypeDef

# Versions that one capacity provider takes at most. AWS does not raise it (Lambda developer guide, quotas of Managed
# Instances).
PROVIDER_QUOTA = 100
# What a version keeps where nobody asked for anything else (Lambda developer guide, scaling of Managed Instances).
DEFAULT_FLOOR = 3

_NUMBER = re.compile(r"[1-9][0-9]*")


def functions(session: boto3.Session, environment: Environment, pull_request: int | None) -> list[str]:
    """Name the functions of an environment: its own, or those of its previews, or that of one of them.

    Raises:
        UsageError: a preview is asked for, and the environment hosts none.
    """
    if environment.hosts_previews:
        found = [preview for preview in previews.find(session, environment) if preview.is_of(environment)]
        return [preview.name for preview in found if pull_request in (None, preview.pull_request)]
    if pull_request is not None:
        previews.check_hosted(environment)
    return [naming.orders_stack(environment.name)]


def none_found(environment: Environment, pull_request: int | None) -> str:
    """Say that there is no such function."""
    if environment.hosts_previews and pull_request is None:
        return f"{environment.name} has no preview"
    return f"There is no function {naming.orders_stack(environment.name, pull_request)}"


def numbered(client: "LambdaClient", function: str) -> list[str]:
    """Return the numbers of a function's versions, newest first. One that does not exist has none."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    try:
        found = [version.get("Version", "") for page in pages for version in page["Versions"]]
    except client.exceptions.ResourceNotFoundException:
        return []
    return sorted(filter(_NUMBER.fullmatch, found), key=int, reverse=True)


def floor(client: "LambdaClient", function: str, version: str) -> int:
    """Return how many execution environments a version keeps at least, and so is paid for."""
    return _scaling(client, function, version).get("MinExecutionEnvironments", DEFAULT_FLOOR)


def set_floor(client: "LambdaClient", function: str, version: str, environments: int) -> None:
    """Let a version keep another number of execution environments at least."""
    # Both halves are set together: one that is left out would go back to Lambda's default.
    wanted = _scaling(client, function, version) | {"MinExecutionEnvironments": environments}
    client.put_function_scaling_config(FunctionName=function, Qualifier=version, FunctionScalingConfig=wanted)


def delete(client: "LambdaClient", function: str, version: str) -> None:
    """Delete one version.

    Raises:
        ValueError: that is not the number of a version. Without one, Lambda would delete the whole function.
    """
    if not _NUMBER.fullmatch(version):
        raise ValueError(f"{version!r} is not the number of a version of {function}")
    client.delete_function(FunctionName=function, Qualifier=version)


def on_provider(session: boto3.Session, environment: Environment) -> int | None:
    """Count the versions of all functions on an environment's capacity provider, or None where it has no platform."""
    platform = describe(session, naming.platform_stack(environment.name))
    arn = outputs_of(platform).get("CapacityProviderArn") if platform else None
    return None if arn is None else len(on_capacity_provider(session, arn))


def on_capacity_provider(session: boto3.Session, arn: str) -> list[str]:
    """Return the ARNs of all versions on a capacity provider. One that is gone has none, even if its stack is left."""
    client = session.client("lambda")
    pages = client.get_paginator("list_function_versions_by_capacity_provider").paginate(CapacityProviderName=arn)
    try:
        return [version["FunctionArn"] for page in pages for version in page["FunctionVersions"]]
    except client.exceptions.ResourceNotFoundException:
        return []


def _scaling(client: "LambdaClient", function: str, version: str) -> "FunctionScalingConfigTypeDef":
    """Return what was asked for last, which is applied within minutes, or what applies where nothing was."""
    answer = client.get_function_scaling_config(FunctionName=function, Qualifier=version)
    return answer.get("RequestedFunctionScalingConfig") or answer.get("AppliedFunctionScalingConfig") or {}
