"""The GitHub environments, and who may enter them, as docs/production.md asks for that."""

from collections.abc import Iterable

from infra.environment import Environment
from infra.policies.purposes import PURPOSES, github_environment
from infra.policies.trust import MAIN


def names(environments: Iterable[Environment]) -> list[str]:
    """Return the names of all GitHub environments that there are for environments."""
    return [github_environment(each, purpose) for each in environments for purpose in PURPOSES]


def may_enter(ref: str, name: str, previews: str) -> bool:
    """Return whether the branch rules of a GitHub environment let in the jobs of a ref.

    Args:
        ref: that of the run.
        name: the GitHub environment.
        previews: the environment that hosts previews.
    """
    open_to_pull_requests = name in (previews, f"{previews}-teardown") or name.endswith("-read")
    return ref == MAIN or (open_to_pull_requests and ref.startswith("refs/pull/"))
