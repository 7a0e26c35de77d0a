"""Deployed stacks, as CloudFormation tells of them, and their deletion."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError, WaiterError

from infra.console.progress import doing
from infra.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

POLL_SECONDS = 5
# CloudFormation waits up to an hour for the function's executions (CDK, durable functions), then for the rest.
POLLS = 75 * 60 // POLL_SECONDS


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
    return outputs_of(stack)


def outputs_of(stack: "StackTypeDef") -> dict[str, str]:
    """Return the outputs of a stack that was described by their keys, as far as it has any yet."""
    return {
        output["OutputKey"]: output["OutputValue"]
        for output in stack.get("Outputs", [])
        if "OutputKey" in output and "OutputValue" in output
    }


def tags(stack: "StackTypeDef") -> dict[str, str]:
    """Return a stack's tags by their keys."""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}


def carries(stack: "StackTypeDef", expected: Mapping[str, str]) -> bool:
    """Tell whether a stack has all of these tags."""
    return expected.items() <= tags(stack).items()


def deployed_at(stack: "StackTypeDef") -> datetime:
    """Return when a stack was deployed last."""
    return stack.get("LastUpdatedTime", stack["CreationTime"])


def is_changing(stack: "StackTypeDef") -> bool:
    """Tell whether somebody deploys a stack at this moment. One that is only being reviewed has nothing yet."""
    status = stack["StackStatus"]
    return status.endswith("_IN_PROGRESS") and status not in ("DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS")


def delete(session: boto3.Session, stack: "StackTypeDef") -> None:
    """Delete a stack by its name, with the role that it was made with, and see it gone.

    One that could not be deleted before is tried again, and one that is being deleted is waited for.

    Raises:
        CommandError: something of it could not be deleted; the message says what, and why.
    """
    name = stack["StackName"]
    stack_id = stack.get("StackId", name)
    client = session.client("cloudformation")
    with doing(f"Deleting {name}"):
        client.delete_stack(StackName=name)
        try:
            client.get_waiter("stack_delete_complete").wait(
                StackName=stack_id, WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": POLLS}
            )
        except WaiterError as error:
            raise CommandError(f"{name} could not be deleted: {_reasons(session, stack_id) or error}") from error


def events(session: boto3.Session, stack_id: str) -> "Iterator[StackEventTypeDef]":
    """Yield what happened to a stack, newest first."""
    pages = session.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
    return (event for page in pages for event in page["StackEvents"])


def _reasons(session: boto3.Session, stack_id: str) -> str:
    """Say what of a stack could not be deleted, and why."""
    failed: dict[str, str] = {}
    for event in events(session, stack_id):
        resource = event.get("LogicalResourceId", "")
        if event.get("ResourceStatus") == "DELETE_FAILED" and event.get("PhysicalResourceId") != stack_id:
            # The newest event comes first.
            reason = event.get("ResourceStatusReason", "no reason given")
            failed.setdefault(resource, f"{event.get('ResourceType')} {resource}: {reason}")
    return "; ".join(failed.values())
