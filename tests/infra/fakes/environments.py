"""Environments of the tests' own, since those of environments/ are a fork's to change."""

from typing import Any

from infra.environment import Environment

ACCOUNT, REGION = "111111111111", "eu-west-1"

SETTINGS: dict[str, Any] = {
    "account": ACCOUNT,
    "region": REGION,
    "qualifier": "qualifier",
    "preview_days": 0,
    "network": {"cidr": "10.0.0.0/20", "zones": [f"{REGION}a"], "nat_gateways": 1, "flow_logs": False},
    "capacity_provider": {
        "architecture": "arm64",
        "maximum_vcpus": 100,
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


def environment(name: str = "dev", **changes: Any) -> Environment:
    """Return an environment; a table among the changes changes the keys that it names."""
    values = {
        key: value | changes.get(key, {}) if isinstance(value, dict) else changes.get(key, value)
        for key, value in SETTINGS.items()
    }
    return Environment(name=name, **values)


DEV = environment()
PREVIEW = environment("preview", preview_days=14)
PROD = environment("prod", protection={"termination_protection": True, "removal_policy": "retain"})
