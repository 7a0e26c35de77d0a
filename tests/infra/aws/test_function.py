"""A deployed function: its alias, its versions and its executions, and what Lambda's refusals become."""

import re
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import naming
from infra.aws import function as module
from infra.aws.function import DeployedFunction
from infra.errors import CommandError
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV

NAME = "acme-dev-billing"
# What a stack gave its alias: it sends a tenth to another version.
HELD: dict[str, Any] = {
    "FunctionVersion": "1",
    "Description": "of the stack",
    "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}},
}


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    aws.lambda_.function(NAME, "1", "2")
    aws.lambda_.functions[NAME].aliases = {naming.ALIAS: dict(HELD)}
    return aws


@pytest.fixture
def function(aws: FakeAws) -> DeployedFunction:
    return target(aws, DEV).function("billing")


def aliases(aws: FakeAws) -> dict[str, Any]:
    return aws.lambda_.functions[NAME].aliases


def test_a_function_that_was_closed_and_opened_is_as_it_was(aws: FakeAws, function: DeployedFunction) -> None:
    for _ in range(2):
        function.close()
        assert aliases(aws) == {naming.CLOSED_ALIAS: HELD}
    assert function.is_closed()
    assert function.live() is None
    with pytest.raises(CommandError, match="was drained"):
        function.refuse_if_closed()
    for _ in range(2):
        function.open()
        assert aliases(aws) == {naming.ALIAS: HELD}
    function.refuse_if_closed()
    assert function.live() == "1"


def test_closing_or_opening_that_was_interrupted_is_finished_by_the_next(
    aws: FakeAws, function: DeployedFunction
) -> None:
    aliases(aws)[naming.CLOSED_ALIAS] = {"FunctionVersion": "2"}
    assert not function.is_closed()
    function.close()
    assert aliases(aws) == {naming.CLOSED_ALIAS: HELD}
    aliases(aws)[naming.ALIAS] = {"FunctionVersion": "2"}
    function.open()
    assert aliases(aws) == {naming.ALIAS: HELD}


def test_an_alias_that_others_may_invoke_is_not_closed_since_that_would_be_lost(
    aws: FakeAws, function: DeployedFunction
) -> None:
    aws.lambda_.functions[NAME].policies.add(naming.ALIAS)
    with pytest.raises(CommandError, match="has a resource policy"):
        function.close()
    aws.lambda_.functions[NAME].policies = set()
    aws.deny("GetPolicy")
    with pytest.raises(ClientError, match="no GetPolicy"):
        function.close()
    assert aliases(aws) == {naming.ALIAS: HELD}


def test_going_live_moves_the_alias_to_a_version_that_there_is(aws: FakeAws, function: DeployedFunction) -> None:
    function.go_live("2")
    assert aliases(aws)[naming.ALIAS]["FunctionVersion"] == "2"
    with pytest.raises(CommandError, match=f"{NAME} has no version 3"):
        function.go_live("3")


def test_what_is_not_there_is_neither_live_nor_closed_and_has_nothing() -> None:
    function = target(FakeAws(), DEV).function("billing")
    function.close()
    function.open()
    assert (function.live(), function.is_closed(), function.versions(), function.running()) == (None, False, [], [])
    with pytest.raises(CommandError, match=f"no function {NAME}:live in {DEV.region}; deploy it first"):
        function.start("run-1", b"{}")


def test_every_page_of_aliases_and_versions_is_read_and_only_numbers_are_versions(
    aws: FakeAws, function: DeployedFunction
) -> None:
    made = aws.lambda_.function(NAME, "9", "2", "10", "1")
    made.aliases |= {"other": {"FunctionVersion": "2"}, "third": {"FunctionVersion": "9"}}
    assert function.versions() == ["10", "9", "2", "1"]
    assert [alias.get("Name") for alias in function.aliases()] == [naming.ALIAS, "other", "third"]


@pytest.mark.parametrize("refused", ["GetAlias", "ListVersionsByFunction", "ListDurableExecutionsByFunction"])
def test_what_may_not_be_read_is_an_error_and_not_nothing(
    refused: str, aws: FakeAws, function: DeployedFunction
) -> None:
    aws.deny(refused)
    with pytest.raises(ClientError, match=f"no {refused}"):
        _ = function.live(), function.versions(), function.running()


@pytest.mark.parametrize("refused", ["UpdateAlias", "PutFunctionScalingConfig", "Invoke"])
def test_what_may_not_be_done_is_not_told_as_a_version_that_is_missing(
    refused: str, aws: FakeAws, function: DeployedFunction
) -> None:
    aws.deny(refused)
    with pytest.raises(ClientError, match=f"no {refused}"):
        _ = function.go_live("2"), function.scaling.set("2", 3, 4), function.start("run-1", b"{}")


def test_a_version_is_deleted_by_its_number(aws: FakeAws, function: DeployedFunction) -> None:
    aws.lambda_.function(NAME, "7", "12")
    function.delete_version("7")
    assert list(aws.lambda_.functions[NAME].versions) == ["12"]


@pytest.mark.parametrize(
    "version",
    ["", "0", "$LATEST", "$LATEST.PUBLISHED", "live", "closed", "7 ", "7\n", "-7", "07", "7,8", "\u0667", "*"],
)
def test_nothing_but_a_number_is_ever_deleted(version: str, aws: FakeAws, function: DeployedFunction) -> None:
    with pytest.raises(ValueError, match=f"is not the number of a version of {NAME}"):
        function.delete_version(version)
    assert aws.calls == []


def test_a_start_is_asynchronous_through_the_alias(aws: FakeAws, function: DeployedFunction) -> None:
    arn = function.start("run-1", b'{"billId": "1"}')
    assert arn == aws.lambda_.functions[NAME].executions[0].arn
    assert aws.asked("Invoke") == [
        {
            "FunctionName": f"{NAME}:{naming.ALIAS}",
            "InvocationType": "Event",
            "DurableExecutionName": "run-1",
            "Payload": b'{"billId": "1"}',
        }
    ]


def test_a_function_that_is_not_durable_is_an_error(aws: FakeAws, function: DeployedFunction) -> None:
    aws.lambda_.functions[NAME].durable = False
    with pytest.raises(CommandError, match="durable config"):
        function.start("run-1", b"{}")


def test_an_execution_is_followed_to_its_result(aws: FakeAws, function: DeployedFunction) -> None:
    execution = aws.lambda_.execution(NAME, "run-1")
    aws.clock.after(20, lambda: vars(execution).update(status="SUCCEEDED", result='{"billId": "1"}'))
    ended = function.follow(execution.arn, 60)
    assert (ended.succeeded, ended.result, ended.version, ended.error) == (True, {"billId": "1"}, "1", None)
    assert all(each["IncludeExecutionData"] for each in aws.asked("GetDurableExecution"))


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "STOPPED", "DELETING"])
def test_any_other_end_is_no_success(status: str, aws: FakeAws, function: DeployedFunction) -> None:
    execution = aws.lambda_.execution(NAME, "run-1", status)
    execution.error = {"ErrorType": "InvalidBill", "ErrorMessage": "billId is missing"}
    ended = function.follow(execution.arn, 60)
    assert (ended.succeeded, ended.status, ended.error) == (False, status, "InvalidBill: billId is missing")


@pytest.mark.parametrize("status", ["RUNNING", "PAUSING", "PAUSED"])
def test_what_has_not_ended_at_the_deadline_is_named_with_its_status(
    status: str, aws: FakeAws, function: DeployedFunction
) -> None:
    execution = aws.lambda_.execution(NAME, "run-1", status)
    with pytest.raises(CommandError, match=f"{re.escape(execution.arn)} is {status} after 60 s"):
        function.follow(execution.arn, 60)
    assert execution.status == status


def test_an_execution_that_is_not_visible_yet_is_waited_for(aws: FakeAws, function: DeployedFunction) -> None:
    execution = aws.lambda_.execution(NAME, "run-1", "SUCCEEDED")
    aws.lambda_.functions[NAME].executions = []
    aws.clock.after(module.APPEARS_WITHIN_SECONDS - 1, lambda: aws.lambda_.functions[NAME].executions.append(execution))
    assert function.follow(execution.arn, 60).succeeded


def test_an_execution_that_never_appears_is_an_error(aws: FakeAws, function: DeployedFunction) -> None:
    arn = aws.lambda_.execution(NAME, "run-1").arn
    aws.lambda_.functions[NAME].executions = []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        function.follow(arn, 3600)
    with pytest.raises(CommandError, match="not visible yet after 5 s"):
        function.follow(arn, 5)


def test_a_history_is_read_whole(aws: FakeAws, function: DeployedFunction) -> None:
    execution = aws.lambda_.execution(NAME, "run-1")
    kinds = ["ExecutionStarted", "StepStarted", "StepSucceeded", "ExecutionSucceeded"]
    execution.events = [{"EventType": kind} for kind in kinds]
    assert [event.get("EventType") for event in function.history(execution.arn)] == kinds
    assert all(each["IncludeExecutionData"] for each in aws.asked("GetDurableExecutionHistory"))


def test_what_runs_pauses_or_is_paused_counts_oldest_first_from_every_page(
    aws: FakeAws, function: DeployedFunction
) -> None:
    statuses = ["RUNNING", "PAUSING", "PAUSED", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED", "DELETING"]
    for hours, status in enumerate(statuses):
        execution = aws.lambda_.execution(NAME, f"run-{hours}", status, version="1" if hours else "2")
        execution.started -= timedelta(hours=hours)
    assert [(each.name, each.version, each.status) for each in function.running()] == [
        ("run-3", "1", "RUNNING"),
        ("run-2", "1", "PAUSED"),
        ("run-1", "1", "PAUSING"),
        ("run-0", "2", "RUNNING"),
    ]
    assert [each.status for each in function.executions()] == statuses


def test_an_execution_that_names_no_version_ends_the_list(aws: FakeAws, function: DeployedFunction) -> None:
    aws.lambda_.execution(NAME, "run-1").arn = "run-1"
    with pytest.raises(CommandError, match="can't be told to a version"):
        function.running()


def test_a_stop_says_why_and_tells_an_end_of_its_own_from_a_refusal(aws: FakeAws, function: DeployedFunction) -> None:
    execution = aws.lambda_.execution(NAME, "run-1")
    assert function.stop(execution.arn, "removed")
    assert aws.asked("StopDurableExecution")[0]["Error"]["ErrorMessage"] == "removed"
    assert not function.stop(execution.arn, "removed")
    execution.status = "RUNNING"
    aws.deny("StopDurableExecution")
    with pytest.raises(ClientError, match="no StopDurableExecution"):
        function.stop(execution.arn, "removed")
