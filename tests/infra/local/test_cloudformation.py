import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack, client, eventually

NewStack = Callable[[], DurableStack]


@pytest.fixture
def session(local_aws: LocalAws) -> boto3.Session:
    """A session of an account that no other test uses."""
    return local_aws.session(str(uuid4().int)[:12], REGION)


def deploy(session: boto3.Session, name: str, resources: dict[str, Any], *, update: bool = False) -> dict[str, str]:
    """Deploy a stack, and return the physical ids of its resources."""
    cloudformation = session.client("cloudformation")
    put = cloudformation.update_stack if update else cloudformation.create_stack
    put(StackName=name, TemplateBody=json.dumps({"Resources": resources}), Tags=[{"Key": "team", "Value": "abc"}])
    eventually(lambda: status(session, name).endswith("_COMPLETE"))
    assert status(session, name) == ("UPDATE_COMPLETE" if update else "CREATE_COMPLETE")
    found = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in found}


def status(session: boto3.Session, name: str) -> str:
    return session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def delete(session: boto3.Session, name: str) -> None:
    cloudformation = session.client("cloudformation")
    stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("StackId", "")
    cloudformation.delete_stack(StackName=name)
    eventually(lambda: status(session, stack_id) == "DELETE_COMPLETE")


def network(*, tag: str) -> dict[str, Any]:
    tags = [{"Key": "project", "Value": tag}]
    vpc = {"Ref": "Vpc"}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/20"}},
        "Gateway": {"Type": "AWS::EC2::InternetGateway"},
        "Attachment": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {"VpcId": vpc, "InternetGatewayId": {"Ref": "Gateway"}},
        },
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": vpc, "CidrBlock": "10.0.0.0/24"}},
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc", "Tags": tags}},
        "Nat": {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "SubnetId": {"Ref": "Subnet"},
                "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]},
                "Tags": tags,
            },
        },
        "Endpoint": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {"VpcId": vpc, "ServiceName": f"com.amazonaws.{REGION}.s3"},
        },
        "FlowLog": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "ResourceId": vpc,
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogGroupName": "flow",
                "Tags": tags,
            },
        },
    }


def test_the_network_of_a_platform_is_made_and_removed(session: boto3.Session) -> None:
    ids = deploy(session, "network", network(tag="one"))
    ec2 = client(session, "ec2")
    addresses = ec2.describe_addresses()["Addresses"]
    assert [address["PublicIp"] for address in addresses] == [ids["Address"]]
    gateways = ec2.describe_nat_gateways(NatGatewayIds=[ids["Nat"]])["NatGateways"]
    assert (gateways[0]["State"], gateways[0]["SubnetId"]) == ("available", ids["Subnet"])
    assert ec2.describe_flow_logs(FlowLogIds=[ids["FlowLog"]])["FlowLogs"][0]["ResourceId"] == ids["Vpc"]

    delete(session, "network")
    assert ec2.describe_addresses()["Addresses"] == []
    assert ec2.describe_flow_logs()["FlowLogs"] == []
    assert ec2.describe_nat_gateways(NatGatewayIds=[ids["Nat"]])["NatGateways"][0]["State"] == "deleted"


def test_the_tags_of_a_network_follow_its_stack(session: boto3.Session) -> None:
    before = deploy(session, "network", network(tag="one"))
    assert deploy(session, "network", network(tag="two"), update=True) == before
    ec2 = client(session, "ec2")
    for resource in (before["Nat"], before["FlowLog"], ec2.describe_addresses()["Addresses"][0]["AllocationId"]):
        found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource]}])["Tags"]
        tags = {tag["Key"]: tag["Value"] for tag in found}
        assert (tags["project"], tags["team"], tags["aws:cloudformation:stack-name"]) == ("two", "abc", "network")


@pytest.mark.parametrize(("value", "expected"), [("two", "CREATE_COMPLETE"), ("one", "FAILED")])
def test_a_change_set_of_outputs_alone_is_executed_and_an_empty_one_is_not(
    value: str, expected: str, session: boto3.Session
) -> None:
    cloudformation, name = session.client("cloudformation"), f"told-{value}"

    def template(told: str) -> str:
        group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}
        return json.dumps({"Resources": {"Group": group}, "Outputs": {"Commit": {"Value": told}}})

    cloudformation.create_stack(StackName=name, TemplateBody=template("one"))
    eventually(lambda: status(session, name) == "CREATE_COMPLETE")
    change_set = cloudformation.create_change_set(StackName=name, ChangeSetName="next", TemplateBody=template(value))
    described = cloudformation.describe_change_set(ChangeSetName=change_set["Id"])
    assert (described["Status"], described["Changes"]) == (expected, [])
    if expected == "CREATE_COMPLETE":
        cloudformation.execute_change_set(ChangeSetName=change_set["Id"])
        eventually(lambda: status(session, name) == "UPDATE_COMPLETE")
    (output,) = cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    assert output.get("OutputValue") == value


def test_an_identity_provider_is_made_changed_and_removed(session: boto3.Session) -> None:
    def provider(*clients: str) -> dict[str, Any]:
        properties = {"Url": "https://token.actions.githubusercontent.com", "ClientIdList": list(clients)}
        return {"Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": properties}}

    arn = deploy(session, "access", provider("one"))["Provider"]
    assert arn.endswith(":oidc-provider/token.actions.githubusercontent.com")
    assert deploy(session, "access", provider("one", "two"), update=True)["Provider"] == arn
    iam = client(session, "iam")
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["one", "two"]
    delete(session, "access")
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_a_parameter_is_resolved_from_the_parameter_store(session: boto3.Session) -> None:
    session.client("ssm").put_parameter(Name="/platform/value", Value="from-the-store", Type="String")
    template = {
        "Parameters": {"Value": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/platform/value"}},
        "Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Ref": "Value"}}}},
    }
    session.client("cloudformation").create_stack(StackName="reader", TemplateBody=json.dumps(template))
    logs = client(session, "logs")
    eventually(lambda: [group.get("logGroupName") for group in logs.describe_log_groups()["logGroups"]])
    assert logs.describe_log_groups()["logGroups"][0].get("logGroupName") == "from-the-store"


def test_a_resource_type_that_is_not_emulated_is_refused_before_anything_is_made(session: boto3.Session) -> None:
    resources = {
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "made-before"}},
        "Robot": {"Type": "AWS::RoboMaker::Robot"},
    }
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::RoboMaker::Robot\]"):
        deploy(session, "robots", resources)
    assert client(session, "logs").describe_log_groups()["logGroups"] == []


def test_a_function_keeps_what_its_template_says_of_durability_and_capacity(stack: DurableStack) -> None:
    for qualifier in ("$LATEST", "1"):
        config = stack.lambda_.get_function_configuration(FunctionName=stack.name, Qualifier=qualifier)
        assert config["DurableConfig"] == {"ExecutionTimeout": 300, "RetentionPeriodInDays": 1}
        managed = config["CapacityProviderConfig"]["LambdaManagedInstancesCapacityProviderConfig"]
        assert managed["CapacityProviderArn"].endswith(f":capacity-provider:{stack.name}")


def test_an_update_changes_the_durable_config_and_keeps_earlier_versions(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    stack.deploy("two", DurableConfig={"ExecutionTimeout": 600, "RetentionPeriodInDays": 2})
    pages = [
        page["Versions"]
        for page in stack.lambda_.get_paginator("list_versions_by_function").paginate(
            FunctionName=stack.name, PaginationConfig={"PageSize": 1}
        )
    ]
    versions = [version for page in pages for version in page]
    assert len(pages) == len(versions)
    assert [(version["Version"], version["DurableConfig"]["ExecutionTimeout"]) for version in versions] == [
        ("$LATEST", 600),
        ("1", 300),
        ("2", 600),
    ]


def test_a_function_can_not_become_durable_later(new_stack: NewStack) -> None:
    stack = new_stack()
    durable = stack.durable_config
    stack.durable_config = {}
    stack.deploy("one")
    stack.durable_config = durable
    with pytest.raises(AssertionError):
        stack.deploy("two")
    assert "custom-named resource requires replacing" in stack.reasons()


def test_a_function_without_its_capacity_provider_is_refused(session: boto3.Session) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:missing"
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": "index.handler",
            "Code": {"ZipFile": "handler = print"},
            "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": arn}},
        },
    }
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(StackName="lonely", TemplateBody=json.dumps({"Resources": {"Function": function}}))
    eventually(lambda: status(session, "lonely") == "ROLLBACK_COMPLETE")
    events = cloudformation.describe_stack_events(StackName="lonely")["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events]
    assert "Capacity provider missing does not exist" in reasons


def test_the_removal_of_a_function_waits_for_its_executions(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    stack.pause(arn := stack.start_held())
    stack.cloudformation.delete_stack(StackName=stack.name)
    eventually(lambda: stack.state() == "Deleting")
    with pytest.raises(stack.lambda_.exceptions.ResourceConflictException):
        stack.lambda_.invoke(FunctionName=stack.name, Qualifier="1", InvocationType="Event", Payload=b"{}")
    stack.release(arn)
    stack.resume(arn)
    assert stack.ended(arn)["Status"] == "SUCCEEDED"
    stack.await_status("DELETE_COMPLETE")
    assert stack.state() == ""


def test_a_deleted_function_is_gone_once_its_executions_have_ended_paused_ones_too(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    stack.pause(arn := stack.start_held())
    stack.lambda_.delete_function(FunctionName=stack.name)
    assert stack.state() == "Deleting"
    stack.lambda_.stop_durable_execution(DurableExecutionArn=arn)
    eventually(lambda: not stack.state())


def test_a_log_group_changed_by_hand_is_found_to_have_drifted(session: boto3.Session) -> None:
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "drifting", "RetentionInDays": 7}}
    deploy(session, "drifting", {"Group": group})
    client(session, "logs").put_retention_policy(logGroupName="drifting", retentionInDays=30)
    cloudformation = session.client("cloudformation")
    detection = cloudformation.detect_stack_drift(StackName="drifting")["StackDriftDetectionId"]
    drift = cloudformation.describe_stack_drift_detection_status
    eventually(lambda: drift(StackDriftDetectionId=detection)["DetectionStatus"] == "DETECTION_COMPLETE")
    assert drift(StackDriftDetectionId=detection).get("StackDriftStatus") == "DRIFTED"
