"""What a function finds around it where it runs, and for how long its process is kept."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import botocore
import pytest

from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack, client, eventually, zipped
from tests.infra.local.processes import processes

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ECHO = "def handler(event, context): return event"
WAITING = """
import os, time
def handler(event, context):
    while not os.path.exists(event["until"]):
        time.sleep(0.01)
    return os.getpid()
"""
LOGGING = """
import logging, threading
logging.getLogger("early").warning("before")
def handler(event, context):
    thread = threading.Thread(target=logging.getLogger("late").info, args=["during"])
    thread.start()
    thread.join()
    return context.aws_request_id
"""
VERSION_OF_SDK = "import boto3, botocore\ndef handler(event, context): return [boto3.__version__, botocore.__version__]"
USES_SDK = "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Account']"
USES_OTHERS = "def handler(event, context): return __import__(event['module']).__name__"


@pytest.fixture
def lambda_(local_aws: LocalAws) -> "LambdaClient":
    return local_aws.session(ACCOUNT, REGION).client("lambda")


def made(lambda_: "LambdaClient", code: bytes) -> str:
    """Make a function that is not durable, and return its name."""
    name = f"plain-{uuid4().hex[:12]}"
    role = f"arn:aws:iam::{ACCOUNT}:role/function"
    lambda_.create_function(
        FunctionName=name, Runtime="python3.13", Handler="index.handler", Role=role, Timeout=60, Code={"ZipFile": code}
    )
    return name


def invoked(lambda_: "LambdaClient", name: str, event: Any = None, **options: Any) -> Any:
    """Invoke a function, and return its result, or its error where it failed."""
    response = lambda_.invoke(FunctionName=name, Payload=json.dumps(event), **options)
    return json.loads(response["Payload"].read())


def running(name: str) -> dict[int, str]:
    return processes(f"ministack-lambda-{name}-")


def test_a_function_that_brings_no_sdk_has_that_of_the_runtime(lambda_: "LambdaClient") -> None:
    assert invoked(lambda_, made(lambda_, zipped(VERSION_OF_SDK))) == [boto3.__version__, botocore.__version__]
    assert invoked(lambda_, made(lambda_, zipped(USES_SDK))) == ACCOUNT


def test_the_sdk_that_a_bundle_brings_wins(lambda_: "LambdaClient") -> None:
    bundle = zipped(VERSION_OF_SDK, {"boto3.py": "__version__ = 'brought'"})
    assert invoked(lambda_, made(lambda_, bundle))[0] == "brought"


@pytest.mark.parametrize("module", ["ministack", "yaml", "pydantic"])
def test_a_function_finds_nothing_else_that_is_installed_here(lambda_: "LambdaClient", module: str) -> None:
    error = invoked(lambda_, made(lambda_, zipped(USES_OTHERS)), {"module": module})
    assert error["errorMessage"] == f"No module named '{module}'"


def test_what_a_function_logs_names_its_request(local_aws: LocalAws, lambda_: "LambdaClient") -> None:
    request = invoked(lambda_, name := made(lambda_, zipped(LOGGING)))
    logs = client(local_aws.session(ACCOUNT, REGION), "logs")
    events = eventually(
        lambda: logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="during")["events"]
    )
    [line] = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
    assert (line["message"], line["requestId"]) == ("during", request)


def test_the_processes_of_versions_that_are_not_used_end(lambda_: "LambdaClient", tmp_path: Path) -> None:
    busy, idle = made(lambda_, zipped(WAITING)), made(lambda_, zipped(ECHO))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(invoked, lambda_, busy, {"until": str(tmp_path / "there")})
        [process] = eventually(lambda: running(busy))
        invoked(lambda_, idle)
        eventually(lambda: not (invoked(lambda_, made(lambda_, zipped(ECHO))) or running(idle)))
        (tmp_path / "there").touch()
        assert waiting.result() == process
    assert invoked(lambda_, idle, "again") == "again"


def test_the_process_of_a_version_ends_with_it(lambda_: "LambdaClient") -> None:
    name = made(lambda_, zipped(ECHO))
    version = lambda_.publish_version(FunctionName=name)["Version"]
    invoked(lambda_, name, Qualifier=version)
    assert running(name)
    lambda_.delete_function(FunctionName=name, Qualifier=version)
    eventually(lambda: not running(name))
    invoked(lambda_, name)
    lambda_.delete_function(FunctionName=name)
    eventually(lambda: not running(name))


def test_the_process_of_a_version_that_a_stack_removes_ends_with_it(new_stack: Callable[[], DurableStack]) -> None:
    stack = new_stack()
    function = {
        "FunctionName": stack.name,
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/function",
        "Code": {"ZipFile": ECHO},
    }
    resources = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
    }
    stack.cloudformation.create_stack(StackName=stack.name, TemplateBody=json.dumps({"Resources": resources}))
    stack.await_status("CREATE_COMPLETE")
    invoked(stack.lambda_, stack.name, Qualifier="1")
    assert running(stack.name)
    del resources["Version"]
    stack.cloudformation.update_stack(StackName=stack.name, TemplateBody=json.dumps({"Resources": resources}))
    eventually(lambda: not running(stack.name))
    stack.await_status("UPDATE_COMPLETE")
