"""How many instances versions take, counted from an environment's file. Each version has instances of its own.

The sizes of types are those of EC2's families C, M and R, which Lambda takes (Developer Guide, Managed Instances).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from infra import limits

if TYPE_CHECKING:
    from infra.settings import CapacityProvider, Function

# Instances beyond those counted: while some are replaced, and where traffic is not spread evenly.
HEADROOM = 2

_GIB_PER_VCPU = {"c": 2.0, "m": 4.0, "r": 8.0}
_LARGEST = 256


@dataclass(frozen=True)
class Instances:
    """The instances of one version.

    Args:
        count: how many they are.
        vcpus: those of each.
        each_holds: how many execution environments fit on one.
    """

    count: int
    vcpus: int
    each_holds: int


@dataclass(frozen=True)
class Capacity:
    """What the functions of an environment, or of one preview, take of a capacity provider.

    Args:
        of_functions: the instances of one version of each, by its folder, with as many environments as it may have.
        headroom_vcpus: those of the instances beyond them.
    """

    of_functions: Mapping[str, Instances]
    headroom_vcpus: int

    @property
    def of_one_version_each(self) -> int:
        """The vCPUs that one version of each function may take."""
        return sum(each.count * each.vcpus for each in self.of_functions.values())

    @property
    def needed_vcpus(self) -> int:
        """The vCPUs without which a deployment may not succeed, for then each function has two versions."""
        return 2 * self.of_one_version_each + self.headroom_vcpus

    def previews(self, maximum_vcpus: int) -> int:
        """Return how many previews like this one fit on a capacity provider, while one of them is deployed."""
        of_one = self.of_one_version_each
        return (maximum_vcpus - self.headroom_vcpus - of_one) // of_one if of_one else 0


def count(provider: "CapacityProvider", zones: int, functions: "Mapping[str, Function]") -> Capacity:
    """Count what functions take; each fits on an instance (see `unfit`)."""
    found = {name: instances(provider, zones, each, each.maximum_environments) for name, each in functions.items()}
    return Capacity(found, HEADROOM * max((each.vcpus for each in found.values()), default=0))


def instances(provider: "CapacityProvider", zones: int, function: "Function", environments: int) -> Instances:
    """Return the instances that a version may take for a number of execution environments.

    Of several types that may be it is the one that takes most vCPUs. Lambda spreads the least number of environments
    over the zones, whether or not they would fit on one instance.
    """
    spread = min(function.minimum_environments, environments, zones)
    found = [
        Instances(max(ceil(environments / holds), spread), vcpus, holds)
        for vcpus, holds in _that_hold(provider, function)
    ]
    return max(found, key=lambda each: (each.count * each.vcpus, each.vcpus))


def unfit(provider: "CapacityProvider", function: "Function") -> bool:
    """Tell whether no instance that the capacity provider may have holds an execution environment of a function."""
    return not _that_hold(provider, function)


def _that_hold(provider: "CapacityProvider", function: "Function") -> list[tuple[int, int]]:
    """Return the sizes of instances, in vCPUs, that hold an execution environment, and how many each holds."""
    found: list[tuple[int, int]] = []
    for name in provider.instance_types or ["*.*"]:
        gib_per_vcpu = _GIB_PER_VCPU.get(name[0], function.memory_gib_per_vcpu)
        sizes = [known] if (known := vcpus(name)) else _lambdas_choice()
        holding = [(size, held) for size in sizes if (held := _holds(size, gib_per_vcpu, function))]
        found += holding[:1]
    return found


def _lambdas_choice() -> list[int]:
    """Return the sizes among which Lambda chooses the first that is large enough."""
    sizes = [limits.CHOSEN_INSTANCE_VCPUS]
    while sizes[-1] < _LARGEST:
        sizes.append(2 * sizes[-1])
    return sizes


def _holds(size: int, gib_per_vcpu: float, function: "Function") -> int:
    by_vcpus = (size - limits.SYSTEM_VCPUS) / function.vcpus
    by_memory = (size * gib_per_vcpu - limits.SYSTEM_GIB) / (function.memory_mb / 1024)
    return int(min(by_vcpus, by_memory))


def vcpus(instance_type: str) -> int | None:
    """Return the vCPUs of a type, or None where a wildcard hides them.

    Raises:
        ValueError: its size is none that Lambda takes, or says nothing of them.
    """
    family, _, size = instance_type.partition(".")
    if "*" in size:
        return None
    if size == "large" and family[0] != "c":
        return 2
    if match := re.fullmatch(r"([1-9][0-9]*)?xlarge|metal-([1-9][0-9]*)xl", size):
        return 4 * int(match[1] or match[2] or 1)
    raise ValueError(instance_type)
