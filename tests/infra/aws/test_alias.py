"""Closing and opening a function on the local AWS: what the alias held comes back, whenever it is interrupted."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from infra import naming
from infra.aws import alias
from infra.errors import CommandError
from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import zipped

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ACCOUNT, REGION = "111111111111", "eu-west-1"
FUNCTION = "orders-dev"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("alias")) as started:
        yield started


@pytest.fixture
def client(aws: LocalAws) -> Iterator["LambdaClient"]:
    """A function whose alias sends a tenth to a second version."""
    client = aws.session(ACCOUNT, REGION).client("lambda")
    client.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Handler="index.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/some",
        Code={"ZipFile": zipped("")},
        Publish=True,
    )
    client.publish_version(FunctionName=FUNCTION)
    client.create_alias(
        FunctionName=FUNCTION,
        Name=naming.ALIAS,
        FunctionVersion="1",
        Description="of the stack",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    yield client
    client.delete_function(FunctionName=FUNCTION)


def held(client: "LambdaClient", name: str = naming.ALIAS) -> dict[str, Any]:
    found: Any = client.get_alias(FunctionName=FUNCTION, Name=name)
    return {key: found.get(key) for key in ("FunctionVersion", "Description", "RoutingConfig")}


def test_a_function_that_was_closed_and_opened_is_as_it_was(client: "LambdaClient") -> None:
    before = held(client)
    alias.close(client, FUNCTION)
    assert alias.is_closed(client, FUNCTION)
    assert alias.live_version(client, FUNCTION) is None
    with pytest.raises(CommandError, match="was drained"):
        alias.check_open(client, FUNCTION)
    alias.reopen(client, FUNCTION)
    alias.check_open(client, FUNCTION)
    assert held(client) == before


def test_closing_and_opening_twice_changes_nothing_more(client: "LambdaClient") -> None:
    before = held(client)
    alias.close(client, FUNCTION)
    alias.close(client, FUNCTION)
    assert held(client, naming.CLOSED_ALIAS) == before
    alias.reopen(client, FUNCTION)
    alias.reopen(client, FUNCTION)
    assert held(client) == before


def test_what_was_interrupted_between_its_two_steps_is_finished_by_the_next(client: "LambdaClient") -> None:
    before = held(client)
    client.create_alias(FunctionName=FUNCTION, Name=naming.CLOSED_ALIAS, FunctionVersion="2")
    alias.close(client, FUNCTION)
    assert held(client, naming.CLOSED_ALIAS) == before
    client.create_alias(FunctionName=FUNCTION, Name=naming.ALIAS, FunctionVersion="2")
    alias.reopen(client, FUNCTION)
    assert held(client) == before
    assert not alias.is_closed(client, FUNCTION)


def test_an_alias_that_others_may_invoke_is_not_closed_since_that_would_be_lost(client: "LambdaClient") -> None:
    client.add_permission(
        FunctionName=FUNCTION,
        Qualifier=naming.ALIAS,
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    with pytest.raises(CommandError, match="has a resource policy"):
        alias.close(client, FUNCTION)
    assert alias.live_version(client, FUNCTION) == "1"


def test_a_function_that_is_not_there_is_neither_live_nor_closed(client: "LambdaClient") -> None:
    alias.close(client, "orders-other")
    alias.reopen(client, "orders-other")
    assert alias.live_version(client, "orders-other") is None
    assert not alias.is_closed(client, "orders-other")
