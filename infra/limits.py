"""AWS's limits, each with its source: the one place for them.

The local AWS's own interpreter reads this too, so it needs nothing but the standard library. Limits that the local AWS
alone enforces stand here as well, so that it and the checks before a deployment can't differ.
"""

from typing import Generic, NamedTuple, TypeVar

Number = TypeVar("Number", int, float)


class Limit(NamedTuple, Generic[Number]):
    """The least and the most that AWS takes, in the unit that the limit's name says, and where AWS says so."""

    least: Number
    most: Number
    source: str


# One invocation of a function. Its timeout on Managed Instances is longer than elsewhere.
TIMEOUT_SECONDS = Limit(1, 5400, "Lambda API, Timeout on Managed Instances")
MEMORY_MB = Limit(2048, 32768, "Developer Guide, Managed Instances scaling")
MEMORY_GIB_PER_VCPU = Limit(2.0, 8.0, "Lambda API, ExecutionEnvironmentMemoryGiBPerVCpu")

# Execution environments.
CONCURRENCY = Limit(1, 1600, "Lambda API, PerExecutionEnvironmentMaxConcurrency")
WORKERS_PER_VCPU = Limit(1, 16, "Developer Guide, Managed Instances Python runtime")
FILE_DESCRIPTORS = 4096  # Lambda quotas, Managed Instances
ENVIRONMENTS = Limit(0, 15_000, "Lambda API, FunctionScalingConfig")
# What a version has where nobody asked for anything else (Developer Guide, Managed Instances scaling).
DEFAULT_LEAST_ENVIRONMENTS = 3

# A capacity provider.
CAPACITY_PROVIDER_VCPUS = Limit(12, 15_000, "CDK CapacityProvider; Lambda quotas")
# Of all functions. AWS does not raise it (Developer Guide, quotas of Managed Instances).
CAPACITY_PROVIDER_VERSIONS = 100
TARGET_CPU_PERCENT = Limit(0, 100, "Lambda API, TargetValue")
INSTANCE_TYPE_CHARACTERS = 30  # Lambda API, InstanceType
# What an instance keeps for its own system (AWS serverless skill, Managed Instances).
SYSTEM_VCPUS = 1
SYSTEM_GIB = 1
# What Lambda takes where no type is named: measured, and documented nowhere.
CHOSEN_INSTANCE_VCPUS = 4

# Durable executions.
EXECUTION_TIMEOUT_SECONDS = Limit(1, 31_622_400, "Lambda API, DurableConfig.ExecutionTimeout")
RETENTION_DAYS = Limit(1, 90, "Lambda API, DurableConfig.RetentionPeriodInDays")
DEFAULT_RETENTION_DAYS = 14  # CloudFormation, RetentionPeriodInDays
# An event (Lambda quotas, payloads of invocations).
EVENT_BYTES = 6_291_456
ASYNCHRONOUS_EVENT_BYTES = 1_048_576
# Of an account and region (Lambda quotas).
EXECUTION_READS_PER_SECOND = 30

# The items of a page of a list, where nobody asks for fewer or more.
DURABLE_EXECUTIONS_PAGE = 100  # Lambda API, ListDurableExecutionsByFunction
CAPACITY_PROVIDERS_PAGE = 50  # the most that one has: Lambda API, ListCapacityProviders

# Days that CloudWatch Logs takes (its API reference, PutRetentionPolicy), up to two years.
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)
