"""Tokens as GitHub issues them to jobs."""

import base64
import json

import pytest

from infra.project import Repository
from tests.github.tokens import claims, encode
from tests.infra.fakes.environments import REPOSITORY

WITHOUT = REPOSITORY.model_copy(update={"subject_has_ids": False})
UNKNOWN = WITHOUT.model_copy(update={"owner_id": 0, "id": 0})


def of(repository: Repository, event: str, ref: str, environment: str = "") -> dict[str, str]:
    return claims(repository, event=event, ref=ref, workflow="a.yml", environment=environment)


def test_the_subject_is_the_environment_or_without_one_the_pull_request_or_the_ref() -> None:
    assert of(REPOSITORY, "push", "refs/heads/main", "dev")["sub"] == "repo:acme-inc@11/money@22:environment:dev"
    assert of(REPOSITORY, "pull_request", "refs/pull/7/merge")["sub"] == "repo:acme-inc@11/money@22:pull_request"
    assert of(REPOSITORY, "push", "refs/heads/main")["sub"] == "repo:acme-inc@11/money@22:ref:refs/heads/main"


@pytest.mark.parametrize("repository", [WITHOUT, UNKNOWN])
def test_the_subject_has_names_alone_in_a_repository_whose_tokens_are_so(repository: Repository) -> None:
    assert of(repository, "push", "refs/heads/main", "dev")["sub"] == "repo:acme-inc/money:environment:dev"


def test_ids_are_claims_of_every_token_whether_or_not_project_toml_knows_them() -> None:
    known, unknown = (of(each, "push", "refs/heads/main") for each in (WITHOUT, UNKNOWN))
    assert (known["repository_owner_id"], known["repository_id"]) == ("11", "22")
    assert int(unknown["repository_owner_id"]) > 0
    assert int(unknown["repository_id"]) > 0


def test_a_token_carries_its_claims() -> None:
    payload = encode({"aud": "x"}).split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["aud"] == "x"
