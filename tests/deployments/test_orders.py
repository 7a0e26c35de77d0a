"""Orders through the deployed function: the real CDK CLI, the real bundle and real waits, on the local AWS."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from infra import contract, naming
from infra.aws.function import DeployedFunction
from tests.deployments.deployment import FUNCTION, follow, name, order, start, synthesize

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.fixture(scope="module")
def deployed(
    deploy: Callable[[Path], int], function: DeployedFunction, tmp_path_factory: pytest.TempPathFactory
) -> DeployedFunction:
    assert deploy(synthesize(tmp_path_factory.mktemp("deployed"))) == 0
    return function


def test_an_asynchronous_order_keeps_every_promise(deployed: DeployedFunction) -> None:
    identifier = name()
    ended = follow(deployed, arn := start(deployed, identifier))
    assert contract.problems(contract.load(), identifier, ended, deployed.history(arn)) == []


@pytest.mark.usefixtures("deployed")
def test_a_synchronous_order_answers_with_the_result(client: "LambdaClient") -> None:
    identifier = name()
    response = client.invoke(FunctionName=f"{FUNCTION}:{naming.ALIAS}", Payload=order(identifier))
    assert "FunctionError" not in response
    result = json.loads(response["Payload"].read())
    assert (result["orderId"], result["status"]) == (identifier, "processed")


def test_a_bad_order_fails_and_says_which_field(deployed: DeployedFunction) -> None:
    ended = follow(deployed, deployed.start(name(), b'{"orderId": ""}'))
    assert ended.status == "FAILED"
    assert ended.error
    assert ended.error.startswith("orders.order.InvalidOrder: orderId must be")


def test_the_same_name_starts_one_execution(deployed: DeployedFunction) -> None:
    identifier = name()
    first, second = (start(deployed, identifier) for _ in range(2))
    assert first == second
    with pytest.raises(ClientError, match="DurableExecutionAlreadyStartedException"):
        deployed.start(identifier, order("another"))


def test_orders_run_side_by_side(deployed: DeployedFunction) -> None:
    identifiers = [name(), name()]
    arns = [start(deployed, identifier) for identifier in identifiers]
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(partial(follow, deployed), arns))
    assert [each.result["orderId"] for each in ended] == identifiers
    histories = [deployed.history(arn) for arn in arns]
    first_ended, second_started = histories[0][-1]["EventTimestamp"], histories[1][0]["EventTimestamp"]
    assert second_started < first_ended


def test_a_stopped_order_ends_as_stopped(deployed: DeployedFunction) -> None:
    arn = start(deployed, name())
    deployed.stop(arn, "the test says so")
    assert follow(deployed, arn).status == "STOPPED"
