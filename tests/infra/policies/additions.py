"""What functions might add to their stacks, as templates have it, and what IAM's reference says of it."""

import json
from importlib.resources import files
from typing import Any

from infra.policies.places import Resources

# cfn-lint's excerpt of the service authorization reference.
REFERENCE: dict[str, Any] = json.loads((files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json").read_text())

KINDS = (
    "AWS::ApiGatewayV2::Api",
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::Events::Connection",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::Logs::SubscriptionFilter",
    "AWS::Pipes::Pipe",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::SSM::Parameter",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
)


def one(kind: str, **properties: Any) -> Resources:
    """Return resources that are one of a type."""
    return {"Made": {"Type": kind, "Properties": properties}}


def everything() -> Resources:
    """Return one resource of each type."""
    return {kind.replace(":", ""): {"Type": kind, "Properties": {}} for kind in KINDS}


def role(*statements: dict[str, Any], trusts: str = "lambda.amazonaws.com", **more: Any) -> Resources:
    """Return a role that is granted this by itself."""
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": trusts}}]}
    policies = [
        {"PolicyName": "own", "PolicyDocument": {"Statement": [{"Effect": "Allow", **each} for each in statements]}}
    ]
    properties = {"AssumeRolePolicyDocument": trust, "Policies": policies, **more}
    return {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}
