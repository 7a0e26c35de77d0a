"""The network of an environment: private subnets in each zone, and a way out for exactly what the function calls."""

import re
from collections.abc import Iterable, Mapping

from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IDependable

from infra.environment import Environment
from infra.errors import UsageError
from infra.services import ALWAYS, Service
from infra.stacks.log_group import LogGroup
from infra.stacks.names import name_short
from infra.stacks.suppress import suppress

HTTPS = ec2.Port.tcp(443)


class Network(Construct):
    """A VPC with private subnets, egress by NAT gateways or by VPC endpoints, and no ingress.

    Every function reaches Lambda, for its checkpoints, and CloudWatch Logs. Without a way to the first it can neither
    finish nor fail, so whatever starts it must depend on `egress`. Beside these there is a way to the services that
    functions call: without NAT gateways nothing else is reached, and a call of it hangs until it times out.
    """

    def __init__(self, scope: Construct, environment: Environment, services: Mapping[str, Iterable[Service]]) -> None:
        super().__init__(scope, "Network")
        self.vpc = self._vpc(environment)
        self.security_group = ec2.SecurityGroup(
            self, "Instances", vpc=self.vpc, description="Instances of the capacity provider", allow_all_outbound=False
        )
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS services and HTTPS endpoints")
        self.subnets = [*self.vpc.private_subnets, *self.vpc.isolated_subnets]
        self.egress = self._egress(environment, services)
        if environment.network.flow_logs:
            group = LogGroup(self, "FlowLogGroup", environment, environment.function.log_retention_days)
            log = self.vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group))
            name_short(log.node.find_child("IAMRole"), "FlowLogRole")

    def _vpc(self, environment: Environment) -> ec2.Vpc:
        network = environment.network
        private = ec2.SubnetType.PRIVATE_WITH_EGRESS if network.nat_gateways else ec2.SubnetType.PRIVATE_ISOLATED
        subnets = [ec2.SubnetConfiguration(name="Private", subnet_type=private)]
        if network.nat_gateways:
            # For the NAT gateways alone: nothing is launched there, so no address is given out on launch.
            public = ec2.SubnetType.PUBLIC
            subnets.append(
                ec2.SubnetConfiguration(name="Public", subnet_type=public, cidr_mask=28, map_public_ip_on_launch=False)
            )
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(network.cidr),
            availability_zones=network.zones,
            nat_gateways=network.nat_gateways,
            subnet_configuration=subnets,
            # Nothing uses that group. Emptying it takes a function, a role and a log group of the CDK's own.
            restrict_default_security_group=False,
        )
        for subnet in [*vpc.public_subnets, *vpc.private_subnets, *vpc.isolated_subnets]:
            suppress(subnet, {"W3010": "The zones are configured, so that synthesis needs no account"})
        return vpc

    def _egress(self, environment: Environment, services: Mapping[str, Iterable[Service]]) -> list[IDependable]:
        called = {each for calls in services.values() for each in calls}
        gateways = {each.endpoint for each in called if each.endpoint and each.is_gateway} | {"s3"}
        ways: list[IDependable] = [self._gateway(name) for name in sorted(gateways)]
        if environment.network.nat_gateways:
            return [*ways, *(subnet.internet_connectivity_established for subnet in self.subnets)]
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, description="VPC endpoints", allow_all_outbound=False
        )
        group.add_ingress_rule(self.security_group, HTTPS, "Instances of the capacity provider")
        _check_reachable(environment, services)
        names = {each.endpoint for each in (*ALWAYS, *called) if each.endpoint and not each.is_gateway}
        return [*ways, group, *(self._interface(name, group) for name in sorted(names))]

    def _gateway(self, name: str) -> ec2.GatewayVpcEndpoint:
        return self.vpc.add_gateway_endpoint(_logical_id(name), service=ec2.GatewayVpcEndpointAwsService(name))

    def _interface(self, name: str, group: ec2.SecurityGroup) -> ec2.InterfaceVpcEndpoint:
        service = ec2.InterfaceVpcEndpointAwsService(name)
        return ec2.InterfaceVpcEndpoint(
            self, _logical_id(name), vpc=self.vpc, service=service, security_groups=[group], open=False
        )


def _check_reachable(environment: Environment, services: Mapping[str, Iterable[Service]]) -> None:
    """Refuse what a function calls and no endpoint leads to."""
    for function, calls in services.items():
        for each in calls:
            if each.endpoint is None:
                raise UsageError(
                    f"functions/{function}/infrastructure.py: the function calls {each.prefix}, for which no VPC "
                    f"endpoint is known, and environments/{environment.name}.toml has network.nat_gateways = 0; give "
                    f"it one or more there, or name the endpoint: "
                    f'SERVICES = {{"{each.prefix}": ("{next(iter(each.clients), each.prefix)}", "...")}}'
                )


def _logical_id(endpoint: str) -> str:
    return "".join(word.capitalize() for word in re.split("[.-]", endpoint))
