"""The live alias of a deployed function: where it points, moving it, and closing it to new executions."""

from typing import TYPE_CHECKING

from infra import naming
from infra.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import AliasConfigurationResponseTypeDef


def live_version(client: "LambdaClient", function: str) -> str | None:
    """Return the version that new executions start on, or None where nothing is deployed yet."""
    alias = _find(client, function, naming.ALIAS)
    return alias["FunctionVersion"] if alias else None


def set_live_version(client: "LambdaClient", function: str, version: str) -> None:
    """Let new executions start on another version. Those that run stay on theirs."""
    client.update_alias(FunctionName=function, Name=naming.ALIAS, FunctionVersion=version)


def check_open(client: "LambdaClient", function: str) -> None:
    """Refuse to work on a function that is closed.

    Raises:
        CommandError: it is.
    """
    if is_closed(client, function):
        raise CommandError(
            f"{function} takes no new executions: it was drained, to be removed. If it is to stay, open it with "
            "`drain --open` first"
        )


def is_closed(client: "LambdaClient", function: str) -> bool:
    """Tell whether new executions of a function are refused, by a drain that succeeded or was killed."""
    return _find(client, function, naming.CLOSED_ALIAS) is not None


def close(client: "LambdaClient", function: str) -> None:
    """Refuse new executions of a function: its live alias, by which all of them start, takes another name.

    Neither a reserved concurrency nor a scaling of 0 does that: executions that wait are resumed by invocations as
    well, and would never end. The renamed alias remembers where the live one pointed, even if this process is killed.

    Raises:
        CommandError: the alias has a resource policy, which would be lost.
    """
    alias = _find(client, function, naming.ALIAS)
    if alias is None:
        return
    if _has_policy(client, function):
        raise CommandError(
            f"{function}: the alias {naming.ALIAS} has a resource policy, which closing it would lose; disable what "
            "triggers the function first, deploy it without that permission, and run this again"
        )
    _rename(client, function, alias, naming.CLOSED_ALIAS)


def reopen(client: "LambdaClient", function: str) -> None:
    """Take new executions again, on the version that was live before."""
    if alias := _find(client, function, naming.CLOSED_ALIAS):
        _rename(client, function, alias, naming.ALIAS)


def _rename(client: "LambdaClient", function: str, alias: "AliasConfigurationResponseTypeDef", name: str) -> None:
    """Make the alias under its new name before the old one goes. Done halfway, it is done again from the start."""
    write = client.update_alias if _find(client, function, name) else client.create_alias
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    write(
        FunctionName=function,
        Name=name,
        FunctionVersion=alias["FunctionVersion"],
        Description=alias.get("Description", ""),
        RoutingConfig={"AdditionalVersionWeights": weights},
    )
    client.delete_alias(FunctionName=function, Name=alias["Name"])


def _find(client: "LambdaClient", function: str, name: str) -> "AliasConfigurationResponseTypeDef | None":
    try:
        return client.get_alias(FunctionName=function, Name=name)
    except client.exceptions.ResourceNotFoundException:
        return None


def _has_policy(client: "LambdaClient", function: str) -> bool:
    try:
        client.get_policy(FunctionName=function, Qualifier=naming.ALIAS)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True
