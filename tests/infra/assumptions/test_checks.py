"""Each check holds where AWS is as we say, and tells of a difference where it is not."""

from collections.abc import Callable
from typing import Any

import pytest

from infra import naming
from infra.assumptions import checks
from infra.assumptions.check import Experiment
from infra.aws import quotas
from tests.infra.assumptions.observed import (
    HISTORY,
    NAME,
    PLATFORM,
    POLLED,
    PROVIDER,
    ROLE,
    WHOLE,
    ObservedAws,
    asked,
    outcomes,
)
from tests.infra.fakes.base import Answer, AwsError
from tests.infra.fakes.commands import facts
from tests.infra.fakes.environments import environment
from tests.infra.fakes.history import event
from tests.infra.fakes.lambda_ import FakeExecution

Differ = Callable[[ObservedAws], object]
When = Callable[[Answer], object]

POLLS = "a_condition_that_is_not_met_names_its_next_poll"
# Longer than a check waits for an execution to appear, and not as long as one is followed.
LATE = 70


def always(_: Answer) -> bool:
    return True


def refusing(operation: str, when: When = always, code: str = "ValidationException") -> Differ:
    """Refuse an operation for a reason that says nothing."""

    def refuse(parameters: Answer) -> None:
        if when(parameters):
            raise AwsError(code, "no")

    return lambda aws: aws.instead.update({operation: refuse})


def answering(operation: str, answer: Answer, when: When = always) -> Differ:
    """Answer an operation so, whatever there is."""
    return lambda aws: aws.instead.update({operation: lambda parameters: answer if when(parameters) else None})


def changing(operation: str, change: Callable[[Answer], object]) -> Differ:
    """Change what an operation answers."""
    return lambda aws: aws.changes.update({operation: change})


def telling(*events: Any) -> Differ:
    """Let this be the history of each execution."""
    return answering("GetDurableExecutionHistory", {"Events": list(events)})


def drifted(stack: str) -> Differ:
    """Let all resources of a stack be told as changed."""

    def drift(aws: ObservedAws) -> None:
        for each in aws.formation.drifts[stack]:
            each["StackResourceDriftStatus"] = "MODIFIED"

    return drift


def late(operation: str, meanwhile: Answer | None = None) -> Differ:
    """Let an operation know of nothing yet for a while."""

    def differ(aws: ObservedAws) -> None:
        def is_early(_: Answer) -> bool:
            return aws.clock.monotonic() < LATE

        hidden = refusing(operation, is_early, "ResourceNotFoundException")
        (hidden if meanwhile is None else answering(operation, meanwhile, is_early))(aws)

    return differ


def failing(operation: str, answer: Answer) -> Differ:
    """Let what runs fail by an operation, which is taken."""

    def differ(aws: ObservedAws) -> None:
        def fail(_: Answer) -> Answer:
            for each in aws.function.executions:
                each.status = "FAILED"
            return answer

        aws.instead[operation] = fail

    return differ


def without_end(execution: FakeExecution) -> None:
    execution.status = "FAILED"


def is_of_nobody(parameters: Answer) -> bool:
    return ":999999999999:" in parameters["FunctionName"]


def in_state(state: str) -> Differ:
    """Let no version be told in a state, but as one that failed."""
    return changing(
        "GetFunctionConfiguration", lambda answer: answer.update(State="Failed") if answer.get("State") == state else 0
    )


def another_version(answer: Answer) -> None:
    answer["Version"] += "9"


def second_only(aws: ObservedAws) -> None:
    """Let Lambda publish a version although nothing is new."""
    aws.changes["PublishVersion"] = lambda answer: another_version(answer) if aws.count("PublishVersion") > 1 else None


FAILED = changing("GetDurableExecution", lambda answer: answer.update(Status="FAILED"))
FIRST_PAGE = {
    "DurableExecutions": [
        {
            "DurableExecutionArn": "x",
            "DurableExecutionName": "x",
            "FunctionArn": "x",
            "StartTimestamp": HISTORY[0]["EventTimestamp"],
            "Status": "RUNNING",
        }
    ],
    "NextMarker": "1",
}
NO_INVOCATION = [each for each in HISTORY if each["EventType"] != "InvocationCompleted"]
BACKWARDS = [event("StepStarted", 9, "x"), event("StepSucceeded", 8, "x")]
LINE = {"message": "plain", "timestamp": 1, "ingestionTime": 20_000}
VOLUME = {"VolumeType": "gp3", "Size": 20}

# How AWS would be another than we say.
DIFFERENT: dict[str, Differ] = {
    "an_unknown_stack_does_not_exist": refusing("DescribeStacks", lambda asked: "nowhere" in asked["StackName"]),
    "a_denial_has_a_code_that_we_know": answering("GetFunctionConfiguration", {}, is_of_nobody),
    "the_parameter_names_the_provider": answering("GetParameter", {"Parameter": {"Value": "another"}}),
    "a_deployment_needs_no_more_than_its_policies": lambda aws: aws.attached[ROLE.rpartition("/")[2]].append("Admin"),
    "what_is_tagged_names_its_stack": lambda aws: aws.tagged.append(("arn", naming.tags(WHOLE))),
    "a_provider_does_not_drift_by_itself": drifted(PLATFORM),
    "a_function_does_not_drift_by_itself": drifted(NAME),
    "a_secret_does_not_drift_by_itself": drifted(NAME),
    "a_secret_is_named_by_its_resource": lambda aws: aws.formation.resources[NAME][-1].update(
        PhysicalResourceId="arn:aws:secretsmanager:acme-dev-billing-secret"
    ),
    "a_provider_is_named_by_its_stack": lambda aws: aws.formation.stack(
        PLATFORM, {}, outputs={"CapacityProviderArn": "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:x"}
    ),
    "a_provider_lists_the_version_that_is_live": lambda aws: aws.lambda_.on_provider[PROVIDER].clear(),
    "a_provider_counts_numbers_alone": lambda aws: aws.lambda_.on_provider[PROVIDER].append("x:$LATEST.PUBLISHED"),
    "an_instance_has_four_vcpus": changing(
        "DescribeInstanceTypes", lambda answer: answer["InstanceTypes"][0]["VCpuInfo"].update(DefaultVCpus=2)
    ),
    "an_environment_is_an_instance": lambda aws: aws.instances.append(aws.instances[0]),
    "an_instance_has_the_tags_of_its_provider": lambda aws: aws.instances.append({"InstanceId": "i-2"}),
    "an_instance_has_no_disk_that_we_pay_for": answering("DescribeVolumes", {"Volumes": [VOLUME]}),
    "the_quota_of_vcpus_has_this_code": lambda aws: aws.names.update({quotas.VCPUS: "Functions"}),
    "the_quota_of_starts_has_this_code": lambda aws: aws.names.update({quotas.STARTS: "Functions"}),
    "an_unknown_execution_is_not_found": refusing("GetDurableExecution"),
    "an_unknown_callback_is_refused": answering("SendDurableExecutionCallbackSuccess", {}),
    "a_list_takes_the_statuses_of_pauses": refusing("ListDurableExecutionsByFunction"),
    "latest_published_has_no_environments": lambda aws: setattr(aws.lambda_, "latest_published", 3),
    "a_version_has_the_environments_of_its_template": lambda aws: aws.function.applied.update({"1": {"least": 3}}),
    "an_execution_belongs_to_the_version_that_is_live": changing(
        "GetAlias", lambda answer: answer.update(FunctionVersion="7")
    ),
    "an_execution_is_read_with_its_version": changing(
        "GetDurableExecution", lambda answer: answer.pop("Version", None)
    ),
    "an_execution_is_readable_soon": late("GetDurableExecution"),
    "an_execution_is_listed_soon": late("ListDurableExecutionsByFunction", {"DurableExecutions": []}),
    "the_same_start_is_one_execution": lambda aws: setattr(aws.lambda_, "is_idempotent", False),
    "another_event_under_its_name_is_refused": answering(
        "Invoke", {"DurableExecutionArn": "x"}, lambda asked: "billId" not in str(asked["Payload"])
    ),
    "what_runs_is_stopped": failing("StopDurableExecution", {}),
    "executions_are_listed_newest_first": changing(
        "ListDurableExecutionsByFunction", lambda answer: answer["DurableExecutions"].reverse()
    ),
    "a_list_of_executions_goes_on": answering(
        "ListDurableExecutionsByFunction", FIRST_PAGE, lambda asked: "MaxItems" in asked
    ),
    "data_is_told_where_it_is_asked_for": changing("GetDurableExecution", lambda answer: answer.pop("Result", None)),
    "an_execution_keeps_its_contract": telling(*HISTORY[:6], HISTORY[-1]),
    "a_history_has_events_that_we_know": telling(*HISTORY, event("ExecutionMoved", 6)),
    "a_history_is_told_oldest_first": telling(*reversed(HISTORY)),
    "an_invocation_is_told_with_its_request": telling(*NO_INVOCATION),
    "an_attempt_ends_no_earlier_than_it_starts": telling(*HISTORY, *BACKWARDS),
    POLLS: telling(*HISTORY, POLLED[0], event("StepSucceeded", 5.42, "poll"), *POLLED[2:]),
    "checkpoints_go_through_an_endpoint": lambda aws: aws.function.behaviour.update({"1": without_end}),
    "what_has_ended_is_not_stopped": answering("StopDurableExecution", {}),
    "a_pattern_finds_the_lines_of_a_request": answering("FilterLogEvents", {"events": []}),
    "lines_are_json": answering("FilterLogEvents", {"events": [LINE]}),
    "lines_arrive_soon": answering("FilterLogEvents", {"events": [LINE]}),
    "lines_name_their_execution": answering(
        "FilterLogEvents", {"events": []}, lambda asked: "executionArn" in asked["filterPattern"]
    ),
    "a_version_begins_with_three_environments": changing(
        "GetFunctionScalingConfig",
        lambda answer: answer.update(RequestedFunctionScalingConfig={"MinExecutionEnvironments": 1}),
    ),
    "nothing_new_is_not_published_again": second_only,
    "a_version_becomes_active": in_state("Active"),
    "a_version_takes_a_place_on_the_provider": changing(
        "ListFunctionVersionsByCapacityProvider", lambda answer: answer.update(FunctionVersions=[])
    ),
    "a_version_is_started_by_its_number": FAILED,
    "an_alias_with_weights_starts_on_one_of_its_versions": changing(
        "Invoke", lambda answer: answer.update(DurableExecutionArn=answer["DurableExecutionArn"].replace(":2/", ":9/"))
    ),
    "a_version_sleeps_within_minutes": changing(
        "GetFunctionScalingConfig",
        lambda answer: answer.update(AppliedFunctionScalingConfig={"MinExecutionEnvironments": 1}),
    ),
    "a_sleeping_version_is_deactivated": in_state("Deactivated"),
    "a_sleeping_version_refuses_starts": answering(
        "Invoke", {"DurableExecutionArn": "x"}, lambda asked: not asked["FunctionName"].endswith(":live")
    ),
    "a_version_wakes_within_minutes": changing(
        "GetFunctionScalingConfig",
        lambda answer: answer.update(AppliedFunctionScalingConfig={"MinExecutionEnvironments": 0}),
    ),
    "a_version_that_woke_runs_executions": FAILED,
    "a_version_with_executions_is_not_deleted": failing("DeleteFunction", {"StatusCode": 204}),
}


def test_all_holds_where_aws_is_as_we_say_and_nothing_is_left() -> None:
    aws = ObservedAws()
    report = asked(aws)
    assert {name for name, outcome in outcomes(report).items() if outcome != "holds"} == {POLLS}, report.facts
    assert (report.code, facts(report)["left_behind"]) == (0, [])
    assert list(aws.function.versions) == ["1"]
    assert aws.lambda_.description == ""
    assert not [each for each in aws.function.executions if each.status == "RUNNING"]


def test_a_condition_is_looked_at_where_a_function_has_one() -> None:
    aws = ObservedAws()
    telling(*HISTORY, *POLLED)(aws)
    assert outcomes(asked(aws, "--only", POLLS)) == {POLLS: "holds"}


@pytest.mark.parametrize("name", checks())
def test_each_check_tells_of_a_difference(name: str) -> None:
    aws = ObservedAws()
    DIFFERENT[name](aws)
    report = asked(aws, "--only", name)
    assert outcomes(report) == {name: "differs"}, report.facts
    assert report.code == 1


def test_what_reads_starts_and_publishes_nothing() -> None:
    aws = ObservedAws()
    names = [name for name, each in checks().items() if each.experiment is Experiment.READING]
    asked(aws, "--only", ",".join(names))
    writing = {operation for operation, _ in aws.calls if not operation.startswith(("Get", "List", "Describe"))}
    assert writing == {"DetectStackDrift", "SendDurableExecutionCallbackSuccess"}


def without_role(aws: ObservedAws) -> None:
    for stack in (NAME, PLATFORM):
        aws.formation.stacks[stack].pop("RoleARN")


UNREACHABLE: dict[str, Differ] = {
    "a_deployment_needs_no_more_than_its_policies": without_role,
    "what_is_tagged_names_its_stack": lambda aws: aws.tagged.clear(),
    "a_provider_does_not_drift_by_itself": lambda aws: aws.formation.drifts[PLATFORM].clear(),
    "a_secret_does_not_drift_by_itself": lambda aws: aws.formation.resources[NAME].pop(),
    "a_secret_is_named_by_its_resource": lambda aws: aws.formation.resources[NAME].pop(),
    "an_instance_has_the_tags_of_its_provider": changing(
        "GetCapacityProvider", lambda answer: answer["CapacityProvider"].pop("PropagateTags")
    ),
    "an_environment_is_an_instance": lambda aws: aws.instances.clear(),
    "an_execution_belongs_to_the_version_that_is_live": lambda aws: aws.function.aliases.clear(),
    "lines_are_json": telling(*NO_INVOCATION),
    "a_version_sleeps_within_minutes": in_state("Active"),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_what_is_not_there_to_be_asked_is_told_and_is_no_difference(name: str) -> None:
    aws = ObservedAws()
    UNREACHABLE[name](aws)
    report = asked(aws, "--only", name)
    assert (outcomes(report), report.code) == ({name: "not reached"}, 0), report.facts


OF_OTHER_FILES = {
    "checkpoints_go_through_an_endpoint": environment(network={"nat_gateways": 1}),
    "an_instance_has_four_vcpus": environment(capacity_provider={"instance_types": ["m7g.large"]}),
}


@pytest.mark.parametrize("name", OF_OTHER_FILES)
def test_what_the_file_of_another_environment_would_ask_is_told(name: str) -> None:
    assert outcomes(asked(ObservedAws(), "--only", name, on=OF_OTHER_FILES[name])) == {name: "not reached"}
