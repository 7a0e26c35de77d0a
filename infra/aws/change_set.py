"""What CloudFormation would do to a stack, as a change set tells it before anything is done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ResourceChangeDetailTypeDef, ResourceChangeTypeDef

# What the CDK CLI calls its change set of each stack, and then replaces by its next.
NAME = "cdk-deploy-change-set"


def read(client: "CloudFormationClient", stack: str) -> "list[ResourceChangeTypeDef]":
    """Return the changes of the change set that the CDK CLI has prepared for a stack."""
    pages = client.get_paginator("describe_change_set").paginate(StackName=stack, ChangeSetName=NAME)
    changes = [change for page in pages for change in page.get("Changes", [])]
    return [change["ResourceChange"] for change in changes if "ResourceChange" in change]


def replaced(changes: "Sequence[ResourceChangeTypeDef]") -> dict[str, list[str]]:
    """Return what is replaced, by logical id, and the properties that are why.

    Of whatever refers to an attribute of a resource that changes at all, CloudFormation says that it may be replaced.
    An id or an ARN is another only where that resource is replaced itself, so what does not follow from one that is
    counts as kept.
    """
    new = {_id(change) for change in changes if change.get("Action") == "Add"}
    found: dict[str, list[str]] = {}
    while more := {
        _id(change): why
        for change in changes
        if _id(change) not in found and (why := _why(change, new | found.keys())) is not None
    }:
        found |= more
    return found


def _why(change: "ResourceChangeTypeDef", other: set[str]) -> list[str] | None:
    """Return the properties for which a resource is replaced, or None where it is kept.

    Args:
        change: what is said of it.
        other: the logical ids that stand for another resource afterwards.
    """
    says = change.get("Replacement", "False")
    if says == "False":
        return None
    details = change.get("Details", [])
    names = sorted({_property(detail) for detail in details if _recreates(detail, details, other)})
    return names if names or says == "True" else None


def _recreates(
    detail: "ResourceChangeDetailTypeDef", details: "Sequence[ResourceChangeDetailTypeDef]", other: set[str]
) -> bool:
    if detail.get("Target", {}).get("RequiresRecreation", "Never") == "Never":
        return False
    if detail.get("Evaluation") == "Static":
        return True
    if cause := _cause(detail):
        return cause in other
    # A second entry for the same property names what its new value depends on, or nobody knows it.
    return not any(_cause(each) and _property(each) == _property(detail) for each in details)


def _cause(detail: "ResourceChangeDetailTypeDef") -> str:
    return detail.get("CausingEntity", "").partition(".")[0]


def _property(detail: "ResourceChangeDetailTypeDef") -> str:
    return detail.get("Target", {}).get("Name", "")


def _id(change: "ResourceChangeTypeDef") -> str:
    return change.get("LogicalResourceId", "")
