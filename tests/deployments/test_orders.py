"""Orders through the deployed function: the real CDK CLI, the real bundle and real waits, on the local AWS."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from infra import contract
from infra.aws import execution
from infra.aws.stack import outputs
from tests.deployments.deployment import FUNCTION, follow, name, order, start, synthesize

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.fixture(scope="module")
def alias_arn(deploy: Callable[[Path], int], session: boto3.Session, tmp_path_factory: pytest.TempPathFactory) -> str:
    assert deploy(synthesize(tmp_path_factory.mktemp("deployed"))) == 0
    return outputs(session, FUNCTION)["AliasArn"]


def test_an_asynchronous_order_keeps_every_promise(client: "LambdaClient", alias_arn: str) -> None:
    identifier = name()
    ended = follow(client, arn := start(client, alias_arn, identifier))
    assert contract.problems(contract.load(), identifier, ended, execution.history(client, arn)) == []


def test_a_synchronous_order_answers_with_the_result(client: "LambdaClient", alias_arn: str) -> None:
    identifier = name()
    response = client.invoke(FunctionName=alias_arn, Payload=order(identifier))
    assert "FunctionError" not in response
    result = json.loads(response["Payload"].read())
    assert (result["orderId"], result["status"]) == (identifier, "processed")


def test_a_bad_order_fails_and_says_which_field(client: "LambdaClient", alias_arn: str) -> None:
    ended = follow(client, execution.start(client, alias_arn, name(), b'{"orderId": ""}'))
    assert ended.status == "FAILED"
    assert ended.error
    assert ended.error.startswith("orders.order.InvalidOrder: orderId must be")


def test_the_same_name_starts_one_execution(client: "LambdaClient", alias_arn: str) -> None:
    identifier = name()
    first, second = (start(client, alias_arn, identifier) for _ in range(2))
    assert first == second
    with pytest.raises(ClientError, match="DurableExecutionAlreadyStartedException"):
        execution.start(client, alias_arn, identifier, order("another"))


def test_orders_run_side_by_side(client: "LambdaClient", alias_arn: str) -> None:
    identifiers = [name(), name()]
    arns = [start(client, alias_arn, identifier) for identifier in identifiers]
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(partial(follow, client), arns))
    assert [each.result["orderId"] for each in ended] == identifiers
    histories = [execution.history(client, arn) for arn in arns]
    first_ended, second_started = histories[0][-1]["EventTimestamp"], histories[1][0]["EventTimestamp"]
    assert second_started < first_ended


def test_a_stopped_order_ends_as_stopped(client: "LambdaClient", alias_arn: str) -> None:
    arn = start(client, alias_arn, name())
    execution.stop(client, arn, "the test says so")
    assert follow(client, arn).status == "STOPPED"
