"""A project of the tests' own and its environments, since those of the checkout are a team's to change."""

from pathlib import Path
from typing import Any

from infra.environment import Environment
from infra.project import Project, Repository

REPOSITORY = Repository(owner="acme-inc", name="money", owner_id=11, id=22, subject_has_ids=True)
PROJECT = Project(
    # Of what stands there, the contracts of the functions are read.
    root=Path(__file__).with_name("tree"),
    name="acme",
    promote=["dev", "prod"],
    previews="preview",
    repository=REPOSITORY,
)
# Most tests need one function; for those that need more there is `refunds`.
ONE, TWO = ("billing",), ("billing", "refunds")

ACCOUNT, REGION = "111111111111", "eu-west-1"

SETTINGS: dict[str, Any] = {
    "account": ACCOUNT,
    "region": REGION,
    "preview_days": 0,
    "preview_idle_hours": 0,
    "network": {"cidr": "10.0.0.0/20", "zones": [f"{REGION}a"], "nat_gateways": 1, "flow_logs": False},
    "capacity_provider": {
        "architecture": "arm64",
        "maximum_vcpus": 200,
        "scaling": "auto",
        "target_cpu_percent": 0,
        "instance_types": [],
    },
    "function": {
        "runtime": "python3.13",
        "memory_mb": 4096,
        "memory_gib_per_vcpu": 4.0,
        "concurrency": 8,
        "timeout_seconds": 60,
        "minimum_environments": 3,
        "maximum_environments": 4,
        "retained_versions": 0,
        "log_level": "INFO",
        "log_retention_days": 7,
    },
    "durable": {"execution_timeout_seconds": 3600, "retention_days": 3},
    "protection": {"termination_protection": False, "removal_policy": "destroy"},
}


def environment(
    name: str = "dev", function_names: tuple[str, ...] = ONE, project: Project = PROJECT, **changes: Any
) -> Environment:
    """Return an environment; a table among the changes changes the keys that it names."""
    values = {
        key: value | changes.pop(key, {}) if isinstance(value, dict) else changes.pop(key, value)
        for key, value in SETTINGS.items()
    }
    return Environment(name=name, project=project, function_names=function_names, **values, **changes)


DEV = environment()
PREVIEW = environment("preview", preview_days=14, preview_idle_hours=2, network={"cidr": "10.0.16.0/20"})
PROD = environment(
    "prod",
    network={"cidr": "10.0.32.0/20"},
    protection={"termination_protection": True, "removal_policy": "retain"},
)
# The same, with two functions.
DEV_OF_TWO = environment(function_names=TWO)
PREVIEW_OF_TWO = environment("preview", TWO, preview_days=14, preview_idle_hours=2, network={"cidr": "10.0.16.0/20"})
