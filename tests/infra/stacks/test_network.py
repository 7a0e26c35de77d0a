from collections.abc import Callable
from ipaddress import IPv4Network

import pytest

from infra.environment import Environment
from infra.errors import UsageError
from infra.services import service
from tests.infra.synthesis import PROD, Resource, Resources, changed, made_before, of_type, the_only

MakePlatform = Callable[[Environment], Resources]

EVERYWHERE = "0.0.0.0/0"


def private_subnets(resources: Resources) -> list[str]:
    """Return the logical ids of the subnets that instances run in."""
    provider = the_only(resources, "AWS::Lambda::CapacityProvider")
    return [subnet["Ref"] for subnet in provider["Properties"]["VpcConfig"]["SubnetIds"]]


def instances_security_group(resources: Resources) -> str:
    provider = the_only(resources, "AWS::Lambda::CapacityProvider")
    [group] = provider["Properties"]["VpcConfig"]["SecurityGroupIds"]
    return group["Fn::GetAtt"][0]


def routes_of(resources: Resources, subnet: str) -> Resources:
    """Return the routes that a subnet's one route table has."""
    [table] = [
        association["Properties"]["RouteTableId"]
        for association in of_type(resources, "AWS::EC2::SubnetRouteTableAssociation").values()
        if association["Properties"]["SubnetId"] == {"Ref": subnet}
    ]
    routes = of_type(resources, "AWS::EC2::Route")
    return {name: route for name, route in routes.items() if route["Properties"]["RouteTableId"] == table}


def endpoints(resources: Resources) -> dict[str, tuple[str, Resource]]:
    """Return the logical id and the properties of each VPC endpoint, by the service's last name."""
    found: dict[str, tuple[str, Resource]] = {}
    for name, endpoint in of_type(resources, "AWS::EC2::VPCEndpoint").items():
        properties = endpoint["Properties"]
        service = properties["ServiceName"]
        text = service if isinstance(service, str) else service["Fn::Join"][1][-1]
        found[text.split(".")[-1]] = (name, properties)
    return found


def test_the_vpc_has_the_configured_addresses(environment: Environment, platform: Resources) -> None:
    assert the_only(platform, "AWS::EC2::VPC")["Properties"]["CidrBlock"] == environment.network.cidr


def test_instances_run_in_one_private_subnet_in_each_configured_zone(
    environment: Environment, platform: Resources
) -> None:
    subnets = [platform[name]["Properties"] for name in private_subnets(platform)]
    assert [subnet["AvailabilityZone"] for subnet in subnets] == environment.network.zones
    for name in private_subnets(platform):
        assert not [route for route in routes_of(platform, name).values() if "GatewayId" in route["Properties"]]


def test_no_subnet_gives_out_public_addresses(platform: Resources) -> None:
    for subnet in of_type(platform, "AWS::EC2::Subnet").values():
        assert subnet["Properties"]["MapPublicIpOnLaunch"] is False


def test_instances_get_nearly_all_of_the_addresses(environment: Environment, platform: Resources) -> None:
    sizes = [IPv4Network(platform[name]["Properties"]["CidrBlock"]).num_addresses for name in private_subnets(platform)]
    assert sum(sizes) >= IPv4Network(environment.network.cidr).num_addresses / 2


def test_there_are_as_many_nat_gateways_as_configured(environment: Environment, platform: Resources) -> None:
    assert len(of_type(platform, "AWS::EC2::NatGateway")) == environment.network.nat_gateways


def test_there_is_a_way_to_the_internet_only_where_there_are_nat_gateways(
    environment: Environment, platform: Resources
) -> None:
    gateways = of_type(platform, "AWS::EC2::InternetGateway")
    assert len(gateways) == (1 if environment.network.nat_gateways else 0)


def assert_made_after_its_egress(resources: Resources) -> None:
    """Assert that the capacity provider is made after all that takes its instances' packets to AWS, and goes first."""
    [provider] = of_type(resources, "AWS::Lambda::CapacityProvider")
    before = made_before(resources, provider)
    associations = of_type(resources, "AWS::EC2::SubnetRouteTableAssociation")
    for subnet in private_subnets(resources):
        assert routes_of(resources, subnet).keys() <= before
        if of_type(resources, "AWS::EC2::NatGateway"):
            used = {name for name, a in associations.items() if a["Properties"]["SubnetId"] == {"Ref": subnet}}
            assert used <= before
            [route] = routes_of(resources, subnet).values()
            assert route["Properties"]["DestinationCidrBlock"] == EVERYWHERE
            gateway = route["Properties"]["NatGatewayId"]["Ref"]
            public = resources[gateway]["Properties"]["SubnetId"]["Ref"]
            assert {gateway, public, *routes_of(resources, public)} <= before
        else:
            for service in ("lambda", "logs"):
                name, properties = endpoints(resources)[service]
                assert {"Ref": subnet} in properties["SubnetIds"]
                assert name in before
    assert endpoints(resources)["s3"][0] in before
    assert of_type(resources, "AWS::EC2::SecurityGroupIngress").keys() <= before


def test_the_capacity_provider_is_made_after_its_egress_and_removed_before_it(platform: Resources) -> None:
    assert_made_after_its_egress(platform)


@pytest.mark.parametrize("nat_gateways", [0, 1, 2, 3])
def test_every_number_of_nat_gateways_gives_every_zone_its_egress(
    make_platform: MakePlatform, nat_gateways: int
) -> None:
    resources = make_platform(changed(PROD, "network", nat_gateways=nat_gateways))
    gateways = of_type(resources, "AWS::EC2::NatGateway")
    assert len(gateways) == nat_gateways
    used = [
        route["Properties"]["NatGatewayId"]["Ref"]
        for subnet in private_subnets(resources)
        for route in routes_of(resources, subnet).values()
    ]
    assert set(used) == set(gateways)
    assert len(used) == (3 if nat_gateways else 0)
    assert_made_after_its_egress(resources)


def test_without_nat_gateways_there_are_endpoints_for_what_the_function_calls(
    environment: Environment, platform: Resources
) -> None:
    expected = {"s3"} if environment.network.nat_gateways else {"s3", "lambda", "logs"}
    found = endpoints(platform)
    assert found.keys() == expected
    for name in expected - {"s3"}:
        _, properties = found[name]
        assert properties["ServiceName"] == f"com.amazonaws.{environment.region}.{name}"
        assert properties["VpcEndpointType"] == "Interface"
        assert properties["PrivateDnsEnabled"] is True
        assert [subnet["Ref"] for subnet in properties["SubnetIds"]] == private_subnets(platform)


def test_the_way_to_s3_is_a_gateway_endpoint_in_every_private_subnets_routes(platform: Resources) -> None:
    _, properties = endpoints(platform)["s3"]
    assert properties["VpcEndpointType"] == "Gateway"
    tables = [table["Ref"] for table in properties["RouteTableIds"]]
    associations = of_type(platform, "AWS::EC2::SubnetRouteTableAssociation").values()
    for subnet in private_subnets(platform):
        [table] = [
            a["Properties"]["RouteTableId"]["Ref"] for a in associations if a["Properties"]["SubnetId"]["Ref"] == subnet
        ]
        assert table in tables


def test_endpoints_take_https_from_the_instances_and_from_nobody_else(
    environment: Environment, platform: Resources
) -> None:
    instances = instances_security_group(platform)
    rules = [rule["Properties"] for rule in of_type(platform, "AWS::EC2::SecurityGroupIngress").values()]
    guarded: list[str] = []
    for _, properties in endpoints(platform).values():
        for group in properties.get("SecurityGroupIds", []):
            name = group["Fn::GetAtt"][0]
            assert "SecurityGroupIngress" not in platform[name]["Properties"]
            [rule] = [rule for rule in rules if rule["GroupId"] == group]
            assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
            assert rule["SourceSecurityGroupId"]["Fn::GetAtt"][0] == instances
            guarded.append(name)
    assert len(guarded) == (0 if environment.network.nat_gateways else 2)
    assert len(rules) == len(set(guarded))
    for name in guarded:
        # What the CDK writes for "none": an address that nobody has.
        assert [rule["CidrIp"] for rule in platform[name]["Properties"]["SecurityGroupEgress"]] == [
            "255.255.255.255/32"
        ]


def test_nothing_gets_in_to_the_instances(platform: Resources) -> None:
    group = instances_security_group(platform)
    assert "SecurityGroupIngress" not in platform[group]["Properties"]
    for rule in of_type(platform, "AWS::EC2::SecurityGroupIngress").values():
        assert rule["Properties"]["GroupId"]["Fn::GetAtt"][0] != group


def test_nothing_but_https_gets_out_of_the_instances(platform: Resources) -> None:
    group = instances_security_group(platform)
    apart = [
        rule["Properties"]
        for rule in of_type(platform, "AWS::EC2::SecurityGroupEgress").values()
        if rule["Properties"]["GroupId"]["Fn::GetAtt"][0] == group
    ]
    inline = platform[group]["Properties"]["SecurityGroupEgress"]
    assert [rule["CidrIp"] for rule in inline] == [EVERYWHERE]
    for rule in [*inline, *apart]:
        assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)


def test_the_network_is_no_code_and_leaves_the_vpcs_default_security_group_to_aws(platform: Resources) -> None:
    assert not of_type(platform, "AWS::Lambda::Function")
    assert not [name for name, resource in platform.items() if resource["Type"].startswith("Custom::")]


def test_flow_logs_are_kept_where_the_environment_asks_for_them(environment: Environment, platform: Resources) -> None:
    logs = of_type(platform, "AWS::EC2::FlowLog").values()
    assert len(logs) == (1 if environment.network.flow_logs else 0)
    for log in logs:
        group = platform[log["Properties"]["LogGroupName"]["Ref"]]
        assert group["Properties"]["RetentionInDays"] == environment.function.log_retention_days
        assert log["Properties"]["TrafficType"] == "ALL"
        assert platform[log["Properties"]["ResourceId"]["Ref"]]["Type"] == "AWS::EC2::VPC"


def test_there_is_an_endpoint_for_each_service_that_functions_call(
    make_platform: Callable[..., Resources], environment: Environment
) -> None:
    called = {"billing": [service("sqs"), service("dynamodb")], "refunds": [service("sqs"), service("states")]}
    resources = make_platform(environment, called)
    found = endpoints(resources)
    assert found["dynamodb"][1].get("VpcEndpointType", "Gateway") == "Gateway"
    if environment.network.nat_gateways:
        assert found.keys() == {"s3", "dynamodb"}
    else:
        assert found.keys() == {"s3", "dynamodb", "lambda", "logs", "sqs", "states"}
        [provider] = of_type(resources, "AWS::Lambda::CapacityProvider")
        assert {name for name, _ in found.values()} <= made_before(resources, provider)


def test_what_no_endpoint_leads_to_is_refused_with_the_files_to_edit(make_platform: Callable[..., Resources]) -> None:
    called = {"billing": [service("scheduler")]}
    make_platform(changed(PROD, "network", nat_gateways=1), called)
    with pytest.raises(UsageError) as refused:
        make_platform(PROD, called)
    assert str(refused.value) == (
        "functions/billing/infrastructure.py: the function calls scheduler, for which no VPC endpoint is known, and "
        "environments/prod.toml has network.nat_gateways = 0; give it one or more there, or name the endpoint: "
        'SERVICES = {"scheduler": ("scheduler", "...")}'
    )
