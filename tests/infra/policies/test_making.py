"""What CloudFormation may do for what functions add, of types that nobody here has written a line for."""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from infra.environment import Environment
from infra.errors import UsageError
from infra.policies.boundary import boundary_arn
from infra.policies.drift import detecting
from infra.policies.execution import by_type, execution, execution_policies
from infra.policies.places import Templates
from infra.policies.resources import LONGEST_OF_ROLE, LONGEST_POLICY, Statement, policy_size
from tests.infra.policies.additions import KINDS, REFERENCE, everything, one, role
from tests.infra.policies.iam import may
from tests.infra.policies.things import DEV, PREVIEW, templates

SCHEMAS: Any = import_module("cfnlint.schema.manager").PROVIDER_SCHEMA_MANAGER  # which has no types
BOTH = pytest.mark.parametrize("environment", [DEV, PREVIEW], ids=["dev", "preview"])
BASE = f"{DEV.region}:{DEV.account}"

# What the handlers call and their types do not get: on data, or for a use of the type that needs more than itself.
LEFT_OUT = {
    "AWS::DynamoDB::Table": "AssociateTableReplica BatchWriteItem CreateTableReplica DeleteItem GetItem PutItem Query "
    "Scan UpdateItem",
    "AWS::S3::Bucket": "DeleteObject PutObjectAcl",
}


def statements_of(kind: str, environment: Environment = DEV, **properties: Any) -> list[Statement]:
    return dict(by_type(environment, Templates({"billing": one(kind, **properties)})))[kind]


def actions(statements: list[Statement]) -> set[str]:
    return {action for each in statements for action in each["Action"]}


def handled(kind: str) -> set[str]:
    """Return what the handlers of a type call that the reference knows, but to list."""
    handlers: dict[str, Any] = SCHEMAS.get_resource_schema(DEV.region, kind).schema["handlers"]
    called = {each for name, handler in handlers.items() if name != "list" for each in handler.get("permissions", [])}
    return {each for each in called if reference(each)}


def reference(action: str) -> list[dict[str, Any]]:
    service, _, name = action.lower().partition(":")
    pattern = re.escape(name).replace(r"\*", ".*")
    known = REFERENCE.get(service, {}).get("Actions", {})
    return [found for each, found in known.items() if re.fullmatch(pattern, each)]


def arns_of(action: str) -> Iterator[str]:
    """Yield what the ARNs begin with on which an action can be allowed."""
    service = action.partition(":")[0]
    for found in reference(action):
        for kind in found.get("Resources", []):
            for arn in REFERENCE[service]["Resources"][kind.lower()]["ARNFormats"]:
                filled = arn.replace("${Partition}", "aws").replace("${Region}", DEV.region)
                yield filled.replace("${Account}", DEV.account).partition(".*")[0]


@pytest.mark.parametrize("kind", KINDS)
@BOTH
def test_every_action_exists_and_is_allowed_on_what_it_can_be_allowed_on(kind: str, environment: Environment) -> None:
    found = statements_of(kind, environment)
    assert found
    for statement in found:
        for action in statement["Action"]:
            assert reference(action), action
            for resource in statement["Resource"]:
                beginnings = [*arns_of(action)]
                anywhere = resource == "*" and not beginnings
                assert anywhere or resource.startswith(tuple(beginnings)) or "apigateway" in resource, (
                    action,
                    resource,
                )


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_handlers_call_of_the_types_own_service_is_allowed(kind: str) -> None:
    found = statements_of(kind)
    changing = {action for action in actions(found) if not re.search(":(Describe|Get|List)", action)}
    service = {action.partition(":")[0] for action in changing} - {"iam", "application-autoscaling"}
    (own,) = service - ({"secretsmanager"} if "Connection" in kind else set())
    left_out = {f"{own}:{name}" for name in LEFT_OUT.get(kind, "").split()}
    assert {each for each in handled(kind) if each.startswith(f"{own}:")} - left_out <= actions(found)
    assert not left_out & actions(found)


QUEUE = f"arn:aws:sqs:{BASE}:acme-dev-billing-Made-1"


def test_resources_are_those_whose_names_begin_as_the_functions_stacks_do() -> None:
    found = statements_of("AWS::SQS::Queue")
    assert may(found, "sqs:CreateQueue", QUEUE)
    assert may(found, "sqs:CreateQueue", QUEUE.replace("billing", "refunds"))
    for other in ("acme-prod-billing", "acme-dev2-billing", "acme2-dev-billing", "acme-platform-dev"):
        assert not may(found, "sqs:DeleteQueue", QUEUE.replace("acme-dev-billing", other))
    assert not may(statements_of("AWS::SQS::Queue", PREVIEW), "sqs:DeleteQueue", QUEUE)
    assert may(statements_of("AWS::SQS::Queue", PREVIEW), "sqs:DeleteQueue", QUEUE.replace("dev", "pr-7"))


@pytest.mark.parametrize(
    ("kind", "action", "resource"),
    [
        ("AWS::DynamoDB::Table", "dynamodb:CreateTable", f"arn:aws:dynamodb:{BASE}:table/acme-dev-billing-T"),
        ("AWS::Events::Rule", "events:PutRule", f"arn:aws:events:{BASE}:rule/acme-dev-billing-R"),
        ("AWS::Events::Rule", "events:PutRule", f"arn:aws:events:{BASE}:rule/other-bus/acme-dev-billing-R"),
        ("AWS::Lambda::EventSourceMapping", "lambda:TagResource", f"arn:aws:lambda:{BASE}:event-source-mapping:1-2"),
        ("AWS::Lambda::Permission", "lambda:AddPermission", f"arn:aws:lambda:{BASE}:function:acme-dev-billing:live"),
        ("AWS::S3::Bucket", "s3:CreateBucket", "arn:aws:s3:::acme-dev-billing-b"),
        ("AWS::S3::BucketPolicy", "s3:PutBucketPolicy", "arn:aws:s3:::acme-dev-billing-b"),
        ("AWS::SNS::Subscription", "sns:Unsubscribe", f"arn:aws:sns:{BASE}:acme-dev-billing-T:1-2"),
        ("AWS::SSM::Parameter", "ssm:PutParameter", f"arn:aws:ssm:{BASE}:parameter/CFN-Made-1"),
        ("AWS::Scheduler::Schedule", "scheduler:CreateSchedule", f"arn:aws:scheduler:{BASE}:schedule/g/acme-dev-b-S"),
        ("AWS::SecretsManager::Secret", "secretsmanager:CreateSecret", f"arn:aws:secretsmanager:{BASE}:secret:Made-1"),
        (
            "AWS::StepFunctions::StateMachine",
            "states:CreateStateMachine",
            f"arn:aws:states:{BASE}:stateMachine:acme-dev-b",
        ),
    ],
)
def test_names_are_those_that_cloudformation_makes_up(kind: str, action: str, resource: str) -> None:
    assert may(statements_of(kind), action, resource)
    elsewhere = resource.replace("acme-dev", "acme-prod").replace("Made", "Other")
    if elsewhere != resource:
        assert not may(statements_of(kind), action, elsewhere)


def test_what_has_a_random_id_is_limited_to_the_account_and_region() -> None:
    key = f"arn:aws:kms:{BASE}:key/1-2"
    assert may(statements_of("AWS::KMS::Key"), "kms:ScheduleKeyDeletion", key)
    assert not may(statements_of("AWS::KMS::Key"), "kms:ScheduleKeyDeletion", key.replace(DEV.account, "3"))


def test_a_mapping_starts_functions_of_these_stacks_alone() -> None:
    found = statements_of("AWS::Lambda::EventSourceMapping")
    started = f"arn:aws:lambda:{BASE}:function:acme-dev-billing:live"
    mapping = f"arn:aws:lambda:{BASE}:event-source-mapping:1-2"
    for action in ("Create", "Update", "Delete"):
        call = f"lambda:{action}EventSourceMapping"
        assert may(found, call, mapping, {"lambda:FunctionArn": started})
        assert not may(found, call, mapping, {"lambda:FunctionArn": started.replace("-dev-", "-prod-")})
        assert not may(found, call, mapping)


def test_another_service_is_called_where_a_property_is_named_after_it() -> None:
    kind = "AWS::Lambda::EventSourceMapping"
    assert not [each for each in actions(statements_of(kind)) if each.startswith("kms:")]
    key = statements_of(kind, KmsKeyArn="arn:aws:kms:x:1:key/2")
    assert "kms:DescribeKey" in actions(key)
    within = statements_of("AWS::DynamoDB::Table", StreamSpecification={"Kinesis": {"KinesisStreamArn": "x"}})
    assert "kinesis:DescribeStream" in actions(within)
    assert "kinesis:DescribeStream" not in actions(statements_of("AWS::DynamoDB::Table"))


def test_what_the_template_names_of_somebody_elses_is_allowed_as_well() -> None:
    topic = f"arn:aws:sns:{BASE}:orders-of-all"
    assert may(statements_of("AWS::SNS::Subscription", TopicArn=topic), "sns:Subscribe", topic)
    assert not may(statements_of("AWS::SNS::Subscription"), "sns:Subscribe", topic)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("AWS::IAM::User", "no workflow may make"),
        ("AWS::IAM::ManagedPolicy", "no workflow may make"),
        ("AWS::CloudFormation::Stack", "no workflow may make"),
        ("AWS::Some::Thing", "do not say"),
        ("AWS::DAX::Cluster", "do not say"),  # whose schema has no handlers
    ],
)
def test_what_can_not_be_allowed_is_refused_with_its_file(kind: str, message: str) -> None:
    with pytest.raises(UsageError, match=rf"^functions/billing/infrastructure\.py: Made is an {kind}, .*{message}"):
        execution(DEV, Templates({"billing": one(kind)}))


def test_a_custom_resource_calls_its_function() -> None:
    found = statements_of("Custom::Emptied")
    assert may(found, "lambda:InvokeFunction", f"arn:aws:lambda:{BASE}:function:acme-dev-billing-Custom")
    assert actions(found) == {"lambda:InvokeFunction"}


ROLE = f"arn:aws:iam::{DEV.account}:role/acme-dev-billing-R"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_roles_are_passed_to_the_services_that_trust_them_in_the_template() -> None:
    scheduler = {"iam:PassedToService": "scheduler.amazonaws.com"}
    assert not may(execution(DEV, templates(DEV)), "iam:PassRole", ROLE, scheduler)
    found = execution(DEV, templates(DEV, billing=role(trusts="scheduler.amazonaws.com")))
    assert may(found, "iam:PassRole", ROLE, scheduler)
    assert not may(found, "iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"})


@BOTH
def test_roles_get_the_policies_of_aws_that_the_template_gives_them(environment: Environment) -> None:
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/ReadOnlyAccess"]]}
    found = execution(environment, templates(environment, billing=role(ManagedPolicyArns=[arn])))
    on = ROLE.replace("dev", "pr-7") if environment is PREVIEW else ROLE
    bounded = {"iam:PermissionsBoundary": boundary_arn(environment)}
    attached = {"iam:PolicyARN": READ_ONLY}
    assert may(found, "iam:AttachRolePolicy", on, attached | bounded)
    assert not may(found, "iam:AttachRolePolicy", on, attached)
    assert not may(found, "iam:AttachRolePolicy", on, {"iam:PolicyARN": READ_ONLY + "2"} | bounded)


@BOTH
def test_what_is_too_much_for_one_policy_is_split_as_iam_takes_it(environment: Environment) -> None:
    more = templates(environment, billing=everything(), refunds=one("AWS::SQS::Queue"))
    found = execution_policies(environment, more)
    assert [*found][:3] == [f"acme-access-{environment.name}-execution{end}" for end in ("", "-2", "-3")]
    assert max(map(policy_size, found.values())) <= LONGEST_POLICY
    assert [each for part in found.values() for each in part] == execution(environment, more)


def test_drift_of_what_is_added_is_read_but_no_secret() -> None:
    found = detecting(DEV, templates(DEV, billing=everything()))
    assert may(found, "sqs:GetQueueAttributes", QUEUE)
    assert may(found, "s3:GetBucketTagging", "arn:aws:s3:::acme-dev-billing-b")
    assert "secretsmanager:GetSecretValue" not in actions(found)
    assert not {"sqs:DeleteQueue", "dynamodb:GetItem"} & actions(found)
    assert policy_size(found) <= LONGEST_OF_ROLE
    assert detecting(PREVIEW, templates(PREVIEW, billing=everything())) == detecting(PREVIEW, templates(PREVIEW))
