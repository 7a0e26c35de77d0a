"""Resource Groups Tagging of what ministack leaves out of its list: log groups, parameters, EC2, capacity providers."""

from infra.local.server import ministack
from infra.local.server.capacity_providers import CapacityProviders
from infra.local.server.ministack import Tagged

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


def teach(providers: CapacityProviders) -> None:
    """Make ministack's list hold them."""
    ministack_lambda = ministack.tag_collectors["lambda"]

    def lambda_() -> Tagged:
        yield from ministack_lambda()
        for record in providers.records():
            yield record["description"]["CapacityProviderArn"], _pairs(record["tags"])

    ministack.tag_collectors |= {
        "ec2": _ec2,
        "lambda": lambda_,
        "logs": _log_groups,
        "ssm": ministack.collect_parameters,
    }


def _ec2() -> Tagged:
    for identifier, tags in ministack.ec2_tags.items():
        # AWS goes on listing these for about an hour.
        deleted = ministack.nat_gateways.get(identifier, {}).get("State") == "deleted"
        if not deleted and (kind := EC2_TYPES.get(identifier.partition("-")[0])):
            yield f"arn:aws:ec2:{ministack.region()}:{ministack.account_id()}:{kind}/{identifier}", tags


def _log_groups() -> Tagged:
    for group in ministack.log_groups.values():
        yield group["arn"].removesuffix(":*"), _pairs(group["tags"])


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
