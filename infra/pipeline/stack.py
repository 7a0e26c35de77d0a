"""Deployed stacks, as CloudFormation tells of them."""

from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from infra.pipeline.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef


def describe(session: boto3.Session, stack_name: str) -> "StackTypeDef | None":
    """Return a stack, or None where there is none of that name."""
    try:
        return session.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return None


def outputs(session: boto3.Session, stack_name: str) -> dict[str, str]:
    """Return a stack's outputs by their keys.

    Raises:
        CommandError: there is no such stack.
    """
    stack = describe(session, stack_name)
    if stack is None:
        raise CommandError(f"there is no stack {stack_name} in {session.region_name}; deploy it first")
    return {
        output["OutputKey"]: output["OutputValue"]
        for output in stack.get("Outputs", [])
        if "OutputKey" in output and "OutputValue" in output
    }
