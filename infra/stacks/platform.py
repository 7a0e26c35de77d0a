"""The platform stack, one per environment: what functions run on. Network, and capacity provider with its instances."""

from collections.abc import Iterable, Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra import naming
from infra.environment import Environment
from infra.naming import Output
from infra.policies.places import Resources
from infra.services import Service
from infra.settings import CapacityProvider
from infra.stacks.alone import resources_of
from infra.stacks.given_role import given_role
from infra.stacks.log_group import LogGroup
from infra.stacks.network import Network

LAMBDA = cast("iam.IPrincipal", iam.ServicePrincipal("lambda.amazonaws.com"))
ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class Platform(cdk.Stack):
    """The network and the capacity provider of one environment.

    Args:
        scope: the app.
        environment: which.
        synthesizer: how it gets there.
        services: what each function calls, by its folder.

    Raises:
        UsageError: a function calls what the network has no way to.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        synthesizer: cdk.IStackSynthesizer,
        services: Mapping[str, Iterable[Service]],
    ) -> None:
        self._zones = environment.network.zones
        super().__init__(
            scope,
            naming.platform_stack(environment),
            description=f"Network and capacity provider of the {environment.name} environment",
            env=cdk.Environment(account=environment.account, region=environment.region),
            synthesizer=synthesizer,
            termination_protection=environment.protection.termination_protection,
        )
        network = Network(self, environment, services)
        group = LogGroup(self, "CapacityProviderLogs", environment, environment.function.log_retention_days)
        role = given_role(self, "Operator", environment, naming.operator_role(environment))
        for generation in environment.capacity_providers:
            provider = self._capacity_provider(environment, generation, network, group, role)
            # Functions find their capacity provider here, and not by an export: one that is used can't be changed.
            ssm.StringParameter(
                self,
                f"CapacityProviderParameter{naming.of_generation(generation)}",
                parameter_name=naming.capacity_provider_parameter(environment, generation),
                string_value=provider.capacity_provider_arn,
                description=f"ARN of the capacity provider of the {environment.name} environment",
            )
            if generation == environment.capacity_provider.generation:
                cdk.CfnOutput(self, Output.CAPACITY_PROVIDER_ARN, value=provider.capacity_provider_arn)

    @property
    def availability_zones(self) -> list[str]:
        """The configured zones; the CDK would look them up with credentials."""
        return self._zones

    def _capacity_provider(
        self, environment: Environment, generation: int, network: Network, group: LogGroup, role: iam.IRole
    ) -> lambda_.CapacityProvider:
        settings = environment.capacity_providers[generation]
        types = [ec2.InstanceType(name) for name in settings.instance_types]
        provider = lambda_.CapacityProvider(
            self,
            f"CapacityProvider{naming.of_generation(generation)}",
            subnets=network.subnets,
            security_groups=[network.security_group],
            operator_role=role,
            log_group=group,
            system_log_level=lambda_.SystemLogLevel.INFO,
            architectures=[ARCHITECTURES[settings.architecture]],
            max_v_cpu_count=settings.maximum_vcpus,
            scaling_options=_scaling(settings),
            instance_type_filter=lambda_.InstanceTypeFilter.allow(types) if types else None,
            # On instances, their disks and network interfaces, so that a bill tells environments apart.
            propagate_tags=lambda_.PropagateTags.explicit(naming.tags(environment)),
        )
        # The CDK knows of no such dependency. Without it instances may start before they can checkpoint, and lose
        # their way out while executions still end.
        provider.node.add_dependency(*network.egress)
        return provider


def _scaling(settings: CapacityProvider) -> lambda_.ScalingOptions:
    if settings.scaling == "auto":
        return lambda_.ScalingOptions.auto()
    policy = lambda_.TargetTrackingScalingPolicy.cpu_utilization(settings.target_cpu_percent)
    return lambda_.ScalingOptions.manual([policy])


def resources(environment: Environment, services: Mapping[str, Iterable[Service]]) -> Resources:
    """Return the resources of an environment's platform, by synthesizing it alone.

    Raises:
        UsageError: a function calls what the network has no way to.
    """
    return resources_of(lambda app: Platform(app, environment, cdk.LegacyStackSynthesizer(), services))
