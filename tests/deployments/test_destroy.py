"""A whole environment, made and destroyed with the CDK CLI on the local AWS."""

from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import WaiterError

from infra.aws.cdk import cdk
from infra.aws.stack import describe, outputs
from tests.deployments.deployment import FUNCTION, PLATFORM, synthesize


def test_a_platform_outlives_its_functions_and_goes_with_everything_after_them(
    deploy: Callable[[Path], int], session: boto3.Session, tmp_path: Path
) -> None:
    assembly = synthesize(tmp_path)
    assert deploy(assembly) == 0
    cloudformation = session.client("cloudformation")
    cloudformation.delete_stack(StackName=PLATFORM)
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=PLATFORM, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
    assert outputs(session, FUNCTION)
    cdk(["destroy", "--all", "--force", "--app", str(assembly)], log="test-destroy")
    assert (describe(session, FUNCTION), describe(session, PLATFORM)) == (None, None)
    client = session.client("lambda")
    functions = [function["FunctionName"] for function in client.list_functions()["Functions"]]
    assert (functions, client.list_capacity_providers()["CapacityProviders"]) == ([], [])
    assert session.client("logs").describe_log_groups()["logGroups"] == []
