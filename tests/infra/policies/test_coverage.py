"""Whether statements allow what is needed, as patterns and conditions say it."""

import pytest

from infra.policies.coverage import missing
from infra.policies.resources import allow

NEEDED = [allow(["sqs:CreateQueue", "sqs:DeleteQueue"], ["arn:x:acme-*"], {"StringEquals": {"a": ["1", "2"]}})]
CONDITION = {"StringEquals": {"a": ["1", "2", "3"]}}


@pytest.mark.parametrize(
    ("allowed", "lacking"),
    [
        (allow(["sqs:CreateQueue", "sqs:DeleteQueue"], ["arn:x:acme-*"]), []),
        (allow(["sqs:createqueue", "sqs:D*"], ["arn:x:*"]), []),
        (allow(["sqs:*"], ["*"], CONDITION), []),
        (allow(["sqs:CreateQueue"], ["*"]), ["sqs:DeleteQueue"]),
        (allow(["sqs:*"], ["arn:x:acme-dev-*"]), ["sqs:CreateQueue", "sqs:DeleteQueue"]),
        (allow(["sqs:*"], ["*"], {"StringEquals": {"a": "1"}}), ["sqs:CreateQueue", "sqs:DeleteQueue"]),
        (allow(["sqs:*"], ["*"], {"StringEquals": {"b": "1"}}), ["sqs:CreateQueue", "sqs:DeleteQueue"]),
        (allow(["sqs:*"], ["*"]) | {"Effect": "Deny"}, ["sqs:CreateQueue", "sqs:DeleteQueue"]),
    ],
)
def test_what_is_needed_is_allowed_on_all_of_its_resources_and_under_its_conditions(
    allowed: dict[str, object], lacking: list[str]
) -> None:
    assert missing(NEEDED, [allowed]) == lacking


def test_several_statements_allow_together() -> None:
    assert missing(NEEDED, [allow(["sqs:CreateQueue"], ["*"]), allow(["sqs:DeleteQueue"], ["*"])]) == []
    assert missing(NEEDED, []) == ["sqs:CreateQueue", "sqs:DeleteQueue"]
