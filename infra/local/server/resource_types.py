"""CloudFormation resource types that ministack does not know, or of which it drops what this project sets."""

import re
import time
from collections.abc import Callable
from typing import Any

from infra.local.server import capacity_providers, emulator
from infra.local.server.durable import DurableExecutions
from infra.local.server.request import ApiError, Function

Properties = dict[str, Any]
Created = tuple[str, dict[str, str]]

FUNCTION = "AWS::Lambda::Function"
VERSION = "AWS::Lambda::Version"
PROVIDER = "AWS::Lambda::CapacityProvider"
FUNCTION_SETTINGS = ("DurableConfig", "CapacityProviderConfig")


def teach(executions: DurableExecutions) -> None:
    """Make ministack's CloudFormation know them."""
    emulator.resource_handlers |= {
        "AWS::EC2::EIP": _handler(_create_elastic_ip, _delete_elastic_ip, _retag_elastic_ip),
        "AWS::EC2::NatGateway": _handler(_create_nat_gateway, _delete_nat_gateway, _retag),
        "AWS::EC2::FlowLog": _handler(_create_flow_log, _delete_flow_log, _retag),
        "AWS::IAM::OIDCProvider": _handler(_create_oidc_provider, _delete_oidc_provider, _update_oidc_provider),
        "Custom::VpcRestrictDefaultSG": _handler(_close_security_group, _keep, _close_security_group_again),
        PROVIDER: _handler(_create_provider, _delete_provider, _update_provider),
        FUNCTION: _FunctionType(executions).handler(emulator.resource_handlers[FUNCTION]),
        VERSION: _version_handler(emulator.resource_handlers[VERSION]),
    }
    taught = ("AWS::EC2::EIP", "AWS::EC2::NatGateway", "AWS::EC2::FlowLog", "AWS::IAM::OIDCProvider", PROVIDER)
    emulator.tag_properties |= dict.fromkeys(taught, ("Tags", "list"))
    emulator.replace("services.cloudformation.stacks", "_runs_on_worker_thread", _may_block)


def _may_block(resource_type: str) -> bool:
    """Tell what CloudFormation must keep off its event loop: a function's removal, too, waits for its executions."""
    return resource_type == FUNCTION or emulator.runs_on_thread(resource_type)


def _handler(create: Callable[..., Created], delete: Callable[..., None], update: Callable[..., Created]) -> Properties:
    return {"create": create, "delete": delete, "update": update, "update_with_logical_id": True}


# EC2 and IAM: their own API calls, which ministack has.


def _call(actions: dict[str, Any], action: str, parameters: dict[str, str]) -> str:
    """Call an action of a query API, and return its answer."""
    status, _, body = actions[action]({name: [value] for name, value in parameters.items()})
    text = body if isinstance(body, str) else body.decode()
    if status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
        raise ApiError(action, text, status)
    return text


def _field(text: str, name: str) -> str:
    match = re.search(rf"<{name}>([^<]+)</{name}>", text)
    if not match:
        raise ValueError(f"no {name} in {text}")
    return match[1]


def _tags(properties: Properties) -> dict[str, str]:
    tags: list[dict[str, str]] = properties.get("Tags", [])
    return {tag["Key"]: tag["Value"] for tag in tags}


def _numbered(prefix: str, items: list[str]) -> dict[str, str]:
    return {f"{prefix}.{number}": item for number, item in enumerate(items, 1)}


def _tag(resource: str, properties: Properties, earlier: Properties) -> None:
    tags, dropped = _tags(properties), sorted(_tags(earlier).keys() - _tags(properties).keys())
    target = {"ResourceId.1": resource}
    if dropped:
        keys = {f"Tag.{number}.Key": key for number, key in enumerate(dropped, 1)}
        _call(emulator.ec2_actions, "DeleteTags", target | keys)
    for key, value in tags.items():
        _call(emulator.ec2_actions, "CreateTags", target | {"Tag.1.Key": key, "Tag.1.Value": value})


def _retag(
    physical_id: str, earlier: Properties, properties: Properties, _stack: str, logical_id: str | None = None
) -> Created:
    """Update what can change of an EC2 resource: its tags.

    Raises:
        ValueError: something else changed. This project has no case of it, so its replacement is not emulated.
    """
    if {**earlier, "Tags": None} != {**properties, "Tags": None}:
        raise ValueError(f"{logical_id}: the local AWS replaces no resource of this type, it changes its tags alone")
    _tag(physical_id, properties, earlier)
    return physical_id, _EC2_ATTRIBUTES.get(physical_id.partition("-")[0], lambda _: {})(physical_id)


_EC2_ATTRIBUTES: dict[str, Callable[[str], dict[str, str]]] = {
    "nat": lambda physical_id: {"NatGatewayId": physical_id},
    "fl": lambda physical_id: {"Id": physical_id},
}


def _create_elastic_ip(_logical_id: str, properties: Properties, _stack: str) -> Created:
    text = _call(emulator.ec2_actions, "AllocateAddress", {"Domain": "vpc"})
    allocation, address = _field(text, "allocationId"), _field(text, "publicIp")
    _tag(allocation, properties, {})
    return address, {"AllocationId": allocation, "PublicIp": address}


def _allocation(address: str) -> str:
    return next(key for key, record in emulator.elastic_ips.items() if record["PublicIp"] == address)


def _retag_elastic_ip(
    address: str, earlier: Properties, properties: Properties, stack: str, logical_id: str | None = None
) -> Created:
    allocation = _allocation(address)
    _retag(allocation, earlier, properties, stack, logical_id)
    return address, {"AllocationId": allocation, "PublicIp": address}


def _delete_elastic_ip(address: str, _properties: Properties) -> None:
    _call(emulator.ec2_actions, "ReleaseAddress", {"AllocationId": _allocation(address)})


def _create_nat_gateway(_logical_id: str, properties: Properties, _stack: str) -> Created:
    parameters = {key: properties[key] for key in ("SubnetId", "AllocationId", "ConnectivityType") if key in properties}
    physical_id = _field(_call(emulator.ec2_actions, "CreateNatGateway", parameters), "natGatewayId")
    _tag(physical_id, properties, {})
    return physical_id, {"NatGatewayId": physical_id}


def _delete_nat_gateway(physical_id: str, _properties: Properties) -> None:
    _call(emulator.ec2_actions, "DeleteNatGateway", {"NatGatewayId": physical_id})


def _create_flow_log(_logical_id: str, properties: Properties, _stack: str) -> Created:
    keys = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")
    parameters = {key: properties[key] for key in keys if key in properties}
    text = _call(emulator.ec2_actions, "CreateFlowLogs", parameters | {"ResourceId.1": properties["ResourceId"]})
    physical_id = _field(text, "item")
    _tag(physical_id, properties, {})
    return physical_id, {"Id": physical_id}


def _delete_flow_log(physical_id: str, _properties: Properties) -> None:
    _call(emulator.ec2_actions, "DeleteFlowLogs", {"FlowLogId.1": physical_id})


def _create_oidc_provider(_logical_id: str, properties: Properties, _stack: str) -> Created:
    parameters = (
        {"Url": properties["Url"]}
        | _numbered("ClientIDList.member", properties.get("ClientIdList") or [])
        | _numbered("ThumbprintList.member", properties.get("ThumbprintList") or [])
        | {f"Tags.member.{number}.Key": key for number, key in enumerate(_tags(properties), 1)}
        | {f"Tags.member.{number}.Value": value for number, value in enumerate(_tags(properties).values(), 1)}
    )
    text = _call(emulator.iam_actions, "CreateOpenIDConnectProvider", parameters)
    arn = _field(text, "OpenIDConnectProviderArn")
    return arn, {"Arn": arn}


def _delete_oidc_provider(arn: str, _properties: Properties) -> None:
    _call(emulator.iam_actions, "DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": arn})


def _update_oidc_provider(
    arn: str, earlier: Properties, properties: Properties, stack: str, logical_id: str | None = None
) -> Created:
    if earlier["Url"] == properties["Url"]:
        # Its ARN follows from the URL, so it is the same provider afterwards.
        _delete_oidc_provider(arn, earlier)
    return _create_oidc_provider(logical_id or "", properties, stack)


def _close_security_group(_logical_id: str, properties: Properties, _stack: str) -> Created:
    """Do what the CDK's custom resource does with a Node.js function: leave a VPC's default security group no rules."""
    group = properties["DefaultSecurityGroupId"]
    emulator.security_groups[group] |= {"IpPermissions": [], "IpPermissionsEgress": []}
    return f"{group}-closed", {}


def _close_security_group_again(
    _physical_id: str, _earlier: Properties, properties: Properties, stack: str, logical_id: str | None = None
) -> Created:
    return _close_security_group(logical_id or "", properties, stack)


def _keep(_physical_id: str, _properties: Properties) -> None:
    """Leave things as they are: the security group goes with its VPC."""


# Lambda.


def _create_provider(logical_id: str, properties: Properties, stack: str) -> Created:
    name = properties.get("CapacityProviderName") or f"{stack}-{logical_id}"
    return _provider_created(capacity_providers.create(name, properties, _tags(properties)))


def _update_provider(
    name: str, earlier: Properties, properties: Properties, stack: str, logical_id: str | None = None
) -> Created:
    kept = {"CapacityProviderName", *capacity_providers.SETTINGS} - set(capacity_providers.UPDATABLE)
    if any(earlier.get(key) != properties.get(key) for key in kept):
        # A new one; CloudFormation removes the earlier one once nothing in the stack uses it.
        return _create_provider(f"{logical_id}-{time.time_ns()}", properties, stack)
    return _provider_created(capacity_providers.update(name, properties, _tags(properties)))


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
