"""What a function may do at most: what those of the checkout are granted that a person deployed it from."""

from typing import Any

import pytest

from infra.errors import UsageError
from infra.policies.boundary import boundary
from infra.policies.places import Resources, Templates
from infra.policies.resources import LONGEST_POLICY, Statement
from tests.infra.policies.additions import one, role
from tests.infra.policies.iam import may
from tests.infra.policies.things import DEV, PREVIEW

BASE = f"{PREVIEW.region}:{PREVIEW.account}"
QUEUE = f"arn:aws:sqs:{BASE}:acme-pr-7-billing-Made-1"
GRANTED = {"Action": ["sqs:SendMessage", "sqs:GetQueueUrl"], "Resource": {"Fn::GetAtt": ["Made", "Arn"]}}


def bounded(*statements: dict[str, Any], made: Resources | None = None) -> list[Statement]:
    return boundary(PREVIEW, Templates({"billing": {**(made or one("AWS::SQS::Queue")), **role(*statements)}}))


def test_what_a_role_is_granted_is_allowed_on_what_previews_make() -> None:
    found = bounded(GRANTED)
    assert may(found, "sqs:SendMessage", QUEUE)
    assert may(found, "sqs:SendMessage", QUEUE.replace("pr-7-billing", "pr-9-refunds"))
    for other in ("acme-dev-billing", "acme-platform-preview", "acme2-pr-7", "other"):
        assert not may(found, "sqs:SendMessage", QUEUE.replace("acme-pr-7-billing", other))


def test_no_other_action_and_no_other_service_is_allowed() -> None:
    found = bounded(GRANTED)
    own = {action for each in boundary(PREVIEW, Templates()) for action in each["Action"]}
    assert {action for each in found for action in each["Action"]} == {*own, "sqs:SendMessage", "sqs:GetQueueUrl"}
    assert "*" not in {resource for each in found for resource in each["Resource"]}


def test_grants_in_a_policy_beside_the_role_count_as_well() -> None:
    document = {"Statement": [{"Effect": "Allow", **GRANTED}]}
    policy = {"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": document}}}
    assert may(bounded(made={**one("AWS::SQS::Queue"), **policy}), "sqs:SendMessage", QUEUE)


def test_what_is_denied_to_a_role_is_allowed_to_none() -> None:
    assert not may(bounded({"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "*"}), "sqs:SendMessage", QUEUE)


@pytest.mark.parametrize(
    ("kind", "action", "resource", "arn"),
    [
        ("AWS::DynamoDB::Table", "dynamodb:Query", ["", [{"Fn::GetAtt": ["Made", "Arn"]}, "/index/*"]], "table/{}-T"),
        ("AWS::S3::Bucket", "s3:GetObject*", ["", [{"Fn::GetAtt": ["Made", "Arn"]}, "/*"]], "arn:aws:s3:::{}-b/key"),
        ("AWS::SecretsManager::Secret", "secretsmanager:GetSecretValue", ["", [{"Ref": "Made"}]], "secret:Made-x"),
        ("AWS::StepFunctions::StateMachine", "states:StartExecution", ["", [{"Ref": "Made"}]], "stateMachine:{}-S"),
    ],
)
def test_resources_are_those_of_the_type_that_the_template_refers_to(
    kind: str, action: str, resource: list[Any], arn: str
) -> None:
    found = bounded({"Action": action, "Resource": {"Fn::Join": resource}}, made=one(kind))
    named, separator = arn.format("acme-pr-7-billing"), "" if arn.startswith("arn:") else ":"
    on = named if not separator else f"arn:aws:{action.partition(':')[0]}:{BASE}:{named}"
    assert may(found, action.rstrip("*"), on)
    assert not may(found, action.rstrip("*"), on.replace("acme-pr", "acme-dev").replace("Made", "Other"))


@pytest.mark.parametrize(
    ("action", "allowed", "refused"),
    [
        ("sqs:SendMessage", QUEUE, QUEUE.replace("pr-7", "dev")),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/x", None),
        ("xray:PutTraceSegments", "*", None),
    ],
)
def test_what_is_granted_on_everything_is_allowed_on_what_can_be_told_to_be_of_previews(
    action: str, allowed: str, refused: str | None
) -> None:
    found = bounded({"Action": action, "Resource": "*"})
    assert may(found, action, allowed)
    assert refused is None or not may(found, action, refused)


def test_what_a_reviewed_template_names_in_full_is_allowed_and_its_own_names_stand_for_all_previews() -> None:
    shared = f"arn:aws:dynamodb:{BASE}:table/of-all"
    own = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":sqs:{BASE}:acme-preview-billing-x"]]}
    found = bounded(
        {"Action": "dynamodb:GetItem", "Resource": shared}, {"Action": "sqs:SendMessage", "Resource": [own]}
    )
    assert may(found, "dynamodb:GetItem", shared)
    assert not may(found, "dynamodb:GetItem", f"{shared}-others")
    assert may(found, "sqs:SendMessage", QUEUE)


def test_a_condition_stays_a_condition() -> None:
    within = {"StringEquals": {"kms:ViaService": "sqs"}}
    found = bounded({**GRANTED, "Condition": within})
    assert may(found, "sqs:SendMessage", QUEUE, {"kms:ViaService": "sqs"})
    assert not may(found, "sqs:SendMessage", QUEUE)


def test_a_condition_that_can_not_be_told_is_refused_with_its_file() -> None:
    unknown = {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Made", "Arn"]}}}
    with pytest.raises(UsageError, match=r"^functions/billing/infrastructure\.py: grants sqs:SendMessage"):
        bounded({**GRANTED, "Condition": unknown})


@pytest.mark.parametrize(
    "action", ["iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:*"]
)
def test_no_grant_lets_a_preview_make_rights(action: str) -> None:
    made_by_preview = f"arn:aws:iam::{PREVIEW.account}:role/acme-pr-7-billing-Role1"
    assert not may(bounded({"Action": action, "Resource": "*"}), "iam:CreateRole", made_by_preview)
    assert bounded({"Action": action, "Resource": "*"}) == boundary(PREVIEW, Templates())


def test_a_boundary_that_iam_would_not_take_is_refused() -> None:
    many = [f"arn:aws:sqs:{BASE}:{'queue' * 10}{number}" for number in range(100)]
    with pytest.raises(UsageError, match=f"IAM takes {LONGEST_POLICY:,}"):
        bounded({"Action": "sqs:SendMessage", "Resource": many})


LOGGING = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def with_policy(arn: str) -> list[Statement]:
    return boundary(DEV, Templates({"billing": role(ManagedPolicyArns=[arn])}))


def test_a_policy_of_aws_is_allowed_on_what_the_stacks_make_where_it_is_known() -> None:
    group = f"arn:aws:logs:{BASE}:log-group:/aws/lambda/acme-dev-billing-Custom"
    assert may(with_policy(LOGGING), "logs:CreateLogGroup", group)
    assert not may(with_policy(LOGGING), "logs:CreateLogGroup", group.replace("acme-dev", "acme-prod"))


def test_a_policy_of_aws_that_would_be_held_back_whole_is_refused() -> None:
    with pytest.raises(UsageError, match=r"functions/\*/infrastructure\.py: gives a role .*:policy/ReadOnlyAccess"):
        with_policy("arn:aws:iam::aws:policy/ReadOnlyAccess")
