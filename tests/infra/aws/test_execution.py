"""Starting and following durable executions, against stubbed answers of Lambda."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.aws import execution
from infra.errors import CommandError

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:orders-dev:7/durable-execution/order-1/3f0c"
READ = {"DurableExecutionArn": ARN, "IncludeExecutionData": True}


@pytest.fixture
def client() -> Any:
    return boto3.client("lambda", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def answers(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def read(status: str, **more: Any) -> dict[str, Any]:
    return {
        "DurableExecutionArn": ARN,
        "DurableExecutionName": "order-1",
        "FunctionArn": ARN.partition("/")[0],
        "StartTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "Version": "7",
        "Status": status,
        **more,
    }


def follow(client: Any, deadline: float = 60) -> execution.Execution:
    return execution.follow(client, ARN, deadline, poll_seconds=0)


def test_start_is_asynchronous_and_returns_the_arn(client: Any, answers: Stubber) -> None:
    asked = {"FunctionName": "alias", "InvocationType": "Event", "DurableExecutionName": "order-1", "Payload": b"{}"}
    answers.add_response("invoke", {"StatusCode": 202, "DurableExecutionArn": ARN}, asked)
    assert execution.start(client, "alias", "order-1", b"{}") == ARN


def test_a_function_that_is_not_durable_is_an_error(client: Any, answers: Stubber) -> None:
    answers.add_response("invoke", {"StatusCode": 202})
    with pytest.raises(CommandError, match="durable config"):
        execution.start(client, "alias", "order-1", b"{}")


def test_follow_ends_with_the_result(client: Any, answers: Stubber) -> None:
    answers.add_response("get_durable_execution", read("RUNNING"), READ)
    answers.add_response("get_durable_execution", read("SUCCEEDED", Result='{"orderId": "1"}'), READ)
    ended = follow(client)
    assert (ended.succeeded, ended.result, ended.version, ended.error) == (True, {"orderId": "1"}, "7", None)


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "STOPPED", "DELETING"])
def test_any_other_end_is_no_success(client: Any, answers: Stubber, status: str) -> None:
    error = {"ErrorType": "InvalidOrder", "ErrorMessage": "orderId is missing"}
    answers.add_response("get_durable_execution", read(status, Error=error), READ)
    ended = follow(client)
    assert (ended.succeeded, ended.status, ended.error) == (False, status, "InvalidOrder: orderId is missing")


@pytest.mark.parametrize("status", ["RUNNING", "PAUSING", "PAUSED"])
def test_what_has_not_ended_at_the_deadline_is_named_with_its_status(
    client: Any, answers: Stubber, status: str
) -> None:
    answers.add_response("get_durable_execution", read(status), READ)
    with pytest.raises(CommandError, match=f"{status} after 0 s"):
        follow(client, deadline=0)


def test_an_execution_that_is_not_visible_yet_is_waited_for(client: Any, answers: Stubber) -> None:
    answers.add_client_error("get_durable_execution", "ResourceNotFoundException")
    answers.add_response("get_durable_execution", read("SUCCEEDED"), READ)
    assert follow(client).succeeded


def test_an_execution_that_never_appears_is_an_error(
    client: Any, answers: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "APPEARS_WITHIN_SECONDS", 0)
    answers.add_client_error("get_durable_execution", "ResourceNotFoundException")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        follow(client)


def test_history_reads_every_page(client: Any, answers: Stubber) -> None:
    def page(kind: str, **more: str) -> dict[str, Any]:
        return {"Events": [{"EventType": kind}], **more}

    answers.add_response("get_durable_execution_history", page("ExecutionStarted", NextMarker="2"), READ)
    answers.add_response("get_durable_execution_history", page("ExecutionSucceeded"), {**READ, "Marker": "2"})
    kinds = [event["EventType"] for event in execution.history(client, ARN)]
    assert kinds == ["ExecutionStarted", "ExecutionSucceeded"]
