"""The tables of an environment's file: every value in it, each checked before anything runs.

Checked here are also the limits of Managed Instances that neither the CDK nor CloudFormation knows before a deployment
fails on them.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import Field

from infra import capacity, limits
from infra.limits import Limit
from infra.toml import Table, wrong

# The addresses that AWS recommends for a VPC (VPC User Guide, VPC CIDR blocks): those of RFC 1918.
PRIVATE_ADDRESSES = [IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def _within(limit: "Limit[int] | Limit[float]", unit: str) -> Any:
    """Return the field of a number that AWS limits."""
    return Field(ge=limit.least, le=limit.most, description=f"{limit.least} to {limit.most} {unit} ({limit.source})")


class Network(Table):
    """The VPC in which the instances run."""

    cidr: Annotated[str, Field(description="a private IPv4 network from /16 to /24 (VPC User Guide, VPC CIDR blocks)")]
    zones: Annotated[
        list[str],
        Field(
            min_length=1,
            max_length=6,
            description="1 to 6 different availability zones of the region, such as eu-west-1a",
        ),
    ]
    nat_gateways: Annotated[
        int,
        Field(ge=0, le=6, description="0, which means VPC endpoints instead, or as many as there are zones at most"),
    ]
    flow_logs: Annotated[bool, Field(description="true or false")]

    def _problems(self) -> Iterator[str]:
        if rule := self._rule_of_cidr():
            yield wrong("cidr", self.cidr, rule)
        if len(set(self.zones)) != len(self.zones):
            yield wrong("zones", self.zones, "must differ from each other")
        if self.nat_gateways > len(self.zones):
            yield wrong("nat_gateways", self.nat_gateways, f"must be at most the number of zones, {len(self.zones)}")

    def _rule_of_cidr(self) -> str | None:
        """Return the rule that the CIDR breaks, if any."""
        try:
            network = IPv4Network(self.cidr)
        except ValueError as error:
            return f"must be a private IPv4 network such as 10.0.0.0/16: {error}"
        if not any(map(network.subnet_of, PRIVATE_ADDRESSES)) or network.prefixlen not in range(16, 25):
            return "must be private and from /16 to /24 (VPC User Guide, VPC CIDR blocks)"
        # Python reads netmasks as well, which neither the CDK nor AWS does.
        return None if self.cidr == str(network) else f"must be written as {network}"


class CapacityProvider(Table):
    """The instances that Lambda runs the function on."""

    architecture: Annotated[Literal["arm64", "x86_64"], Field(description="arm64 or x86_64, for the function as well")]
    maximum_vcpus: Annotated[int, _within(limits.CAPACITY_PROVIDER_VCPUS, "vCPUs")]
    scaling: Annotated[
        Literal["auto", "manual"],
        Field(description="auto, or manual with a target_cpu_percent (Lambda API, ScalingMode)"),
    ]
    target_cpu_percent: Annotated[
        int, _within(limits.TARGET_CPU_PERCENT, "percent, 0 with auto scaling, 1 to 100 with manual")
    ]
    instance_types: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z0-9*-]+\.[a-z0-9*-]+$", max_length=limits.INSTANCE_TYPE_CHARACTERS)]],
        Field(
            description="instance types such as m8g.large or m8g.*, or [] to leave the choice to Lambda, as AWS "
            "recommends (Lambda API, AllowedInstanceTypes)",
        ),
    ]

    def _problems(self) -> Iterator[str]:
        if (self.scaling == "manual") != (self.target_cpu_percent > 0):
            yield wrong(
                "target_cpu_percent", self.target_cpu_percent, "must be 0 with auto scaling and 1 to 100 with manual"
            )
        for name in self.instance_types:
            # A "g" after the generation means Graviton (EC2 User Guide, instance type names). Where a wildcard hides
            # it, only Lambda can tell.
            family = re.match(r"[a-z]+[0-9]+(g?)[a-z0-9-]*\.", name)
            if family and bool(family[1]) != (self.architecture == "arm64"):
                yield wrong("instance_types", name, f"must be of the architecture {self.architecture}")
            try:
                capacity.vcpus(name)
            except ValueError:
                yield wrong(
                    "instance_types",
                    name,
                    "must be of a size that Lambda takes and that tells its vCPUs: large (but for C), xlarge, 2xlarge, "
                    "..., metal-24xl (Developer Guide, Managed Instances)",
                )


class CurrentCapacityProvider(CapacityProvider):
    """The instances that Lambda runs new versions on."""

    generation: Annotated[
        int,
        Field(
            default=1,
            ge=1,
            description="1 or more: with the next, another capacity provider takes new versions, and the one before "
            "moves to a table [retiring.N] until no version is on it",
        ),
    ]


class Function(Table):
    """The durable function and its execution environments."""

    runtime: Annotated[
        Literal["python3.13", "python3.14"],
        Field(description="python3.13 or python3.14 (Developer Guide, Managed Instances runtimes: 3.13 and later)"),
    ]
    memory_mb: Annotated[int, _within(limits.MEMORY_MB, "MB")]
    memory_gib_per_vcpu: Annotated[float, _within(limits.MEMORY_GIB_PER_VCPU, "GiB")]
    concurrency: Annotated[int, _within(limits.CONCURRENCY, "worker processes")]
    timeout_seconds: Annotated[int, _within(limits.TIMEOUT_SECONDS, "s for one invocation")]
    minimum_environments: Annotated[int, _within(limits.ENVIRONMENTS, "execution environments")]
    maximum_environments: Annotated[int, _within(limits.ENVIRONMENTS, "execution environments")]
    retained_versions: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            description="0 to 20 versions besides the live one that pruning leaves, newest first, to go back to",
        ),
    ]
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARN", "ERROR"],
        Field(description="DEBUG, INFO, WARN or ERROR (Lambda API, LoggingConfig)"),
    ]
    log_retention_days: Annotated[
        int, Field(description=f"days, one of {limits.LOG_RETENTION_DAYS} (CloudWatch Logs API, PutRetentionPolicy)")
    ]

    @property
    def vcpus(self) -> float:
        """The vCPUs of one execution environment."""
        return self.memory_mb / 1024 / self.memory_gib_per_vcpu

    def _problems(self) -> Iterator[str]:
        if self.vcpus < 1:
            needed = int(self.memory_gib_per_vcpu * 1024)
            yield wrong(
                "memory_mb",
                self.memory_mb,
                f"must be at least memory_gib_per_vcpu x 1024 = {needed} MB, so that an execution environment has one "
                "vCPU (Developer Guide, Managed Instances scaling)",
            )
        workers = limits.WORKERS_PER_VCPU
        if self.concurrency > workers.most * self.vcpus:
            yield wrong(
                "concurrency",
                self.concurrency,
                f"must be at most {workers.most} per vCPU, here {int(workers.most * self.vcpus)} ({workers.source})",
            )
        if self.log_retention_days not in limits.LOG_RETENTION_DAYS:
            # An integer that is checked here, and not a Literal, which takes true for 1.
            yield wrong(
                "log_retention_days",
                self.log_retention_days,
                f"must be one of {limits.LOG_RETENTION_DAYS} (CloudWatch Logs API, PutRetentionPolicy)",
            )
        least, most = self.minimum_environments, self.maximum_environments
        if least > most or (least == 0) != (most == 0):
            yield wrong(
                "minimum_environments",
                least,
                f"must be 1 to maximum_environments = {most}, or both 0, which deactivates the function "
                "(Developer Guide, Managed Instances scaling)",
            )


class Durable(Table):
    """How long a durable execution may last, and is remembered."""

    execution_timeout_seconds: Annotated[int, _within(limits.EXECUTION_TIMEOUT_SECONDS, "s")]
    retention_days: Annotated[int, _within(limits.RETENTION_DAYS, "days")]


class Settings(Function):
    """What one function has in an environment: what stands for all, and what differs."""

    durable: Durable

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        yield from timeout_problems(self, self.durable)


class Protection(Table):
    """What a mistake may not remove."""

    termination_protection: Annotated[bool, Field(description="true or false")]
    removal_policy: Annotated[
        Literal["destroy", "retain"], Field(description="destroy or retain, for what holds data: the log groups")
    ]


def timeout_problems(function: Function, durable: Durable) -> Iterator[str]:
    """Yield what is wrong with how long an execution and one invocation of it may take."""
    if durable.execution_timeout_seconds < function.timeout_seconds:
        yield wrong(
            "durable.execution_timeout_seconds",
            durable.execution_timeout_seconds,
            f"must be at least timeout_seconds = {function.timeout_seconds}, which one invocation of it may take",
        )
