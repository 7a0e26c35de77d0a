"""The limits are those that botocore's model of Lambda's API knows, wherever it knows them."""

import subprocess
import sys
from functools import cache
from typing import Any

import botocore.loaders
import pytest

from infra import ROOT, limits
from infra.limits import Limit


@cache
def shapes() -> dict[str, Any]:
    return botocore.loaders.Loader().load_service_model("lambda", "service-2")["shapes"]


@pytest.mark.parametrize(
    ("limit", "shape"),
    [
        (limits.TIMEOUT_SECONDS, "Timeout"),
        (limits.MEMORY_GIB_PER_VCPU, "ExecutionEnvironmentMemoryGiBPerVCpu"),
        (limits.CONCURRENCY, "PerExecutionEnvironmentMaxConcurrency"),
        (limits.ENVIRONMENTS, "FunctionScalingConfigExecutionEnvironments"),
        (limits.TARGET_CPU_PERCENT, "MetricTargetValue"),
        (limits.EXECUTION_TIMEOUT_SECONDS, "ExecutionTimeout"),
        (limits.RETENTION_DAYS, "RetentionPeriodInDays"),
    ],
)
def test_a_limit_of_the_api_is_what_the_api_s_model_says(limit: Limit[int], shape: str) -> None:
    assert (shapes()[shape]["min"], shapes()[shape]["max"]) == limit[:2]


@pytest.mark.parametrize(
    ("limit", "shape"),
    [(limits.MEMORY_MB, "MemorySize"), (limits.CAPACITY_PROVIDER_VCPUS, "CapacityProviderMaxVCpuCount")],
)
def test_managed_instances_and_the_cdk_take_no_more_than_the_api(limit: Limit[int], shape: str) -> None:
    assert shapes()[shape]["min"] <= limit.least
    assert limit.most == shapes()[shape]["max"]


def test_an_instance_type_is_as_long_as_the_api_s_model_says() -> None:
    assert shapes()["InstanceType"]["max"] == limits.INSTANCE_TYPE_CHARACTERS


def test_a_page_of_capacity_providers_has_the_most_that_the_api_s_model_allows() -> None:
    assert shapes()["MaxFiftyListItems"]["max"] == limits.CAPACITY_PROVIDERS_PAGE


@pytest.mark.parametrize("module", ["limits", "execution_arn"])
def test_every_interpreter_can_read_it(module: str) -> None:
    # Isolated and without site-packages, as no interpreter of this project is.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import infra.{module}"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
