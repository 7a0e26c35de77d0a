"""What AWS refuses is refused, as the exception that boto3 has for it. What the model says of each call is in
server/test_api_model.py.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra import limits
from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.fixture(scope="module")
def unchecked(local_aws: LocalAws) -> "LambdaClient":
    """A client that sends what boto3 itself would refuse."""
    return local_aws.session(ACCOUNT, REGION).client("lambda", config=Config(parameter_validation=False))


Call = Callable[[Any, DurableStack], object]

INVALID: dict[str, Call] = {
    "status": lambda client, stack: client.list_durable_executions_by_function(
        FunctionName=stack.name, Statuses=["ENDED"]
    ),
    "invocation type": lambda client, stack: client.invoke(
        FunctionName=stack.name, Qualifier="live", InvocationType="Later"
    ),
    "two qualifiers": lambda client, stack: client.invoke(FunctionName=f"{stack.name}:live", Qualifier="1"),
    "marker of a history": lambda client, stack: client.get_durable_execution_history(
        DurableExecutionArn=stack.ended(stack.start({}))["DurableExecutionArn"], Marker="rubbish"
    ),
    "scaling": lambda client, stack: client.put_function_scaling_config(
        FunctionName=stack.name, Qualifier="1", FunctionScalingConfig={"MinExecutionEnvironments": "many"}
    ),
    "name of a provider": lambda client, _: client.get_capacity_provider(CapacityProviderName="a b"),
    "provider without a network": lambda client, _: client.create_capacity_provider(
        CapacityProviderName=f"provider-{uuid4().hex[:12]}", VpcConfig={}, PermissionsConfig={}
    ),
    "items of a page": lambda client, _: client.list_capacity_providers(MaxItems=51),
}


@pytest.mark.parametrize("what", INVALID)
def test_it_is_an_invalid_parameter(unchecked: "LambdaClient", stack: DurableStack, what: str) -> None:
    with pytest.raises(unchecked.exceptions.InvalidParameterValueException) as error:
        INVALID[what](unchecked, stack)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_executions_of_a_version_that_is_not_there_are_not_found(stack: DurableStack) -> None:
    with pytest.raises(stack.lambda_.exceptions.ResourceNotFoundException):
        stack.lambda_.list_durable_executions_by_function(FunctionName=stack.name, Qualifier="99")


def test_an_event_is_at_most_as_large_as_aws_takes_it(stack: DurableStack) -> None:
    fitting = b'"' + b"x" * (limits.ASYNCHRONOUS_EVENT_BYTES - 2) + b'"'
    options: dict[str, Any] = {"FunctionName": stack.name, "Qualifier": "live", "InvocationType": "Event"}
    stack.lambda_.invoke(**options, Payload=fitting)
    with pytest.raises(stack.lambda_.exceptions.RequestTooLargeException):
        stack.lambda_.invoke(**options, Payload=fitting + b" ")
    with pytest.raises(stack.lambda_.exceptions.RequestTooLargeException):
        stack.lambda_.invoke(FunctionName=stack.name, Qualifier="live", Payload=b" " * (limits.EVENT_BYTES + 1))


def test_an_event_that_is_no_json_is_refused(stack: DurableStack) -> None:
    for event in (b"{", '"\u00fc"'.encode("utf-16")):
        with pytest.raises(stack.lambda_.exceptions.InvalidRequestContentException):
            stack.lambda_.invoke(FunctionName=stack.name, Qualifier="live", Payload=event)


def test_no_items_asked_for_are_as_many_as_there_are(stack: DurableStack) -> None:
    stack.ended(arn := stack.start({}))
    history = stack.lambda_.get_durable_execution_history(DurableExecutionArn=arn, MaxItems=0)
    assert (bool(history["Events"]), history.get("NextMarker")) == (True, None)
    assert stack.lambda_.list_durable_executions_by_function(FunctionName=stack.name, MaxItems=0)["DurableExecutions"]


def test_capacity_providers_are_listed_by_state(stack: DurableStack) -> None:
    assert stack.lambda_.list_capacity_providers(State="Active")["CapacityProviders"]
    assert not stack.lambda_.list_capacity_providers(State="Failed")["CapacityProviders"]


def test_a_checkpoint_that_aws_refuses_is_refused(unchecked: "LambdaClient", stack: DurableStack) -> None:
    update: Any = {"Id": "1", "Type": "STEP", "Action": "START", "Name": "\u00fc"}
    stack.ended(arn := stack.start({}))
    with pytest.raises(ClientError, match=r"'Updates\.1\.Name' failed to satisfy constraint"):
        unchecked.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken="a", Updates=[update])
