"""Whose resources of EC2 may be changed: their names are random, so tags tell which are an environment's.

What carries tags is told by them before it is removed or changed, or something is made in it. What is being made has
none yet, and it may have none while the handler that makes it goes on to set it up: CloudFormation's schemas say that
each of these types is tagged when it is made (`tagOnCreate`), and not whether in one call. There what others have
tagged is refused, and what nobody has is not. IAM's reference lists aws:ResourceTag for each of these actions and
resources.
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
        yield Grant(action, everything).under(_tagged(environment, "StringEqualsIfExists"))
        return
    creating = authorities.handlers(kind, environment.region).get("create", [])
    for of in authorities.kinds_of(action):
        is_made = of == _MADE.get(action) or plain(action) == plain(f"ec2:Create{of}")
        if of in _TAGGED and not is_made:
            is_fresh = action in creating and authorities.maker(SERVICE, of, environment.region) == kind
            sets_up = is_fresh and action != "ec2:DeleteTags"
            operator = "StringEqualsIfExists" if sets_up else "StringEquals"
            yield Grant(action, everything).under(_tagged(environment, operator))
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
