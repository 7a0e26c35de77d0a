"""CloudFormation in memory: stacks, their resources, events and drift, and their deletion."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from tests.infra.fakes.base import Answer, AwsError, FakeClock, page


class FakeCloudFormation:
    """The stacks of an account and region."""

    def __init__(self, account: str, region: str, clock: FakeClock, forget: Callable[[str], object]) -> None:
        self.account, self.region, self.clock = account, region, clock
        self._forget = forget  # called with the name of a stack that is gone
        self.stacks: dict[str, Answer] = {}  # as DescribeStacks tells of them, by name
        self.gone: dict[str, Answer] = {}  # deleted ones, by id
        self.resources: dict[str, list[Answer]] = {}
        self.templates: dict[str, Answer | str] = {}
        self.changes: dict[str, list[Answer]] = {}  # of the change set of a stack
        self.events: dict[str, list[Answer]] = {}  # by stack id, newest first
        self.undeletable: dict[str, str] = {}  # why a stack can't be deleted, by name
        self.deletion_seconds = self.going_back_seconds = 30.0
        self.drifts: dict[str, list[Answer]] = {}
        self.detections: dict[str, list[str]] = {}  # the statuses that a detection has one after another, by stack

    def stack(self, name: str, tags: Mapping[str, str], status: str = "UPDATE_COMPLETE", **more: Any) -> Answer:
        """Make a stack that was deployed a day ago."""
        outputs: dict[str, str] = more.pop("outputs", {})
        number = len(self.stacks) + len(self.gone)
        self.stacks[name] = {
            "StackName": name,
            "StackId": f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{name}/{number}",
            "StackStatus": status,
            "CreationTime": self.clock.now() - timedelta(days=1),
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            **more,
        }
        return self.stacks[name]

    def _stack(self, name: str) -> Answer:
        found = self.stacks.get(name) or self.gone.get(name)
        found = found or next((each for each in self.stacks.values() if each["StackId"] == name), None)
        if found is None:
            raise AwsError("ValidationError", f"Stack with id {name} does not exist")
        return found

    def describe_stacks(self, parameters: Answer) -> Answer:
        return {"Stacks": [self._stack(parameters["StackName"])]}

    def list_stacks(self, parameters: Answer) -> Answer:
        stacks = [*self.stacks.values(), *self.gone.values()]
        keys = ("StackName", "StackId", "StackStatus", "CreationTime")
        found = [{key: each[key] for key in keys} for each in stacks]
        return page(found, parameters, "StackSummaries", "NextToken", "NextToken")

    def list_stack_resources(self, parameters: Answer) -> Answer:
        stack = self._stack(parameters["StackName"])
        base = {"ResourceStatus": "CREATE_COMPLETE", "LastUpdatedTimestamp": self.clock.now()}
        found = [base | each for each in self.resources.get(stack["StackName"], [])]
        return page(found, parameters, "StackResourceSummaries", "NextToken", "NextToken")

    def describe_stack_events(self, parameters: Answer) -> Answer:
        stack_id = parameters["StackName"]
        if stack_id not in self.events:
            raise AwsError("ValidationError", f"Stack [{stack_id}] does not exist")
        base = {"StackId": stack_id, "StackName": "some", "Timestamp": self.clock.now()}
        found = [base | {"EventId": str(number)} | each for number, each in enumerate(self.events[stack_id])]
        return page(found, parameters, "StackEvents", "NextToken", "NextToken")

    def get_template(self, parameters: Answer) -> Answer:
        template = self.templates.get(self._stack(parameters["StackName"])["StackName"], {"Resources": {}})
        return {"TemplateBody": template if isinstance(template, str) else json.dumps(template)}

    def describe_change_set(self, parameters: Answer) -> Answer:
        name = self._stack(parameters["StackName"])["StackName"]
        if name not in self.changes:
            raise AwsError("ChangeSetNotFoundException", f"ChangeSet [{parameters['ChangeSetName']}] does not exist")
        found = [{"Type": "Resource", "ResourceChange": each} for each in self.changes[name]]
        return page(found, parameters, "Changes", "NextToken", "NextToken")

    def update_termination_protection(self, parameters: Answer) -> Answer:
        stack = self._stack(parameters["StackName"])
        stack["EnableTerminationProtection"] = parameters["EnableTerminationProtection"]
        return {"StackId": stack["StackId"]}

    def delete_stack(self, parameters: Answer) -> Answer:
        stack = self.stacks.get(parameters["StackName"])
        if stack is None:
            return {}
        if stack.get("EnableTerminationProtection"):
            raise AwsError(
                "ValidationError", f"{stack['StackName']} cannot be deleted while TerminationProtection is on"
            )
        if stack["StackStatus"] != "DELETE_IN_PROGRESS":
            stack["StackStatus"] = "DELETE_IN_PROGRESS"
            token = parameters.get("ClientRequestToken")
            self.clock.after(self.deletion_seconds, lambda: self._delete(stack, token))
        return {}

    def _delete(self, stack: Answer, token: str | None) -> None:
        name = stack["StackName"]
        if reason := self.undeletable.get(name):
            stack["StackStatus"] = "DELETE_FAILED"
            of = {"ClientRequestToken": token} if token else {}
            self._failed(stack, "Only", "AWS::SSM::Parameter", "only", ResourceStatusReason=reason, **of)
            why = "it failed to delete [Only]"
            self._failed(stack, name, "AWS::CloudFormation::Stack", stack["StackId"], ResourceStatusReason=why, **of)
            return
        stack["StackStatus"] = "DELETE_COMPLETE"
        self.gone[stack["StackId"]] = self.stacks.pop(name)
        self._forget(name)

    def _failed(self, stack: Answer, logical_id: str, kind: str, physical_id: str, **more: str) -> None:
        event = {"LogicalResourceId": logical_id, "ResourceType": kind, "PhysicalResourceId": physical_id}
        event |= {"ResourceStatus": "DELETE_FAILED", **more}
        self.events.setdefault(stack["StackId"], []).insert(0, event)

    def cancel_update_stack(self, parameters: Answer) -> Answer:
        stack = self._stack(parameters["StackName"])
        if stack["StackStatus"] != "UPDATE_IN_PROGRESS":
            raise AwsError("ValidationError", f"CancelUpdateStack cannot be called from {stack['StackStatus']}")
        stack["StackStatus"] = "UPDATE_ROLLBACK_IN_PROGRESS"
        self.clock.after(self.going_back_seconds, lambda: stack.update(StackStatus="UPDATE_ROLLBACK_COMPLETE"))
        return {}

    def detect_stack_drift(self, parameters: Answer) -> Answer:
        return {"StackDriftDetectionId": self._stack(parameters["StackName"])["StackName"]}

    def describe_stack_drift_detection_status(self, parameters: Answer) -> Answer:
        name = parameters["StackDriftDetectionId"]
        statuses = self.detections.get(name, ["DETECTION_COMPLETE"])
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        base = {"StackId": "x", "StackDriftDetectionId": name, "Timestamp": self.clock.now()}
        return {**base, "DetectionStatus": status, "DetectionStatusReason": "some reason"}

    def describe_stack_resource_drifts(self, parameters: Answer) -> Answer:
        base = {"StackId": "x", "Timestamp": self.clock.now()}
        found = [base | each for each in self.drifts.get(self._stack(parameters["StackName"])["StackName"], [])]
        return page(found, parameters, "StackResourceDrifts", "NextToken", "NextToken")
