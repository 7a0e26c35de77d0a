"""What workflows do in an environment, each with a role and a GitHub environment of its own."""

from typing import Literal, get_args

from infra import naming
from infra.environment import Environment

Purpose = Literal["deploy", "read", "drift", "prune", "teardown"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def role(environment: Environment, purpose: Purpose) -> str:
    """Name the role that workflows assume in an environment, one per purpose."""
    return f"{naming.access_stack(environment)}-{purpose}"


def role_arn(environment: Environment, purpose: Purpose) -> str:
    """Return that role's ARN."""
    return f"arn:aws:iam::{environment.account}:role/{role(environment, purpose)}"


def github_environment(environment: Environment, purpose: Purpose) -> str:
    """Name the GitHub environment whose jobs may assume that role, and no other."""
    return environment.name if purpose == "deploy" else f"{environment.name}-{purpose}"


def serves_pull_requests(environment: Environment, purpose: Purpose) -> bool:
    """Return whether jobs of pull requests assume the role: to show what they change, and for their previews."""
    return purpose == "read" or (environment.hosts_previews and purpose in ("deploy", "teardown"))
