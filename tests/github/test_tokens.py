"""Tokens as GitHub issues them to jobs."""

import base64
import json

from infra.repository import Repository
from tests.github.tokens import claims, encode

ORDERS = Repository(owner="example-org", name="orders", owner_id=1001, repository_id=2002)


def subject(event: str, ref: str, environment: str = "") -> str:
    return claims(ORDERS, event=event, ref=ref, workflow="a.yml", environment=environment)["sub"]


def test_the_subject_is_the_environment_or_without_one_the_pull_request_or_the_ref() -> None:
    assert subject("push", "refs/heads/main", "dev") == "repo:example-org@1001/orders@2002:environment:dev"
    assert subject("pull_request", "refs/pull/7/merge") == "repo:example-org@1001/orders@2002:pull_request"
    assert subject("push", "refs/heads/main") == "repo:example-org@1001/orders@2002:ref:refs/heads/main"


def test_a_token_carries_its_claims() -> None:
    payload = encode({"aud": "x"}).split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["aud"] == "x"
