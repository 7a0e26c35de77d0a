"""The count of instances, against numbers that follow from AWS's sizes: a half of a small instance is its system's."""

import pytest

from infra import capacity
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, environment

THREE_ZONES = {"zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]}


@pytest.mark.parametrize(
    ("instance_type", "vcpus"),
    [
        ("m7g.large", 2),
        ("r8g.large", 2),
        ("*.large", 2),
        ("c7g.xlarge", 4),
        ("m7g.2xlarge", 8),
        ("c6gn.16xlarge", 64),
        ("r8gd.metal-24xl", 96),
        ("m8g.*", None),
        ("m8g.*xlarge", None),
    ],
)
def test_a_type_s_name_tells_its_vcpus(instance_type: str, vcpus: int | None) -> None:
    assert capacity.vcpus(instance_type) == vcpus


@pytest.mark.parametrize(
    ("types", "memory_mb", "ratio", "expected"),
    [
        # What Lambda takes by itself holds three environments of one vCPU.
        ([], 4096, 4.0, (2, 4, 3)),
        # Larger ones where an environment would not fit.
        ([], 16384, 4.0, (4, 8, 1)),
        (["m7g.large"], 4096, 4.0, (4, 2, 1)),
        # The memory decides: 15 GiB of 16 are left, and 31 of 32.
        (["m7g.xlarge"], 8192, 8.0, (4, 4, 1)),
        (["r7g.xlarge"], 8192, 8.0, (2, 4, 3)),
        # The type that takes most counts, of those on which an environment fits.
        (["c7g.xlarge", "m7g.large"], 4096, 4.0, (4, 4, 1)),
        (["m7g.large", "m7g.xlarge"], 8192, 4.0, (4, 4, 1)),
        (["m7g.large", "m7g.16xlarge"], 4096, 4.0, (1, 64, 63)),
        (["m7g.*"], 4096, 4.0, (2, 4, 3)),
    ],
)
def test_instances_are_counted_by_what_fits_on_one(
    types: list[str], memory_mb: int, ratio: float, expected: tuple[int, int, int]
) -> None:
    function = {"memory_mb": memory_mb, "memory_gib_per_vcpu": ratio, "minimum_environments": 1}
    found = environment(function=function, capacity_provider={"instance_types": types, "maximum_vcpus": 15_000})
    [counted] = found.capacity.of_functions.values()
    assert (counted.count, counted.vcpus, counted.each_holds) == expected


def test_the_least_environments_are_spread_over_the_zones() -> None:
    found = environment(network=THREE_ZONES, function={"maximum_environments": 3})
    assert found.capacity.of_functions["billing"].count == 3


def test_a_deployment_takes_two_versions_of_each_function_and_headroom() -> None:
    assert DEV.capacity.of_functions["billing"].count == 2
    assert DEV.capacity.needed_vcpus == 2 * 8 + 2 * 4
    assert DEV_OF_TWO.capacity.needed_vcpus == 2 * 16 + 2 * 4


@pytest.mark.parametrize(("maximum_vcpus", "previews"), [(23, 0), (24, 1), (31, 1), (32, 2), (64, 6)])
def test_previews_fit_while_one_of_them_is_deployed(maximum_vcpus: int, previews: int) -> None:
    assert DEV.capacity.previews(maximum_vcpus) == previews


def test_a_function_that_is_deactivated_takes_nothing() -> None:
    found = environment(function={"minimum_environments": 0, "maximum_environments": 0})
    assert (found.capacity.needed_vcpus, found.capacity.previews(100)) == (8, 0)
