"""Executions of the deployed functions: the real CDK CLI, the real bundles and real waits, on the local AWS."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from infra import contract, naming
from infra.aws.target import Target
from tests.checkout import FOLDER
from tests.deployments.deployment import ENVIRONMENT, event, follow, name, start, synthesize

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.fixture(scope="module")
def deployed(deploy: Callable[[Path], int], target: Target, tmp_path_factory: pytest.TempPathFactory) -> Target:
    assert deploy(synthesize(tmp_path_factory.mktemp("deployed"))) == 0
    return target


def problems(target: Target, folder: str, identifier: str, arn: str) -> list[str]:
    """Follow an execution to its end, and return what of its function's contract it broke."""
    function = target.function(folder)
    ended = follow(function, arn)
    return contract.problems(contract.load(folder), identifier, ended, function.history(arn))


@pytest.mark.parametrize("folder", ENVIRONMENT.function_names)
def test_an_asynchronous_execution_keeps_every_promise(deployed: Target, folder: str) -> None:
    identifier = name()
    arn = deployed.function(folder).start(identifier, event(identifier, folder))
    assert problems(deployed, folder, identifier, arn) == []


@pytest.mark.parametrize("folder", ENVIRONMENT.function_names)
def test_a_synchronous_execution_answers_with_the_result(deployed: Target, client: "LambdaClient", folder: str) -> None:
    identifier = name()
    response = client.invoke(
        FunctionName=f"{deployed.function_name(folder)}:{naming.ALIAS}",
        DurableExecutionName=identifier,
        Payload=event(identifier, folder),
    )
    assert "FunctionError" not in response
    arn = response["DurableExecutionArn"]
    assert problems(deployed, folder, identifier, arn) == []
    assert json.loads(response["Payload"].read()) == follow(deployed.function(folder), arn).result


def test_the_same_name_starts_one_execution(deployed: Target) -> None:
    function, identifier = deployed.function(FOLDER), name()
    first, second = (start(function, identifier) for _ in range(2))
    assert first == second
    with pytest.raises(ClientError, match="DurableExecutionAlreadyStartedException"):
        function.start(identifier, json.dumps({"another": identifier}).encode())
