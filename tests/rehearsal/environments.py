"""The GitHub environments, as README.md asks for them: who may enter them, and their variables."""

from infra.environment import load, names
from infra.policies.purposes import PURPOSES, github_environment
from infra.policies.trust import MAIN


def may_enter(ref: str, environment: str) -> bool:
    """Return whether an environment's branch rules let in the jobs of a ref."""
    open_to_pull_requests = environment in ("preview", "preview-teardown") or environment.endswith("-read")
    return ref == MAIN or (open_to_pull_requests and ref.startswith("refs/pull/"))


# Each GitHub environment, and its variables.
ENVIRONMENTS = {
    github_environment(name, purpose): {"AWS_ACCOUNT_ID": load(name).account, "AWS_REGION": load(name).region}
    for name in names()
    if name != "local"
    for purpose in PURPOSES
}
