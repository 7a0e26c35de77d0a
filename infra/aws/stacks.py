"""Deployed stacks, as CloudFormation tells of them, and their deletion."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import ClientError

from infra import budgets, naming
from infra.aws.clock import Clock
from infra.console.progress import doing
from infra.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackResourceSummaryTypeDef, StackTypeDef

POLL_SECONDS = 5

# Of a stack that failed otherwise CloudFormation detects no drift (its user guide, detecting drift on an entire stack).
DETECTABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")

# Where a first deployment failed. The CDK CLI deletes such a stack before it deploys it again.
NEVER_MADE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")


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
    def commit(self) -> str | None:
        """The commit that it was deployed from, as far as it tells one yet."""
        return self.outputs.get(naming.Output.COMMIT)

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
    def has_nothing(self) -> bool:
        """Whether it was never made: the next deployment begins anew."""
        return self.is_in_review or self.status in NEVER_MADE

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

    def unprotect(self, stack: Stack) -> None:
        """Let a stack be deleted."""
        self._client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)

    def delete(self, *stacks: Stack) -> None:
        """Delete stacks side by side by their names, with the roles that they were made with, and see them gone.

        One that could not be deleted before is tried again, and one that is being deleted is waited for.

        Raises:
            CommandError: something of one could not be deleted, and the message says what, and why; or all together
                took longer than `budgets.DELETION`, and go on.
        """
        with doing(f"Deleting {', '.join(stack.name for stack in stacks)}"):
            # Its events tell which deletion they are of.
            token = f"delete-{uuid4()}"
            for stack in stacks:
                self._client.delete_stack(StackName=stack.name, ClientRequestToken=token)
            since = self._clock.monotonic()
            problems = [problem for stack in stacks if (problem := self._see_deleted(stack, token, since))]
        if problems:
            raise CommandError("\n".join(problems))

    def cancel_update(self, stack: Stack) -> None:
        """Let an update that is under way be taken back. It may have ended by itself meanwhile."""
        try:
            self._client.cancel_update_stack(StackName=stack.name)
        except ClientError:
            if (now := self.find(stack.id)) and now.status == stack.status:
                raise

    def see_update_ended(self, stack: Stack, since: float) -> None:
        """Wait until an update that is taken back has ended.

        Args:
            stack: the stack.
            since: from when on the clock `budgets.GOING_BACK` is counted.

        Raises:
            CommandError: it took longer, and goes on.
        """
        with doing(f"Taking back the update of {stack.name}"):
            # CloudFormation may tell for a moment of how the stack was before this update.
            self._wait_while(
                stack,
                lambda now: now.status.endswith("_IN_PROGRESS") or now.deployed < stack.deployed,
                budgets.GOING_BACK,
                "its roll-back",
                since,
            )

    def _see_deleted(self, stack: Stack, token: str, since: float) -> str | None:
        """Wait for the deletion of a stack, and say what stood in its way, if anything did."""

        def goes_on(now: Stack) -> bool:
            # CloudFormation may tell for a moment of how the stack was before, also that it could not be deleted. A
            # deletion that others began has another token.
            is_stale = stack.status != "DELETE_IN_PROGRESS" and not self._has_failed(now, token)
            return now.status == "DELETE_IN_PROGRESS" or (now.status != "DELETE_COMPLETE" and is_stale)

        try:
            ended = self._wait_while(stack, goes_on, budgets.DELETION, "its deletion", since)
        except CommandError as error:
            return str(error)
        if ended and ended.status != "DELETE_COMPLETE":
            return f"{stack.name} could not be deleted: {self._reasons(stack.id) or ended.status}"
        return None

    def _has_failed(self, stack: Stack, token: str) -> bool:
        """Tell whether the operation on a stack that was asked for with a token has failed."""
        return any(
            event.get("ClientRequestToken") == token and event.get("ResourceStatus", "").endswith("_FAILED")
            for event in self.events(stack.id) or []
            if event.get("PhysicalResourceId") == stack.id
        )

    def _wait_while(
        self, stack: Stack, goes_on: Callable[[Stack], bool], seconds: float, what: str, since: float
    ) -> Stack | None:
        """Wait while an operation on a stack goes on, and return what became of it; None when it is gone."""
        while (now := self.find(stack.id)) and goes_on(now):
            if self._clock.monotonic() > since + seconds:
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
