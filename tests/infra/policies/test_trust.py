"""Which claims a token must have for which role. What the local AWS makes of them is in tests/access."""

import pytest

from infra.environment import Environment
from infra.policies import trust
from infra.policies.purposes import PURPOSES, Purpose
from infra.repository import Repository
from tests.access.environments import DEV, ENVIRONMENTS, PREVIEW, PROD

ORDERS = Repository(owner="example-org", name="orders", owner_id=1001, repository_id=2002)
SUBJECT = "repo:example-org@1001/orders@2002:environment:"

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
    path = f"example-org/orders/.github/workflows/{workflow}@refs/heads/main"
    by_main = {"ref": "refs/heads/main", "job_workflow_ref": path} if workflow else {}
    assert trust.claims(ORDERS, environment, purpose) == {
        "aud": "sts.amazonaws.com",
        "sub": SUBJECT + github_environment,
        "repository_id": "2002",
        "repository_owner_id": "1001",
        **by_main,
    }


def test_nothing_is_left_out_here() -> None:
    assert [(each.name, purpose) for each, purpose, *_ in TRUSTED] == [
        (name, purpose) for name in ENVIRONMENTS for purpose in PURPOSES
    ]


def test_the_subject_has_no_ids_where_none_are_known() -> None:
    unknown = Repository(owner="example-org", name="orders", owner_id=0, repository_id=0)
    assert trust.claims(unknown, DEV, "read") == {
        "aud": "sts.amazonaws.com",
        "sub": "repo:example-org/orders:environment:dev-read",
    }


def test_the_provider_is_githubs() -> None:
    assert trust.provider_arn("1") == "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"
