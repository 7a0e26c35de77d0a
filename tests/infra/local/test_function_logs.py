"""What functions log on the local AWS: lines that are told to their execution as on AWS."""

import json
from typing import Any

from infra.aws.clock import SYSTEM
from infra.aws.function import DeployedFunction
from infra.aws.function_log import read
from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack


def group(stack: DurableStack) -> str:
    config = stack.lambda_.get_function_configuration(FunctionName=stack.name)
    return config.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{stack.name}")


def test_a_line_has_the_request_id_that_the_history_tells(stack: DurableStack, local_aws: LocalAws) -> None:
    arn = stack.start({"fail": True})
    stack.ended(arn)
    history = stack.lambda_.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    (request,) = (
        each["InvocationCompletedDetails"]["RequestId"] for each in history if "InvocationCompletedDetails" in each
    )
    logs: Any = local_aws.session(ACCOUNT, REGION).client("logs")
    messages = [each["message"] for each in logs.filter_log_events(logGroupName=group(stack))["events"]]
    fields = [json.loads(message) for message in messages if message.startswith("{")]
    assert "Execution failed" in [each["message"] for each in fields if each["requestId"] == request]


def test_the_log_of_an_execution_is_read_and_of_no_other(stack: DurableStack, local_aws: LocalAws) -> None:
    arns = [stack.start({"fail": True}), stack.start({}), stack.start({"fail": True})]
    for arn in arns:
        stack.ended(arn)
    session = local_aws.session(ACCOUNT, REGION)
    function = DeployedFunction(session.client("lambda"), stack.name, "shared", SYSTEM)
    read_ = [read(session.client("logs"), group(stack), function, arn, SYSTEM) for arn in arns]
    failures = [[line for line in lines if line.message == "Execution failed"] for lines in read_]
    assert [len(each) for each in failures] == [1, 0, 1]
    assert failures[0][0].trace[-1] == "ValueError: asked to fail"
