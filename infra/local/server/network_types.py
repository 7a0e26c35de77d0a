"""The resource types of EC2 that ministack's CloudFormation does not know."""

from collections.abc import Callable

from infra.local.server import ministack
from infra.local.server.ministack import Json
from infra.local.server.resource_handlers import Created, call, field, handler, tags


def _tag(resource: str, properties: Json, earlier: Json) -> None:
    wanted, dropped = tags(properties), sorted(tags(earlier).keys() - tags(properties).keys())
    target = {"ResourceId.1": resource}
    if dropped:
        keys = {f"Tag.{number}.Key": key for number, key in enumerate(dropped, 1)}
        call(ministack.ec2_actions, "DeleteTags", target | keys)
    for key, value in wanted.items():
        call(ministack.ec2_actions, "CreateTags", target | {"Tag.1.Key": key, "Tag.1.Value": value})


def _retag(physical_id: str, earlier: Json, properties: Json, _stack: str, logical_id: str | None = None) -> Created:
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


def _create_elastic_ip(_logical_id: str, properties: Json, _stack: str) -> Created:
    text = call(ministack.ec2_actions, "AllocateAddress", {"Domain": "vpc"})
    allocation, address = field(text, "allocationId"), field(text, "publicIp")
    _tag(allocation, properties, {})
    return address, {"AllocationId": allocation, "PublicIp": address}


def _allocation(address: str) -> str:
    return next(key for key, record in ministack.elastic_ips.items() if record["PublicIp"] == address)


def _retag_elastic_ip(
    address: str, earlier: Json, properties: Json, stack: str, logical_id: str | None = None
) -> Created:
    allocation = _allocation(address)
    _retag(allocation, earlier, properties, stack, logical_id)
    return address, {"AllocationId": allocation, "PublicIp": address}


def _delete_elastic_ip(address: str, _properties: Json) -> None:
    call(ministack.ec2_actions, "ReleaseAddress", {"AllocationId": _allocation(address)})


def _create_nat_gateway(_logical_id: str, properties: Json, _stack: str) -> Created:
    parameters = {key: properties[key] for key in ("SubnetId", "AllocationId", "ConnectivityType") if key in properties}
    physical_id = field(call(ministack.ec2_actions, "CreateNatGateway", parameters), "natGatewayId")
    _tag(physical_id, properties, {})
    return physical_id, {"NatGatewayId": physical_id}


def _delete_nat_gateway(physical_id: str, _properties: Json) -> None:
    call(ministack.ec2_actions, "DeleteNatGateway", {"NatGatewayId": physical_id})


def _create_flow_log(_logical_id: str, properties: Json, _stack: str) -> Created:
    keys = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")
    parameters = {key: properties[key] for key in keys if key in properties}
    text = call(ministack.ec2_actions, "CreateFlowLogs", parameters | {"ResourceId.1": properties["ResourceId"]})
    physical_id = field(text, "item")
    _tag(physical_id, properties, {})
    return physical_id, {"Id": physical_id}


def _delete_flow_log(physical_id: str, _properties: Json) -> None:
    call(ministack.ec2_actions, "DeleteFlowLogs", {"FlowLogId.1": physical_id})


def _create_ingress_rule(logical_id: str, properties: Json, _stack: str) -> Created:
    call(ministack.ec2_actions, "AuthorizeSecurityGroupIngress", _rule(properties))
    return f"{properties['GroupId']}-{logical_id}", {}


def _delete_ingress_rule(_physical_id: str, properties: Json) -> None:
    # Its group may have gone before it, with all of its rules.
    if properties["GroupId"] in ministack.security_groups:
        call(ministack.ec2_actions, "RevokeSecurityGroupIngress", _rule(properties))


def _replace_ingress_rule(
    physical_id: str, earlier: Json, properties: Json, stack: str, logical_id: str | None = None
) -> Created:
    _delete_ingress_rule(physical_id, earlier)
    return _create_ingress_rule(logical_id or "", properties, stack)


def _rule(properties: Json) -> dict[str, str]:
    """Return a rule that lets one security group in, as EC2's API takes it."""
    rule = {key: str(properties[key]) for key in ("IpProtocol", "FromPort", "ToPort")}
    rule |= {"Groups.1.GroupId": properties["SourceSecurityGroupId"], "Groups.1.Description": properties["Description"]}
    return {"GroupId": properties["GroupId"]} | {f"IpPermissions.1.{key}": value for key, value in rule.items()}


HANDLERS = {
    "AWS::EC2::EIP": handler(_create_elastic_ip, _delete_elastic_ip, _retag_elastic_ip),
    "AWS::EC2::NatGateway": handler(_create_nat_gateway, _delete_nat_gateway, _retag),
    "AWS::EC2::FlowLog": handler(_create_flow_log, _delete_flow_log, _retag),
    "AWS::EC2::SecurityGroupIngress": handler(_create_ingress_rule, _delete_ingress_rule, _replace_ingress_rule),
}
TAGGED = ("AWS::EC2::EIP", "AWS::EC2::NatGateway", "AWS::EC2::FlowLog")
