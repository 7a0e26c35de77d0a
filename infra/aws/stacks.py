"""Deployed stacks, as CloudFormation tells of them, and their deletion."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infra import budgets
from infra.aws.clock import Clock
from infra.console.progress import doing
from infra.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackResourceSummaryTypeDef, StackTypeDef

POLL_SECONDS = 5

# Of a stack that failed otherwise CloudFormation detects no drift (its user guide, detecting drift on an entire stack).
DETECTABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")


@dataclass(frozen=True)
class Stack:
    """A stack as it was when CloudFormation described it."""

    described: "StackTypeDef"

    @property
    def name(self) -> str:
        """Its name."""
        return self.described["StackName"]

    @property
    def id(self) -> str:
        """Its ARN, by which it is known after it is gone as well."""
        return self.described.get("StackId", self.name)

    @property
    def status(self) -> str:
        """Its status."""
        return self.described["StackStatus"]

    @property
    def outputs(self) -> dict[str, str]:
        """Its outputs by their keys, as far as it has any yet."""
        return {
            output["OutputKey"]: output["OutputValue"]
            for output in self.described.get("Outputs", [])
            if "OutputKey" in output and "OutputValue" in output
        }

    @property
    def tags(self) -> dict[str, str]:
        """Its tags by their keys."""
        return {tag["Key"]: tag["Value"] for tag in self.described.get("Tags", [])}

    @property
    def created(self) -> datetime:
        """When it was made; later deployments do not change that."""
        return self.described["CreationTime"]

    @property
    def deployed(self) -> datetime:
        """When it was deployed last."""
        return self.described.get("LastUpdatedTime", self.created)

    @property
    def is_protected(self) -> bool:
        """Whether it has termination protection."""
        return self.described.get("EnableTerminationProtection", False)

    @property
    def is_changing(self) -> bool:
        """Whether somebody deploys it at this moment. One that is only being reviewed has nothing yet."""
        return self.status.endswith("_IN_PROGRESS") and not (self.is_in_review or self.status == "DELETE_IN_PROGRESS")

    @property
    def is_in_review(self) -> bool:
        """Whether it is the shell that a change set was made for, with nothing in it."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def is_at_rest(self) -> bool:
        """Whether its last deployment ended, well or in a roll-back."""
        return self.status.endswith("_COMPLETE")

    @property
    def drift_can_be_detected(self) -> bool:
        """Whether CloudFormation detects drift of a stack in its status."""
        return self.status in DETECTABLE

    def carries(self, tags: Mapping[str, str]) -> bool:
        """Tell whether it has all of these tags."""
        return tags.items() <= self.tags.items()


class Stacks:
    """The stacks of an account and region."""

    def __init__(self, client: "CloudFormationClient", clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def find(self, name: str) -> Stack | None:
        """Return a stack by its name or id, or None where there is none."""
        try:
            return Stack(self._client.describe_stacks(StackName=name)["Stacks"][0])
        except ClientError as error:
            if not _says_absent(error):
                raise
            return None

    def get(self, name: str) -> Stack:
        """Return a stack by its name.

        Raises:
            CommandError: there is none.
        """
        stack = self.find(name)
        if stack is None:
            raise CommandError(f"there is no stack {name} in {self._client.meta.region_name}; deploy it first")
        return stack

    def names(self) -> Iterator[str]:
        """Yield the names of all stacks that are there."""
        for page in self._client.get_paginator("list_stacks").paginate():
            for stack in page["StackSummaries"]:
                if stack["StackStatus"] != "DELETE_COMPLETE":
                    yield stack["StackName"]

    def template(self, name: str) -> str:
        """Return the template that a stack was last deployed with, as JSON."""
        return json.dumps(self._client.get_template(StackName=name)["TemplateBody"])

    def resources(self, name: str) -> "Iterator[StackResourceSummaryTypeDef]":
        """Yield the resources of a stack."""
        for page in self._client.get_paginator("list_stack_resources").paginate(StackName=name):
            yield from page["StackResourceSummaries"]

    def events(self, stack_id: str) -> "list[StackEventTypeDef] | None":
        """Return what happened to a stack, newest first, or None once it is forgotten, 90 days after its deletion."""
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        try:
            return [event for page in pages for event in page["StackEvents"]]
        except ClientError as error:
            if not _says_absent(error):
                raise
            return None

    def delete(self, *stacks: Stack) -> None:
        """Delete stacks by their names, all at the same time, each with the role that it was made with; see them gone.

        One that could not be deleted before is tried again, and one that is being deleted is waited for.

        Raises:
            CommandError: something of one could not be deleted, and the message says what, and why; or it took longer
                than `budgets.DELETION`, and goes on. The others are gone nevertheless.
        """
        with doing(f"Deleting {', '.join(stack.name for stack in stacks)}"):
            for stack in stacks:
                self._client.delete_stack(StackName=stack.name)
            began = self._clock.monotonic()
            problems = [problem for stack in stacks if (problem := self._deletion_problem(stack, began))]
        if problems:
            raise CommandError("\n".join(problems))

    def _deletion_problem(self, stack: Stack, began: float) -> str | None:
        """Wait for a deletion that has begun, and say why it did not succeed, if so."""
        try:
            ended = self._wait_while(stack, "DELETE_IN_PROGRESS", began, budgets.DELETION, "its deletion")
        except CommandError as error:
            # The others are still to be waited for.
            return str(error)
        if ended and ended.status != "DELETE_COMPLETE":
            return f"{stack.name} could not be deleted: {self._reasons(stack.id) or ended.status}"
        return None

    def cancel_update(self, stack: Stack) -> None:
        """Let an update that is under way be taken back, and see it end. It may have ended by itself meanwhile.

        Raises:
            CommandError: it took longer than `budgets.GOING_BACK`, and goes on.
        """
        with doing(f"Taking back the update of {stack.name}"):
            try:
                self._client.cancel_update_stack(StackName=stack.name)
            except ClientError:
                if (now := self.find(stack.id)) and now.status == stack.status:
                    raise
            began = self._clock.monotonic()
            self._wait_while(stack, "_IN_PROGRESS", began, budgets.GOING_BACK, "its roll-back")

    def _wait_while(self, stack: Stack, ending: str, began: float, seconds: float, what: str) -> Stack | None:
        """Wait while the status of a stack ends so, and return what became of it; None when it is gone.

        Raises:
            CommandError: that lasts for so many seconds after it began.
        """
        while (now := self.find(stack.id)) and now.status.endswith(ending):
            if self._clock.monotonic() > began + seconds:
                raise CommandError(
                    f"{stack.name} is {now.status} after {seconds / budgets.MINUTE:.0f} minutes; CloudFormation goes "
                    f"on with {what}: look again later"
                )
            self._clock.sleep(POLL_SECONDS)
        return now

    def _reasons(self, stack_id: str) -> str:
        """Say what of a stack could not be deleted, and why."""
        newest: dict[str, StackEventTypeDef] = {}
        for event in self.events(stack_id) or []:
            # The newest comes first. What failed in an earlier attempt may be gone since.
            newest.setdefault(event.get("LogicalResourceId", ""), event)
        return "; ".join(
            f"{event.get('ResourceType')} {resource}: {event.get('ResourceStatusReason', 'no reason given')}"
            for resource, event in newest.items()
            if event.get("ResourceStatus") == "DELETE_FAILED" and event.get("PhysicalResourceId") != stack_id
        )


def _says_absent(error: ClientError) -> bool:
    """Tell whether CloudFormation knows no such stack, for which it has no error of its own."""
    return "does not exist" in str(error)
