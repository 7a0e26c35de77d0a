"""Whose resources of EC2 may be changed: their names are random, so tags tell which are an environment's.

What carries tags is told by them before it is changed or removed, or something is made in it. What is being made has
none yet. IAM's reference lists aws:ResourceTag for each of these actions and resources, and CloudFormation's schemas
say of each type that it is tagged when it is made (`tagOnCreate`).
"""

import re
from collections.abc import Iterator
from typing import Any

from infra import naming
from infra.environment import Environment
from infra.policies import authorities
from infra.policies.authorities import plain
from infra.policies.grants import Grant
from infra.policies.resources import EC2, names_of_platform, resolve

SERVICE = "ec2"

# What carries tags of those that a platform makes, and how its ids begin.
_TAGGED = {
    "elastic-ip": "eipalloc",
    "internet-gateway": "igw",
    "natgateway": "nat",
    "route-table": "rtb",
    "security-group": "sg",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpc-endpoint": "vpce",
    "vpc-flow-log": "fl",
}
# Actions that make what is called otherwise than they are.
_MADE = {
    "ec2:AllocateAddress": "elastic-ip",
    "ec2:AuthorizeSecurityGroupEgress": "security-group-rule",
    "ec2:AuthorizeSecurityGroupIngress": "security-group-rule",
    "ec2:CreateFlowLogs": "vpc-flow-log",
}
# Types that a platform makes; what others take beyond what is tagged is limited to the account and region.
_OF_PLATFORMS = (
    "EIP FlowLog InternetGateway NatGateway Route RouteTable SecurityGroup SecurityGroupEgress SecurityGroupIngress "
    "Subnet SubnetRouteTableAssociation VPC VPCEndpoint VPCGatewayAttachment"
)


def changing(environment: Environment, action: str, kind: str, properties: list[tuple[str, Any]]) -> Iterator[Grant]:
    """Yield what changing something of EC2 takes for a resource type, on resources of an environment alone.

    Args:
        environment: whose.
        action: such as ec2:DeleteVpc.
        kind: the resource type whose handlers take it.
        properties: of all resources of that type.
    """
    names = names_of_platform(environment)
    (everything,) = resolve(EC2, names)
    if action == "ec2:CreateTags":
        # It comes with what is being made, which has no tags; whether in one call or in a second, no schema says.
        yield Grant(action, everything).under(_tagged(environment, "StringEqualsIfExists"))
        return
    for of in authorities.kinds_of(action):
        is_made = of == _MADE.get(action) or plain(action) == plain(f"ec2:Create{of}")
        if of in _TAGGED and not is_made:
            yield Grant(action, everything).under(_tagged(environment, "StringEquals"))
            yield from (Grant(action, f"{everything[:-1]}{of}/{each}") for each in _given(of, properties))
        elif is_made or kind.rpartition("::")[2] not in _OF_PLATFORMS.split():
            yield from (Grant(action, _any(arn, names)) for arn in authorities.arns(SERVICE, of))


def _tagged(environment: Environment, operator: str) -> dict[str, Any]:
    return {operator: {f"aws:ResourceTag/{key}": value for key, value in naming.tags(environment).items()}}


def _given(kind: str, properties: list[tuple[str, Any]]) -> list[str]:
    """Return the ids of somebody else's resources that a template names."""
    pattern = re.compile(rf"{_TAGGED[kind]}-[0-9a-f]+")
    return sorted({value for _, value in properties if isinstance(value, str) and pattern.fullmatch(value)})


def _any(arn: str, names: dict[str, str]) -> str:
    return arn.format(**names).replace(".*", "*")
