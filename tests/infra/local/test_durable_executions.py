import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack, eventually

NewStack = Callable[[], DurableStack]


def listed(stack: DurableStack, **filters: Any) -> list[str]:
    pages = stack.lambda_.get_paginator("list_durable_executions_by_function").paginate(
        FunctionName=stack.name, **filters
    )
    return [execution["DurableExecutionArn"] for page in pages for execution in page["DurableExecutions"]]


def test_an_asynchronous_invoke_answers_with_the_arn_of_an_execution_that_then_succeeds(stack: DurableStack) -> None:
    arn = stack.start({}, name=(name := f"n-{uuid4()}"))
    execution = stack.ended(arn)
    assert execution["Status"] == "SUCCEEDED"
    assert execution["DurableExecutionName"] == name
    assert execution["Version"] == "1"
    assert execution["FunctionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{stack.name}:1"


def test_an_execution_is_named_as_aws_names_it_also_to_the_function(stack: DurableStack) -> None:
    execution = stack.ended(arn := stack.start({}, name=(name := f"n-{uuid4()}")))
    function = re.escape(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{stack.name}:1")
    assert re.fullmatch(rf"{function}/durable-execution/{name}/[0-9a-f-]{{36}}", arn)
    assert json.loads(execution["Result"])["arn"] == arn
    assert execution["DurableExecutionArn"] == arn
    assert listed(stack, DurableExecutionName=name) == [arn]


def test_a_synchronous_invoke_waits_for_the_result(stack: DurableStack) -> None:
    response = stack.lambda_.invoke(FunctionName=f"{stack.name}:live", Payload=b"{}")
    assert response["StatusCode"] == 200
    assert response["ExecutedVersion"] == "1"
    result = json.loads(response["Payload"].read())
    assert (result["code"], result["arn"]) == ("shared", response["DurableExecutionArn"])


def test_a_synchronous_invoke_of_a_failing_execution_says_so(stack: DurableStack) -> None:
    response = stack.lambda_.invoke(FunctionName=stack.name, Qualifier="live", Payload=b'{"fail": true}')
    assert response["FunctionError"] == "Unhandled"
    assert json.loads(response["Payload"].read()) == {"errorType": "ValueError", "errorMessage": "asked to fail"}
    assert stack.ended(response["DurableExecutionArn"])["Status"] == "FAILED"


def test_the_history_shows_a_suspension_as_two_invocations(stack: DurableStack) -> None:
    arn = stack.start_held()
    stack.release(arn)
    assert json.loads(stack.ended(arn)["Result"])["held"] == '"released"'
    history = stack.lambda_.get_durable_execution_history(DurableExecutionArn=arn, IncludeExecutionData=True)
    assert [event["EventType"] for event in history["Events"]] == [
        "ExecutionStarted",
        "CallbackStarted",
        "InvocationCompleted",
        "CallbackSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]
    invocations = [event["InvocationCompletedDetails"] for event in history["Events"][2::2]]
    assert all(invocation["StartTimestamp"] < invocation["EndTimestamp"] for invocation in invocations)


def test_the_same_name_and_event_is_the_same_execution_while_it_runs_and_afterwards(stack: DurableStack) -> None:
    name = f"n-{uuid4()}"
    arn = stack.start({"hold": True}, name)
    assert stack.start({"hold": True}, name) == arn
    eventually(lambda: listed(stack, DurableExecutionName=name))
    stack.lambda_.stop_durable_execution(DurableExecutionArn=arn)
    assert stack.start({"hold": True}, name) == arn
    assert listed(stack, DurableExecutionName=name) == [arn]


def test_the_same_name_started_at_once_is_one_execution(stack: DurableStack) -> None:
    name = f"n-{uuid4()}"
    with ThreadPoolExecutor(4) as pool:
        arns = {started.result() for started in [pool.submit(stack.start, {}, name) for _ in range(4)]}
    assert listed(stack, DurableExecutionName=name) == list(arns)


def test_the_same_name_with_another_event_is_refused(stack: DurableStack) -> None:
    stack.start({}, name := f"n-{uuid4()}")
    with pytest.raises(stack.lambda_.exceptions.DurableExecutionAlreadyStartedException):
        stack.start({"other": True}, name)


@pytest.mark.parametrize("name", ["a b", "a/b", "x" * 65])
def test_a_name_that_aws_refuses_is_refused(stack: DurableStack, name: str) -> None:
    with pytest.raises(stack.lambda_.exceptions.InvalidParameterValueException, match="DurableExecutionName"):
        stack.start({}, name)


def test_an_unqualified_invoke_is_refused(stack: DurableStack) -> None:
    with pytest.raises(stack.lambda_.exceptions.InvalidParameterValueException, match="unqualified ARN"):
        stack.lambda_.invoke(FunctionName=stack.name, InvocationType="Event", Payload=b"{}")


@pytest.mark.parametrize("qualifier", ["$LATEST", "$LATEST.PUBLISHED"])
def test_what_runs_on_no_numbered_version_is_refused(stack: DurableStack, qualifier: str) -> None:
    with pytest.raises(stack.lambda_.exceptions.InvalidParameterValueException, match="numbered versions"):
        stack.lambda_.invoke(FunctionName=f"{stack.name}:{qualifier}", InvocationType="Event", Payload=b"{}")


def test_a_version_that_is_not_there_is_not_found(stack: DurableStack) -> None:
    with pytest.raises(stack.lambda_.exceptions.ResourceNotFoundException):
        stack.lambda_.invoke(FunctionName=stack.name, Qualifier="99", InvocationType="Event", Payload=b"{}")


def test_a_stopped_execution_is_stopped_for_good(stack: DurableStack) -> None:
    arn = stack.start_held()
    stack.lambda_.stop_durable_execution(DurableExecutionArn=arn)
    assert stack.ended(arn)["Status"] == "STOPPED"
    history = stack.lambda_.get_durable_execution_history(DurableExecutionArn=arn)
    assert history["Events"][-1]["EventType"] == "ExecutionStopped"


def test_executions_are_listed_by_status_version_and_page(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    stack.ended(done := stack.start({}))
    held = stack.start_held()
    stack.deploy("two")
    stack.ended(later := stack.start({}))

    assert listed(stack) == [later, held, done]
    assert listed(stack, ReverseOrder=True) == [done, held, later]
    assert listed(stack, Statuses=["RUNNING"]) == [held]
    assert listed(stack, Statuses=["RUNNING", "FAILED", "SUCCEEDED"]) == [later, held, done]
    assert listed(stack, Qualifier="1") == [held, done]
    assert listed(stack, Qualifier="live") == [later]
    assert listed(stack, PaginationConfig={"PageSize": 1}) == [later, held, done]
    started = stack.lambda_.get_durable_execution(DurableExecutionArn=held)["StartTimestamp"]
    assert listed(stack, StartedAfter=started) == [later]
    assert listed(stack, StartedBefore=started) == [done]
    stack.lambda_.stop_durable_execution(DurableExecutionArn=held)


def test_an_execution_stays_on_the_version_that_the_alias_named_when_it_started(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    running = stack.start_held()
    stack.deploy("two")
    assert json.loads(stack.ended(stack.start({}))["Result"])["code"] == "two"
    stack.release(running)
    execution = stack.ended(running)
    assert (execution["Version"], json.loads(execution["Result"])["code"]) == ("1", "one")


def test_an_execution_is_seen_in_its_own_account_and_region_only(local_aws: LocalAws, stack: DurableStack) -> None:
    arn = stack.start({})
    for account, region in (("222222222222", REGION), (ACCOUNT, "eu-central-1")):
        stranger = local_aws.session(account, region).client("lambda")
        with pytest.raises(stranger.exceptions.ResourceNotFoundException):
            stranger.get_durable_execution(DurableExecutionArn=arn)
        with pytest.raises(stranger.exceptions.ResourceNotFoundException):
            stranger.list_durable_executions_by_function(FunctionName=stack.name)


def test_functions_of_other_accounts_and_regions_run_where_they_are(local_aws: LocalAws) -> None:
    stack = DurableStack(local_aws.session("222222222222", "us-west-1"), f"stack-{uuid4().hex[:12]}")
    stack.deploy("elsewhere")
    arn = stack.start({})
    assert arn.startswith(f"arn:aws:lambda:us-west-1:222222222222:function:{stack.name}:1/")
    assert stack.ended(arn)["Status"] == "SUCCEEDED"


def test_a_paused_execution_is_shown_as_such_and_goes_on_only_once_it_is_resumed(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    stack.pause(arn := stack.start_held())
    assert listed(stack, Statuses=["PAUSED"]) == [arn]
    assert listed(stack, Statuses=["RUNNING"]) == []
    stack.release(arn)
    eventually(lambda: "CallbackSucceeded" in stack.history(arn))
    assert listed(stack, Statuses=["PAUSED"]) == [arn]
    stack.resume(arn)
    assert stack.ended(arn)["Status"] == "SUCCEEDED"
    assert stack.history(arn).count("InvocationCompleted") == 2


def test_an_execution_is_pausing_until_its_invocation_has_ended(stack: DurableStack, tmp_path: Path) -> None:
    client: Any = stack.lambda_
    arn = stack.start({"until": str(tmp_path / "there")})
    eventually(lambda: "StepStarted" in stack.history(arn))
    client.pause_durable_execution(DurableExecutionArn=arn)
    eventually(lambda: listed(stack, Statuses=["PAUSING"]) == [arn])
    (tmp_path / "there").touch()
    eventually(lambda: listed(stack, Statuses=["PAUSED"]) == [arn])
    stack.resume(arn)
    assert stack.ended(arn)["Status"] == "SUCCEEDED"


def test_a_paused_execution_can_be_stopped(stack: DurableStack) -> None:
    stack.pause(arn := stack.start_held())
    stack.lambda_.stop_durable_execution(DurableExecutionArn=arn)
    assert stack.ended(arn)["Status"] == "STOPPED"


def test_the_pause_of_an_execution_that_is_not_there_is_refused(stack: DurableStack) -> None:
    client: Any = stack.lambda_
    with pytest.raises(stack.lambda_.exceptions.ResourceNotFoundException):
        client.pause_durable_execution(DurableExecutionArn=f"{stack.function_arn}:1/durable-execution/none/none")


def test_what_is_not_emulated_is_refused(stack: DurableStack) -> None:
    stack.ended(arn := stack.start({}))
    client: Any = stack.lambda_
    with pytest.raises(ClientError, match="does not emulate DELETE execution"):
        client.delete_durable_execution(DurableExecutionArn=arn)


@pytest.mark.parametrize("marker", ["rubbish", "-1", "1.5", "\u0663"])
def test_a_marker_that_no_page_ended_with_is_refused(stack: DurableStack, marker: str) -> None:
    with pytest.raises(stack.lambda_.exceptions.InvalidParameterValueException, match="Marker"):
        stack.lambda_.list_durable_executions_by_function(FunctionName=stack.name, Marker=marker)


def test_time_is_skipped_when_that_is_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    with LocalAws.start(tmp_path_factory.mktemp("skipping"), skip_time=True) as aws:
        stack = DurableStack(aws.session(ACCOUNT, REGION), "skipping")
        stack.deploy("one")
        execution = stack.ended(stack.start({"days": 1}))
    assert execution["Status"] == "SUCCEEDED"
    assert execution["EndTimestamp"] - execution["StartTimestamp"] >= timedelta(days=1)
