"""The capacity provider of an environment, and the versions that are on it."""

from infra import naming
from infra.aws.target import Target


def versions(target: Target) -> list[str] | None:
    """Return the ARNs of all versions of all functions on it, or None where there is no platform.

    A capacity provider that is gone has none, even if its stack is left.
    """
    platform = target.stacks.find(naming.platform_stack(target.environment))
    arn = platform.outputs.get(naming.Output.CAPACITY_PROVIDER_ARN) if platform else None
    if arn is None:
        return None
    return versions_on(target, arn)


def versions_on(target: Target, name_or_arn: str) -> list[str]:
    """Return the ARNs of all versions of all functions on a capacity provider; one that is gone has none."""
    client = target.session.client("lambda")
    lister = client.get_paginator("list_function_versions_by_capacity_provider")
    try:
        pages = [*lister.paginate(CapacityProviderName=name_or_arn)]
    except client.exceptions.ResourceNotFoundException:
        return []
    return [version["FunctionArn"] for page in pages for version in page["FunctionVersions"]]
