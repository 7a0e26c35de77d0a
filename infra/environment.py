"""The typed reading of environments/: one file per environment, every value in it, each checked before anything runs.

Checked here are also the limits of Managed Instances that neither the CDK nor CloudFormation knows before a deployment
fails on them.
"""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from infra import ROOT, functions, limits
from infra import project as projects
from infra.limits import Limit
from infra.project import LOCAL, Project
from infra.toml import FileError, Table, read, wrong

Json = dict[str, Any]

# The addresses that AWS recommends for a VPC (VPC User Guide, VPC CIDR blocks): those of RFC 1918.
PRIVATE_ADDRESSES = [IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]

# Names and endpoints of other partitions differ, and the policies here are written for this one.
_AWS_REGION = next(
    str(partition["regionRegex"]).replace(r"\d", "[0-9]").replace(r"\w", "[a-z]")
    for partition in json.loads((files("botocore") / "data" / "partitions.json").read_text())["partitions"]
    if partition["id"] == "aws"
)


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
        yield from _timeout_problems(self, self.durable)


class Protection(Table):
    """What a mistake may not remove."""

    termination_protection: Annotated[bool, Field(description="true or false")]
    removal_policy: Annotated[
        Literal["destroy", "retain"], Field(description="destroy or retain, for what holds data: the log groups")
    ]


class Environment(Table):
    """One environment: an account, a region, and all in which it differs from the others.

    Args:
        name: its name, which is that of its file.
        project: what it is an environment of.
        function_names: the functions that there are, by their folders.
        function: what all functions have.
        durable: what all functions have.
        functions: what those have that differ.
    """

    name: projects.EnvironmentName
    project: Project
    function_names: tuple[str, ...]
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$", description="an AWS account id: 12 digits, as a string")]
    region: Annotated[str, Field(pattern=_AWS_REGION, description="a region of the partition aws, such as eu-west-1")]
    preview_days: Annotated[
        int,
        Field(
            ge=0,
            le=90,
            description="1 to 90 days that a preview lasts, on the platform that runs the functions of each pull "
            "request and none of its own; 0 for one that hosts no previews",
        ),
    ]
    network: Network
    capacity_provider: CapacityProvider
    function: Function
    durable: Durable
    protection: Protection
    functions: Annotated[
        dict[str, Settings],
        Field(
            default_factory=dict,
            description="a table for each function that differs, with the keys of [function] that do",
        ),
    ]

    @property
    def hosts_previews(self) -> bool:
        """Whether this is a platform for the previews of pull requests."""
        return self.preview_days > 0

    def settings(self, function: str) -> Settings:
        """Return what a function has, also one that is not there any more."""
        everything = Settings(**dict(self.function), durable=self.durable)
        return self.functions.get(function, everything)

    def _problems(self) -> Iterator[str]:
        for zone in self.network.zones:
            if not re.fullmatch(f"{self.region}[a-z]", zone):
                yield wrong("network.zones", zone, f"must be a zone of {self.region}, such as {self.region}a")
        yield from _timeout_problems(self.function, self.durable)
        for name in self.functions.keys() - {*self.function_names}:
            known = ", ".join(self.function_names)
            yield wrong("functions", name, f"must be the name of a folder in functions/ with a handler.py: {known}")
        yield from self._capacity_problems()

    def _capacity_problems(self) -> Iterator[str]:
        everything = {name: self.settings(name) for name in self.function_names}
        # In the worst case each environment has an instance to itself, so it costs what that keeps as well.
        needed = sum(
            (2 * each.maximum_environments + each.retained_versions) * (each.vcpus + limits.SYSTEM_VCPUS)
            for each in everything.values()
        )
        if needed > self.capacity_provider.maximum_vcpus:
            counted = "; ".join(
                f"{name}: {each.maximum_environments} of {each.vcpus:g} vCPU, and {each.retained_versions} retained"
                for name, each in everything.items()
            )
            yield wrong(
                "capacity_provider.maximum_vcpus",
                self.capacity_provider.maximum_vcpus,
                f"must be at least {needed:.0f}: during a deployment two versions of each function run side by side, "
                "each with up to maximum_environments, beside its retained versions with one each, and each instance "
                f"keeps {limits.SYSTEM_VCPUS} vCPU for itself ({counted})",
            )


def names(root: Path = ROOT) -> list[str]:
    """Return the names of all environments.

    Raises:
        FileError: project.toml is wrong.
    """
    return [*projects.load(root).environments, LOCAL]


def load(name: str, root: Path = ROOT) -> Environment:
    """Read one environment, and hold it against the others.

    Raises:
        FileError: there is no such environment, the file of any is wrong, or two exclude each other.
    """
    everything = load_all(root)
    if name not in everything:
        raise FileError(f"environment {name!r}: there is none of this name; there are {', '.join(everything)}")
    return everything[name]


def load_all(root: Path = ROOT) -> dict[str, Environment]:
    """Read all environments by their names, in the order of project.toml.

    Raises:
        FileError: the file of any is wrong, or two exclude each other.
    """
    project = projects.load(root)
    _check_files(project)
    found = {name: _read(name, project) for name in (*project.environments, LOCAL)}
    _check_together(project, found)
    return found


def _read(name: str, project: Project) -> Environment:
    given = {"name": name, "project": project, "function_names": functions.names(project.root)}
    return read(project.root / "environments" / f"{name}.toml", Environment, _with_functions, **given)


def _with_functions(values: Json) -> Json:
    """Return the values of a file, where each function that differs has all that it has."""
    shared, durable, differing = (values.get(key) for key in ("function", "durable", "functions"))
    if not (isinstance(shared, dict) and isinstance(durable, dict) and isinstance(differing, dict)):
        # What is wrong is said when it is checked.
        return values
    everything = cast("Json", shared) | {"durable": durable}
    merged = {name: _merged(everything, own) for name, own in cast("Json", differing).items()}
    return values | {"functions": merged}


def _merged(shared: Json, own: Any) -> Any:
    """Return a table with what differs; of what is no table, nothing is made."""
    if not isinstance(own, dict):
        return own
    nested = {key: _merged(value, own[key]) for key, value in shared.items() if isinstance(value, dict) and key in own}
    return shared | cast("Json", own) | nested


def _check_files(project: Project) -> None:
    """See that project.toml and environments/ name the same."""
    expected = {*project.environments, LOCAL}
    found = {path.stem for path in (project.root / "environments").glob("*.toml")}
    problems = [
        *(
            f"environments/{name}.toml: project.toml names it nowhere, so no workflow would deploy it; add it to "
            "promote there, or remove the file"
            for name in sorted(found - expected)
        ),
        *(f"environments/{name}.toml: there is no such file, and project.toml names it" for name in expected - found),
    ]
    if problems:
        raise FileError("\n".join(problems))


def _check_together(project: Project, found: dict[str, Environment]) -> None:
    """See that environments do not exclude each other."""
    problems = [
        f"environments/{each.name}.toml: preview_days = {each.preview_days}: must be "
        + ("1 or more, since previews" if each.name == project.previews else "0, since promote or `make run`")
        + f" in project.toml means {each.name}"
        for each in found.values()
        if each.hosts_previews != (each.name == project.previews)
    ]
    for one, other in combinations((each for each in found.values() if each.name != LOCAL), 2):
        if IPv4Network(one.network.cidr).overlaps(IPv4Network(other.network.cidr)):
            problems.append(
                f"environments/{other.name}.toml: network.cidr = {other.network.cidr!r}: overlaps that of {one.name}, "
                f"{one.network.cidr!r}; networks that overlap can never be connected"
            )
    if problems:
        raise FileError("\n".join(problems))


def _timeout_problems(function: Function, durable: Durable) -> Iterator[str]:
    if durable.execution_timeout_seconds < function.timeout_seconds:
        yield wrong(
            "durable.execution_timeout_seconds",
            durable.execution_timeout_seconds,
            f"must be at least timeout_seconds = {function.timeout_seconds}, which one invocation of it may take",
        )
