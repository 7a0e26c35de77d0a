"""CloudFormation resource types that ministack does not know, or of which it drops what this project sets."""

import time
from typing import Any

from infra.local.server import capacity_providers, emulator, network_types
from infra.local.server.durable import DurableExecutions
from infra.local.server.request import Function
from infra.local.server.resource_handlers import Created, Properties, call, field, handler, numbered, tags

FUNCTION = "AWS::Lambda::Function"
VERSION = "AWS::Lambda::Version"
PROVIDER = "AWS::Lambda::CapacityProvider"
FUNCTION_SETTINGS = ("DurableConfig", "CapacityProviderConfig")


def teach(executions: DurableExecutions) -> None:
    """Make ministack's CloudFormation know them."""
    emulator.resource_handlers |= network_types.HANDLERS | {
        "AWS::IAM::OIDCProvider": handler(_create_oidc_provider, _delete_oidc_provider, _update_oidc_provider),
        PROVIDER: handler(_create_provider, _delete_provider, _update_provider),
        FUNCTION: _FunctionType(executions).handler(emulator.resource_handlers[FUNCTION]),
        VERSION: _version_handler(emulator.resource_handlers[VERSION]),
    }
    taught = (*network_types.TAGGED, "AWS::IAM::OIDCProvider", PROVIDER)
    emulator.tag_properties |= dict.fromkeys(taught, ("Tags", "list"))
    emulator.replace("services.cloudformation.stacks", "_runs_on_worker_thread", _may_block)


def _may_block(resource_type: str) -> bool:
    """Tell what CloudFormation must keep off its event loop: a function's removal, too, waits for its executions."""
    return resource_type == FUNCTION or emulator.runs_on_thread(resource_type)


# IAM.


def _create_oidc_provider(_logical_id: str, properties: Properties, _stack: str) -> Created:
    parameters = (
        {"Url": properties["Url"]}
        | numbered("ClientIDList.member", properties.get("ClientIdList") or [])
        | numbered("ThumbprintList.member", properties.get("ThumbprintList") or [])
        | {f"Tags.member.{number}.Key": key for number, key in enumerate(tags(properties), 1)}
        | {f"Tags.member.{number}.Value": value for number, value in enumerate(tags(properties).values(), 1)}
    )
    text = call(emulator.iam_actions, "CreateOpenIDConnectProvider", parameters)
    arn = field(text, "OpenIDConnectProviderArn")
    return arn, {"Arn": arn}


def _delete_oidc_provider(arn: str, _properties: Properties) -> None:
    call(emulator.iam_actions, "DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": arn})


def _update_oidc_provider(
    arn: str, earlier: Properties, properties: Properties, stack: str, logical_id: str | None = None
) -> Created:
    if earlier["Url"] == properties["Url"]:
        # Its ARN follows from the URL, so it is the same provider afterwards.
        _delete_oidc_provider(arn, earlier)
    return _create_oidc_provider(logical_id or "", properties, stack)


# Lambda.


def _create_provider(logical_id: str, properties: Properties, stack: str) -> Created:
    name = properties.get("CapacityProviderName") or f"{stack}-{logical_id}"
    return _provider_created(capacity_providers.create(name, properties, tags(properties)))


def _update_provider(
    name: str, earlier: Properties, properties: Properties, stack: str, logical_id: str | None = None
) -> Created:
    kept = {"CapacityProviderName", *capacity_providers.SETTINGS} - set(capacity_providers.UPDATABLE)
    if any(earlier.get(key) != properties.get(key) for key in kept):
        # A new one; CloudFormation removes the earlier one once nothing in the stack uses it.
        return _create_provider(f"{logical_id}-{time.time_ns()}", properties, stack)
    return _provider_created(capacity_providers.update(name, properties, tags(properties)))


def _provider_created(description: dict[str, Any]) -> Created:
    arn = description["CapacityProviderArn"]
    return capacity_providers.name_of(arn), {"Arn": arn, "State": description["State"]}


def _delete_provider(name: str, _properties: Properties) -> None:
    capacity_providers.delete(name)


class _FunctionType:
    """AWS::Lambda::Function with what ministack drops of it, and with its rules for durable functions."""

    def __init__(self, executions: DurableExecutions) -> None:
        self._executions = executions

    def handler(self, ministack: dict[str, Any]) -> dict[str, Any]:
        """Return a handler around ministack's."""

        def create(logical_id: str, properties: Properties, stack: str) -> Created:
            name = properties.get("FunctionName")
            if name in emulator.functions:
                raise ValueError(f"{name} already exists")
            _check_provider(properties)
            return self._configured(ministack["create"](logical_id, properties, stack), properties)

        def update(
            name: str, earlier: Properties, properties: Properties, stack: str, logical_id: str | None = None
        ) -> Created:
            _check_change(name, earlier, properties)
            _check_provider(properties)
            # ministack would take any change of it for a new function, and drop the versions of the one that is there.
            same = earlier | ({"DurableConfig": properties["DurableConfig"]} if "DurableConfig" in properties else {})
            return self._configured(ministack["update"](name, same, properties, stack, logical_id), properties)

        def delete(name: str, properties: Properties) -> None:
            if name in emulator.functions:
                function = Function.named(name)
                function.record()["config"]["State"] = "Deleting"
                self._executions.wait_until_drained(function, time.sleep)
                emulator.end_workers(name, account=function.account, region=function.region)
            ministack["delete"](name, properties)

        return ministack | {"create": create, "update": update, "delete": delete, "update_with_logical_id": True}

    def _configured(self, created: Created, properties: Properties) -> Created:
        function = Function.named(created[0])
        function.record()["config"] |= {key: properties[key] for key in FUNCTION_SETTINGS if key in properties}
        if scaling := properties.get("FunctionScalingConfig"):
            capacity_providers.put_scaling(function, capacity_providers.LATEST_PUBLISHED, scaling)
        return created


def _check_provider(properties: Properties) -> None:
    """Raise ApiError when the function's capacity provider does not exist."""
    if arn := capacity_providers.provider_of(properties):
        capacity_providers.describe(arn)


def _check_change(name: str, earlier: Properties, properties: Properties) -> None:
    """Raise ValueError for a change that needs another function, or that Lambda refuses."""
    if ("DurableConfig" in earlier) != ("DurableConfig" in properties):
        raise ValueError(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {name} and update the stack again."
        )
    if "CapacityProviderConfig" in earlier and "CapacityProviderConfig" not in properties:
        raise ValueError(f"{name}: a function's capacity provider can be changed but not removed")


def _version_handler(ministack: dict[str, Any]) -> dict[str, Any]:
    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        return _scaled(ministack["create"](logical_id, properties, stack), properties)

    def update(
        arn: str, earlier: Properties, properties: Properties, stack: str, logical_id: str | None = None
    ) -> Created:
        return _scaled(ministack["update"](arn, earlier, properties, stack, logical_id), properties)

    return ministack | {"create": create, "update": update, "update_with_logical_id": True}


def _scaled(created: Created, properties: Properties) -> Created:
    if scaling := properties.get("FunctionScalingConfig"):
        function = Function.named(created[0])
        capacity_providers.put_scaling(function, str(function.qualifier), scaling)
    return created
