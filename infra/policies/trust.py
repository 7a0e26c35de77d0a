"""Which tokens of GitHub Actions may assume which role.

Every condition is StringEquals on a whole value: a wildcard, or a set operator that passes when the claim is absent,
would let in what nobody thought of.
"""

from infra.environment import Environment
from infra.policies.purposes import Purpose, github_environment, serves_pull_requests
from infra.project import Repository

GITHUB = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"

MAIN = "refs/heads/main"
# The reusable workflow in which the job of a purpose runs. A copy that a branch edited has another ref.
WORKFLOWS: dict[Purpose, str] = {
    "deploy": "environment.yml",
    "drift": "drift.yml",
    "prune": "prune.yml",
    "teardown": "remove.yml",
}


def provider_arn(account: str) -> str:
    """Return the ARN of an account's identity provider for GitHub; there can be one only."""
    return f"arn:aws:iam::{account}:oidc-provider/{GITHUB}"


def subject(repository: Repository, of: str) -> str:
    """Return the `sub` of a job's token that runs in a GitHub environment.

    Repositories made, renamed or transferred after 15 July 2026 have their ids in it, others may (GitHub's
    documentation, OpenID Connect reference): project.toml says so.
    """
    owner, name = repository.owner, repository.name
    if repository.subject_has_ids:
        owner, name = f"{owner}@{repository.owner_id}", f"{name}@{repository.id}"
    return f"repo:{owner}/{name}:environment:{of}"


def claims(environment: Environment, purpose: Purpose) -> dict[str, str]:
    """Return what a token must say, each claim exactly, to assume the role of a purpose in an environment."""
    repository = environment.project.repository
    required = {"aud": AUDIENCE, "sub": subject(repository, github_environment(environment, purpose))}
    if repository.has_ids:
        required["repository_id"] = str(repository.id)
        required["repository_owner_id"] = str(repository.owner_id)
    # Tokens of pull requests name the merge of the pull request, and the workflow as it is there, so neither can be
    # required where they assume the role: whoever can push a branch can use it.
    if not serves_pull_requests(environment, purpose):
        workflow = f"{repository.full_name}/.github/workflows/{WORKFLOWS[purpose]}"
        required |= {"ref": MAIN, "job_workflow_ref": f"{workflow}@{MAIN}"}
    return required
