"""Which claims a token must have for which role. What the local AWS makes of them is in tests/access."""

import pytest

from infra.environment import Environment
from infra.policies import trust
from infra.policies.purposes import PURPOSES, Purpose
from infra.project import Repository
from tests.infra.fakes.environments import PROJECT, environment
from tests.infra.policies.things import DEV, ENVIRONMENTS, PREVIEW, PROD

SUBJECT = "repo:acme-inc@11/money@22:environment:"

# The workflow of main alone from which a role may be assumed, or none where jobs of pull requests assume it.
TRUSTED: list[tuple[Environment, Purpose, str, str]] = [
    (DEV, "deploy", "dev", "environment.yml"),
    (DEV, "read", "dev-read", ""),
    (DEV, "drift", "dev-drift", "drift.yml"),
    (DEV, "prune", "dev-prune", "prune.yml"),
    (DEV, "teardown", "dev-teardown", "remove.yml"),
    (PREVIEW, "deploy", "preview", ""),
    (PREVIEW, "read", "preview-read", ""),
    (PREVIEW, "drift", "preview-drift", "drift.yml"),
    (PREVIEW, "prune", "preview-prune", "prune.yml"),
    (PREVIEW, "teardown", "preview-teardown", ""),
    (PROD, "deploy", "prod", "environment.yml"),
    (PROD, "read", "prod-read", ""),
    (PROD, "drift", "prod-drift", "drift.yml"),
    (PROD, "prune", "prod-prune", "prune.yml"),
    (PROD, "teardown", "prod-teardown", "remove.yml"),
]


@pytest.mark.parametrize(("environment", "purpose", "github_environment", "workflow"), TRUSTED)
def test_a_role_trusts_tokens_with_these_claims(
    environment: Environment, purpose: Purpose, github_environment: str, workflow: str
) -> None:
    path = f"acme-inc/money/.github/workflows/{workflow}@refs/heads/main"
    by_main = {"ref": "refs/heads/main", "job_workflow_ref": path} if workflow else {}
    assert trust.claims(environment, purpose) == {
        "aud": "sts.amazonaws.com",
        "sub": SUBJECT + github_environment,
        "repository_id": "22",
        "repository_owner_id": "11",
        **by_main,
    }


def test_nothing_is_left_out_here() -> None:
    assert [(each.name, purpose) for each, purpose, *_ in TRUSTED] == [
        (name, purpose) for name in ENVIRONMENTS for purpose in PURPOSES
    ]


def read_claims(*, owner_id: int, repository_id: int, subject_has_ids: bool) -> dict[str, str]:
    """Return the claims of a role that asks for no workflow."""
    repository = Repository(
        owner="acme-inc", name="money", owner_id=owner_id, id=repository_id, subject_has_ids=subject_has_ids
    )
    project = PROJECT.model_copy(update={"repository": repository})
    return trust.claims(environment(project=project), "read")


def test_the_subject_has_no_ids_where_project_toml_says_so_and_ids_are_asked_for_all_the_same() -> None:
    assert read_claims(owner_id=11, repository_id=22, subject_has_ids=False) == {
        "aud": "sts.amazonaws.com",
        "sub": "repo:acme-inc/money:environment:dev-read",
        "repository_id": "22",
        "repository_owner_id": "11",
    }


def test_no_ids_are_asked_for_where_none_are_known() -> None:
    assert read_claims(owner_id=0, repository_id=0, subject_has_ids=False) == {
        "aud": "sts.amazonaws.com",
        "sub": "repo:acme-inc/money:environment:dev-read",
    }


def test_the_provider_is_githubs() -> None:
    assert trust.provider_arn("1") == "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"
