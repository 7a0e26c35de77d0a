"""Resource Groups Tagging of what ministack leaves out of its list: log groups, parameters, EC2, capacity providers."""

from collections.abc import Iterator
from typing import Any

from infra.local.server import capacity_providers, emulator

Tagged = Iterator[tuple[str, list[dict[str, str]]]]

# The resource types of EC2's ids, of what the stacks make.
EC2_TYPES = {
    "eipalloc": "elastic-ip",
    "fl": "vpc-flow-log",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}


def teach() -> None:
    """Make ministack's list hold them."""
    ministack_lambda = emulator.tag_collectors["lambda"]

    def lambda_() -> Tagged:
        yield from ministack_lambda()
        yield from _capacity_providers()

    emulator.tag_collectors |= {"ec2": _ec2, "lambda": lambda_, "logs": _log_groups, "ssm": emulator.collect_parameters}


def _ec2() -> Tagged:
    for identifier, tags in emulator.ec2_tags.items():
        # AWS goes on listing these for about an hour.
        deleted = emulator.nat_gateways.get(identifier, {}).get("State") == "deleted"
        if not deleted and (kind := EC2_TYPES.get(identifier.partition("-")[0])):
            yield f"arn:aws:ec2:{emulator.region()}:{emulator.account_id()}:{kind}/{identifier}", tags


def _log_groups() -> Tagged:
    for group in emulator.log_groups.values():
        yield group["arn"].removesuffix(":*"), _pairs(group["tags"])


def _capacity_providers() -> Tagged:
    for record in capacity_providers.records():
        yield record["Description"]["CapacityProviderArn"], _pairs(record["Tags"])


def _pairs(tags: dict[str, Any]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
