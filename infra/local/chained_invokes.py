"""Chained invokes on AWS's local runner: it is told of its functions in advance, where here they come and go."""

from functools import cache
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import boto3
from aws_durable_execution_sdk_python_testing import runner
from aws_durable_execution_sdk_python_testing.child_dispatcher import (
    ChainedInvokeRequest,
    ChildOutcome,
    DispatchResult,
    EndpointChildDispatcher,
    FunctionTarget,
    RunInvocation,
    StartChild,
    failed_to_start,
    invoke_function,
)
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from botocore.config import Config
from botocore.exceptions import ClientError

from infra import limits
from infra.execution_arn import ExecutionArn

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef


def teach() -> None:
    """Let executions invoke whatever function there is, in their own account and region."""
    # The runner gives executions a region of its own; each is in that of its function.
    cast("Any", Execution).region = property(_region, lambda execution, region: None)  # noqa: ARG005 - the setter's
    cast("Any", runner).EndpointChildDispatcher = Dispatcher


def _region(execution: Execution) -> str:
    return _place(execution.durable_execution_arn)[0]


def _place(execution_arn: str) -> tuple[str, str]:
    """Return the region and the account of an execution."""
    _, _, _, region, account, *_ = ExecutionArn.parse(execution_arn).function_arn.split(":")
    return region, account


class Dispatcher(EndpointChildDispatcher):
    """What looks for a function as it is invoked, where the runner's own has a list of them."""

    def preflight(self, target: FunctionTarget) -> ChildOutcome | None:  # noqa: ARG002 - the base class has it
        """Refuse nothing yet."""
        return None

    def dispatch(self, request: ChainedInvokeRequest) -> DispatchResult:
        """Start an execution of a durable function, and invoke any other."""
        endpoint: str = self._client_provider(request.parent_execution_arn).meta.endpoint_url
        client = _client(endpoint, *_place(request.parent_execution_arn))
        options: Any = {"Qualifier": request.qualifier} if request.qualifier else {}
        try:
            found = client.get_function_configuration(FunctionName=request.function_name, **options)
        except ClientError as error:
            return failed_to_start(error.response["Error"]["Message"], error.response["Error"]["Code"])
        if "DurableConfig" not in found:
            name, seconds = request.invoke_identifier(), limits.TIMEOUT_SECONDS.most
            return RunInvocation(lambda: invoke_function(client, name, request.payload, request.tenant_id, seconds))
        if request.qualifier is None:
            reason = "You cannot invoke a durable function using an unqualified ARN."
            return failed_to_start(reason, "InvalidParameterValueException")
        return StartChild(_start(request, found))


def _start(request: ChainedInvokeRequest, found: "FunctionConfigurationResponseTypeDef") -> StartDurableExecutionInput:
    """Return the start of an execution, which stays on the version that the qualifier names now."""
    durable: Any = found["DurableConfig"]
    return StartDurableExecutionInput(
        account_id=request.account_id,
        function_name=":".join(found["FunctionArn"].split(":")[:7]),
        function_qualifier=found["Version"],
        execution_name=str(uuid4()),
        execution_timeout_seconds=int(durable["ExecutionTimeout"]),
        execution_retention_period_days=int(durable.get("RetentionPeriodInDays", limits.DEFAULT_RETENTION_DAYS)),
        invocation_id=None,
        trace_fields=request.trace_fields,
        tenant_id=request.tenant_id,
        input=request.payload,
        lambda_endpoint=None,
    )


@cache
def _client(endpoint: str, region: str, account: str) -> "LambdaClient":
    """Return a client of the root user of an account, as which Lambda's own calls are made here."""
    config = Config(read_timeout=limits.TIMEOUT_SECONDS.most, retries={"total_max_attempts": 1})
    session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="local", region_name=region)  # noqa: S106
    return session.client("lambda", endpoint_url=endpoint, config=config)
