"""Deployed stacks, as CloudFormation tells of them."""

import boto3
from botocore.exceptions import ClientError

from infra.pipeline.errors import CommandError


def outputs(session: boto3.Session, stack_name: str) -> dict[str, str]:
    """Return a stack's outputs by their keys.

    Raises:
        CommandError: there is no such stack.
    """
    try:
        stack = session.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise CommandError(f"there is no stack {stack_name} in {session.region_name}; deploy it first") from error
    return {
        output["OutputKey"]: output["OutputValue"]
        for output in stack.get("Outputs", [])
        if "OutputKey" in output and "OutputValue" in output
    }
