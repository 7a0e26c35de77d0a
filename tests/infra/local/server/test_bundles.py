"""Code with compiled modules, given to functions of the local AWS."""

import io
import json
import zipfile
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from infra import compiled
from infra.local.aws import LocalAws
from tests.infra.fakes.wheels import ARM64, X86_64
from tests.infra.local.durable_stack import REGION, client, eventually

HERE, RUNTIME = compiled.here()
FOREIGN = X86_64 if HERE.endswith("arm64") else ARM64
NAME = "fast/_fast.abi3.so"
REFUSED = (
    f"{NAME} is compiled for {compiled.foreign(NAME, FOREIGN, HERE, RUNTIME)}, and the local AWS runs on {HERE} and "
)


@pytest.fixture
def session(local_aws: LocalAws) -> boto3.Session:
    """A session of an account that no other test uses."""
    return local_aws.session(str(uuid4().int)[:12], REGION)


def uploaded(session: boto3.Session, files: dict[str, bytes]) -> dict[str, Any]:
    """Upload a bundle, and return how it is named to a function."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    bucket = uuid4().hex
    client(session, "s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    client(session, "s3").put_object(Bucket=bucket, Key="bundle", Body=buffer.getvalue())
    return {"S3Bucket": bucket, "S3Key": "bundle"}


def function(code: dict[str, Any]) -> dict[str, Any]:
    return {
        "FunctionName": "fast",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": "arn:aws:iam::111111111111:role/function",
        "Code": code,
    }


def test_a_module_that_is_compiled_for_another_machine_is_refused_by_its_name(session: boto3.Session) -> None:
    with pytest.raises(ClientError, match=f"InvalidParameterValue.*{REFUSED}"):
        session.client("lambda").create_function(**function(uploaded(session, {NAME: FOREIGN})))


def test_a_stack_with_one_fails_for_that_reason(session: boto3.Session) -> None:
    cloudformation = session.client("cloudformation")
    properties = function(uploaded(session, {NAME: FOREIGN}))
    resources = {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}}
    stack = cloudformation.create_stack(StackName="fast", TemplateBody=json.dumps({"Resources": resources}))["StackId"]

    def reasons() -> str:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    assert eventually(lambda: REFUSED in reasons())


def test_what_is_compiled_for_this_machine_is_taken(session: boto3.Session) -> None:
    if HERE.startswith("macos"):
        code = (0xFEEDFACF).to_bytes(4, "little") + (0x0100000C if HERE.endswith("arm64") else 0x01000007).to_bytes(
            4, "little"
        )
    else:
        code = ARM64 if HERE.endswith("arm64") else X86_64
    session.client("lambda").create_function(**function(uploaded(session, {NAME: code, "index.py": b""})))
