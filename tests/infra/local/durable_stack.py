"""A stack with a durable function, small enough to deploy many of."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import aws_durable_execution_sdk_python
import boto3

from infra.local.server.runner import NOT_ENDED

ACCOUNT = "111111111111"
REGION = "eu-west-1"
PATIENCE_SECONDS = 30

Template = dict[str, Any]
T = TypeVar("T")

# The event says how it goes on: it may stay in a step until a file is there, hold until its callback is answered, wait
# for days, and fail.
HANDLER = """
import sys
sys.path.insert(0, {packages!r})
import os, time
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration

def wait_for(file):
    while not os.path.exists(file):
        time.sleep(0.01)

@durable_execution
def handler(event, context):
    if event.get("until"):
        context.step(lambda _: wait_for(event["until"]), name="until")
    held = context.create_callback(name="hold").result() if event.get("hold") else None
    if event.get("days"):
        context.wait(Duration.from_days(event["days"]))
    if event.get("fail"):
        raise ValueError("asked to fail")
    return {{"code": {code!r}, "held": held, "arn": context.execution_context.durable_execution_arn}}
"""


def source(code: str) -> str:
    """Return the function's source. `code` is what its executions return, to tell one version from another."""
    packages = str(Path(aws_durable_execution_sdk_python.__file__).parents[1])
    return HANDLER.format(packages=packages, code=code)


def eventually(check: Callable[[], T | None]) -> T:
    """Return what a check returns once it is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (result := check()):
        assert time.monotonic() < deadline, f"{check} did not come true within {PATIENCE_SECONDS} s"
        time.sleep(0.02)
    return result


def client(session: Any, service: str) -> Any:
    """Return a client of a service whose types are not installed."""
    return session.client(service)


def zipped(text: str, others: Mapping[str, str] | None = None) -> bytes:
    """Return a zip with a module `index`, and other files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {"index.py": text, **(others or {})}.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class DurableStack:
    """A capacity provider, and a durable function on it with a version and the alias `live`."""

    def __init__(self, session: boto3.Session, name: str) -> None:
        self.name = name
        account = session.client("sts").get_caller_identity()["Account"]
        self.function_arn = f"arn:aws:lambda:{session.region_name}:{account}:function:{name}"
        self.lambda_ = session.client("lambda")
        self.cloudformation = session.client("cloudformation")
        self._codes: list[str] = []
        self.tags: dict[str, str] = {}
        self.durable_config: dict[str, Any] = {"DurableConfig": {"ExecutionTimeout": 300, "RetentionPeriodInDays": 1}}
        self.provider: dict[str, Any] = {
            "CapacityProviderName": name,
            "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            "PermissionsConfig": {"CapacityProviderOperatorRoleArn": f"arn:aws:iam::{ACCOUNT}:role/operator"},
            "PropagateTags": {"Mode": "Explicit", "ExplicitTags": [{"Key": "stack", "Value": name}]},
        }
        self._id = name  # a stack that was deleted is found by its id alone

    def deploy(self, code: str, **changes: Any) -> None:
        """Create the stack, or publish another version and move the alias to it."""
        self._codes.append(code)
        template = self.template(**changes)
        exists = len(self._codes) > 1
        deploy = self.cloudformation.update_stack if exists else self.cloudformation.create_stack
        tags: Any = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        self._id = deploy(StackName=self.name, TemplateBody=json.dumps(template), Tags=tags)["StackId"]
        ends = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
        status = self.await_status(*ends)
        assert status == ("UPDATE_COMPLETE" if exists else "CREATE_COMPLETE"), self.reasons()

    def template(self, **changes: Any) -> Template:
        """Return the template of the last deployment. `changes` are properties of the function."""
        number = len(self._codes)
        version = {
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "Retain",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionScalingConfig": {"MinExecutionEnvironments": 1, "MaxExecutionEnvironments": 2},
            },
        }
        alias = {
            "FunctionName": {"Ref": "Function"},
            "FunctionVersion": {"Fn::GetAtt": [f"Version{number}", "Version"]},
            "Name": "live",
        }
        return {
            "Resources": {
                "Provider": {"Type": "AWS::Lambda::CapacityProvider", "Properties": self.provider},
                "Function": {"Type": "AWS::Lambda::Function", "Properties": self._function() | changes},
                f"Version{number}": version,
                "Alias": {"Type": "AWS::Lambda::Alias", "Properties": alias},
            }
        }

    def start(self, event: dict[str, Any], name: str | None = None) -> str:
        """Start an execution asynchronously through the alias, and return its ARN."""
        options: dict[str, Any] = {"DurableExecutionName": name} if name else {}
        response = self.lambda_.invoke(
            FunctionName=self.name, Qualifier="live", InvocationType="Event", Payload=json.dumps(event), **options
        )
        assert response["StatusCode"] == 202
        return response["DurableExecutionArn"]

    def start_held(self) -> str:
        """Start an execution, and return its ARN once it is suspended until its callback is answered."""
        arn = self.start({"hold": True})
        eventually(lambda: "InvocationCompleted" in self.history(arn))
        return arn

    def history(self, arn: str) -> list[str]:
        """Return the types of the events of an execution."""
        events = self.lambda_.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        return [event.get("EventType", "") for event in events]

    def pause(self, arn: str) -> None:
        """Pause an execution, and return once it is."""
        client: Any = self.lambda_  # its types do not know of pausing yet
        client.pause_durable_execution(DurableExecutionArn=arn)
        eventually(lambda: client.get_durable_execution(DurableExecutionArn=arn)["Status"] == "PAUSED")

    def resume(self, arn: str) -> None:
        """Let a paused execution go on."""
        client: Any = self.lambda_
        client.resume_durable_execution(DurableExecutionArn=arn)

    def release(self, arn: str) -> None:
        """Answer the callback that an execution waits for."""
        self.lambda_.send_durable_execution_callback_success(CallbackId=self._callback(arn), Result=b'"released"')

    def ended(self, arn: str) -> dict[str, Any]:
        """Return the description of an execution once it has ended."""
        return eventually(lambda: self._ended(arn))

    def await_status(self, *statuses: str) -> str:
        """Return the stack's status once it is one of these."""
        return eventually(lambda: next(filter(statuses.__contains__, [self.status()]), ""))

    def status(self) -> str:
        """Return the stack's status."""
        stacks = self.cloudformation.describe_stacks(StackName=self._id)["Stacks"]
        return stacks[0]["StackStatus"]

    def state(self) -> str:
        """Return the function's state, or nothing once there is no such function."""
        try:
            return self.lambda_.get_function_configuration(FunctionName=self.name).get("State", "")
        except self.lambda_.exceptions.ResourceNotFoundException:
            return ""

    def reasons(self) -> str:
        """Return why resources of the stack failed."""
        events = self.cloudformation.describe_stack_events(StackName=self._id)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def _ended(self, arn: str) -> dict[str, Any] | None:
        execution = self.lambda_.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=True)
        return dict(execution) if execution["Status"] not in NOT_ENDED else None

    def _callback(self, arn: str) -> str:
        events = self.lambda_.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        started = (event.get("CallbackStartedDetails") for event in events)
        return next((details["CallbackId"] for details in started if details), "")

    def _function(self) -> dict[str, Any]:
        managed = {"CapacityProviderArn": {"Fn::GetAtt": ["Provider", "Arn"]}}
        return {
            "FunctionName": self.name,
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": f"arn:aws:iam::{ACCOUNT}:role/function",
            "Timeout": 30,
            "Code": {"ZipFile": source(self._codes[-1])},
            **self.durable_config,
            "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": managed},
            "FunctionScalingConfig": {"MinExecutionEnvironments": 0, "MaxExecutionEnvironments": 0},
            "PublishToLatestPublished": False,
        }
