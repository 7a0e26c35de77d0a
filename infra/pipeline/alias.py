"""The live alias of a deployed function: where it points, and moving it."""

from typing import TYPE_CHECKING

from infra import naming

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def live_version(client: "LambdaClient", function: str) -> str | None:
    """Return the version that new executions start on, or None where nothing is deployed yet."""
    try:
        return client.get_alias(FunctionName=function, Name=naming.ALIAS)["FunctionVersion"]
    except client.exceptions.ResourceNotFoundException:
        return None


def set_live_version(client: "LambdaClient", function: str, version: str) -> None:
    """Let new executions start on another version. Those that run stay on theirs."""
    client.update_alias(FunctionName=function, Name=naming.ALIAS, FunctionVersion=version)
