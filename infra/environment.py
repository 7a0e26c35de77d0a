"""The typed reading of environments/: one file per environment, held against the others before anything runs."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field

from infra import ROOT, capacity, functions, limits
from infra import project as projects
from infra.capacity import Capacity
from infra.project import LOCAL, Project
from infra.settings import (
    CapacityProvider,
    CurrentCapacityProvider,
    Durable,
    Function,
    Network,
    Protection,
    Settings,
    timeout_problems,
)
from infra.toml import FileError, Table, read, wrong

Json = dict[str, Any]

# Names and endpoints of other partitions differ, and the policies here are written for this one.
_AWS_REGION = next(
    str(partition["regionRegex"]).replace(r"\d", "[0-9]").replace(r"\w", "[a-z]")
    for partition in json.loads((files("botocore") / "data" / "partitions.json").read_text())["partitions"]
    if partition["id"] == "aws"
)


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
    preview_idle_hours: Annotated[
        int,
        Field(
            ge=0,
            le=168,
            description="1 to 168 hours after which a preview on which nothing happens is put to sleep; 0 for never, "
            "and where there are no previews",
        ),
    ]
    network: Network
    capacity_provider: CurrentCapacityProvider
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
    retiring: Annotated[
        dict[str, CapacityProvider],
        Field(
            default_factory=dict,
            description="a table for each earlier generation of the capacity provider that versions are on, with the "
            "keys that [capacity_provider] had",
        ),
    ]

    @property
    def hosts_previews(self) -> bool:
        """Whether this is a platform for the previews of pull requests."""
        return self.preview_days > 0

    @property
    def capacity_providers(self) -> dict[int, CapacityProvider]:
        """The capacity providers that there are, by their generations: the one for new versions, and those before."""
        before = {int(generation): settings for generation, settings in self.retiring.items()}
        return {self.capacity_provider.generation: self.capacity_provider, **before}

    def settings(self, function: str) -> Settings:
        """Return what a function has, also one that is not there any more."""
        everything = Settings(**dict(self.function), durable=self.durable)
        return self.functions.get(function, everything)

    def _problems(self) -> Iterator[str]:
        for zone in self.network.zones:
            if not re.fullmatch(f"{self.region}[a-z]", zone):
                yield wrong("network.zones", zone, f"must be a zone of {self.region}, such as {self.region}a")
        if self.preview_idle_hours and not self.hosts_previews:
            yield wrong("preview_idle_hours", self.preview_idle_hours, "must be 0, as preview_days is")
        yield from timeout_problems(self.function, self.durable)
        for name in self.functions.keys() - {*self.function_names}:
            known = ", ".join(self.function_names)
            yield wrong("functions", name, f"must be the name of a folder in functions/ with a handler.py: {known}")
        earlier = [*map(str, range(1, self.capacity_provider.generation))]
        for generation in self.retiring.keys() - {*earlier}:
            known = f"one of {', '.join(earlier)}" if earlier else "and there is none yet"
            yield wrong("retiring", generation, f"must be one before capacity_provider.generation, {known}")
        yield from self._capacity_problems()

    @property
    def capacity(self) -> Capacity:
        """What its functions take of the capacity provider; of an environment that hosts previews, those of one."""
        return capacity.count(
            self.capacity_provider, len(self.network.zones), {name: self.settings(name) for name in self.function_names}
        )

    @property
    def room_for_previews(self) -> int:
        """How many previews may be awake at once, while one of them is deployed."""
        return self.capacity.previews(self.capacity_provider.maximum_vcpus)

    def _capacity_problems(self) -> Iterator[str]:
        provider = self.capacity_provider
        unfit = [name for name in self.function_names if capacity.unfit(provider, self.settings(name))]
        for name in unfit:
            yield wrong(
                "capacity_provider.instance_types",
                provider.instance_types,
                f"must have a type on which an execution environment of {name} fits, which has "
                f"{self.settings(name).vcpus:g} vCPU and {self.settings(name).memory_mb / 1024:g} GiB: each instance "
                f"keeps {limits.SYSTEM_VCPUS} vCPU and {limits.SYSTEM_GIB} GiB for itself",
            )
        if not unfit and self.capacity.needed_vcpus > provider.maximum_vcpus:
            yield self._too_few_vcpus(self.capacity)

    def _too_few_vcpus(self, needed: Capacity) -> str:
        counted = "; ".join(
            f"{name}: {each.count} of {each.vcpus} vCPUs for {self.settings(name).maximum_environments} environments, "
            f"{each.each_holds} on each"
            for name, each in needed.of_functions.items()
        )
        return wrong(
            "capacity_provider.maximum_vcpus",
            self.capacity_provider.maximum_vcpus,
            f"must be at least {needed.needed_vcpus}{' for one preview' if self.hosts_previews else ''}, or less be "
            "asked for, by maximum_environments: each version has instances of its own, and during a deployment each "
            f"function has two ({counted}); {capacity.HEADROOM} instances more are headroom",
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
    everything: Json = {**cast("Json", shared), "durable": durable}
    merged = {name: _merged(everything, own) for name, own in cast("Json", differing).items()}
    return values | {"functions": merged}


def _merged(shared: Json, own: Any) -> Any:
    """Return a table with what differs; of what is no table, nothing is made."""
    if not isinstance(own, dict):
        return own
    differing = cast("Json", own)
    tables = {key for key, value in shared.items() if isinstance(value, dict)} & differing.keys()
    return shared | differing | {key: _merged(shared[key], differing[key]) for key in tables}


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
