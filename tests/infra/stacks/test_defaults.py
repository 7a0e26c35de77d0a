"""What the resources of an infrastructure.py get of the environment, by synthesizing them."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from infra import needs
from infra.environment import Environment
from infra.stacks.defaults import STATEFUL
from infra.stacks.function import FunctionStack
from infra.stacks.function import needs as needs_of
from tests.infra.fakes.modules import written
from tests.infra.synthesis import DEV, PROD, Resource, Resources, make_app, of_type, resources_of, the_only

INFRASTRUCTURE = """
import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_events as events, aws_events_targets as targets, aws_logs as logs
from aws_cdk import aws_s3 as s3, aws_sns as sns, aws_sqs as sqs

KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)


def add(stack, function, alias):
    queue = sqs.Queue(stack, "Notices")
    queue.grant_send_messages(function)
    function.add_environment("NOTICES", queue.queue_url)
    dynamodb.Table(stack, "Table", partition_key=KEY).grant_read_write_data(function)
    sns.Topic(stack, "Topic").grant_publish(function)
    s3.Bucket(stack, "Bucket")
    logs.LogGroup(stack, "Kept", retention=logs.RetentionDays.ONE_DAY)
    logs.CfnLogGroup(stack, "Silent")
    schedule = events.Schedule.rate(cdk.Duration.days(1))
    events.Rule(stack, "Nightly", schedule=schedule, targets=[targets.LambdaFunction(alias)])
"""


@pytest.fixture(scope="session", params=[DEV, PROD], ids=["destroy", "retain"])
def environment(request: pytest.FixtureRequest) -> Environment:
    return request.param


@pytest.fixture(scope="session")
def resources(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Resources:
    folder = tmp_path_factory.mktemp("defaults")
    infrastructure = needs.load("billing", written(folder, {"billing/infrastructure.py": INFRASTRUCTURE}))
    (archive := folder / "bundle.zip").touch()
    found = needs_of(environment, "billing", infrastructure)
    stack = FunctionStack(
        make_app(folder / "assembly"),
        environment,
        "billing",
        cdk.DefaultStackSynthesizer(),
        lambda_.Code.from_asset(str(archive)),
        infrastructure=infrastructure,
        given=found.resources,
    )
    return resources_of(stack)


def properties(resources: Resources, kind: str) -> dict[str, Any]:
    return the_only(resources, kind)["Properties"]


def added(resources: Resources) -> list[Resource]:
    return [each for each in resources.values() if each["Type"] in STATEFUL]


def test_what_holds_data_goes_or_stays_as_the_environment_says(environment: Environment, resources: Resources) -> None:
    policy = {"destroy": "Delete", "retain": "Retain"}[environment.protection.removal_policy]
    kinds = {"AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup"}
    assert {each["Type"] for each in added(resources)} == kinds
    for each in added(resources):
        assert (each["DeletionPolicy"], each["UpdateReplacePolicy"]) == (policy, policy)
    assert "DeletionPolicy" not in the_only(resources, "AWS::SNS::Topic")


def test_log_groups_that_say_nothing_are_kept_as_long_as_the_functions(
    environment: Environment, resources: Resources
) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup").values()
    days = environment.function.log_retention_days
    assert sorted(each["Properties"]["RetentionInDays"] for each in groups) == sorted([1, days, days])


def test_what_can_be_encrypted_closed_and_brought_back_is(environment: Environment, resources: Resources) -> None:
    assert properties(resources, "AWS::SQS::Queue")["SqsManagedSseEnabled"] is True
    assert all(properties(resources, "AWS::S3::Bucket")["PublicAccessBlockConfiguration"].values())
    recovery = properties(resources, "AWS::DynamoDB::Table")["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": environment.protection.removal_policy == "retain"}


def test_everything_has_the_functions_tag(resources: Resources) -> None:
    assert {"Key": "function", "Value": "billing"} in properties(resources, "AWS::SQS::Queue")["Tags"]


def test_the_function_is_told_where_the_queue_is(resources: Resources) -> None:
    variables = properties(resources, "AWS::Lambda::Function")["Environment"]["Variables"]
    [queue] = of_type(resources, "AWS::SQS::Queue")
    assert variables == {"NOTICES": {"Ref": queue}}


def test_what_starts_executions_goes_through_the_alias(resources: Resources) -> None:
    [target] = properties(resources, "AWS::Events::Rule")["Targets"]
    [alias] = of_type(resources, "AWS::Lambda::Alias")
    assert target["Arn"] == {"Ref": alias}
