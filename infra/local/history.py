"""What AWS's local runner leaves out of the history of an execution, though it knows it.

The shapes are those of GetDurableExecutionHistory in Lambda's API.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aws_durable_execution_sdk_python.lambda_service import OperationAction, OperationType, OperationUpdate
from aws_durable_execution_sdk_python_testing.exceptions import DurableFunctionsTestError
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.invoker import LambdaInvoker
from aws_durable_execution_sdk_python_testing.web.handlers import EndpointHandler
from aws_durable_execution_sdk_python_testing.web.models import HTTPRequest, HTTPResponse
from aws_durable_execution_sdk_python_testing.web.routes import GetDurableExecutionHistoryRoute, Route
from aws_durable_execution_sdk_python_testing.web.server import WebServer

Json = dict[str, Any]

ATTEMPT_ENDS = (OperationAction.RETRY, OperationAction.SUCCEED, OperationAction.FAIL)


def offer(server: WebServer, executor: Executor, invoker: LambdaInvoker) -> None:
    """Let a server's histories be whole."""
    failures: dict[str, Json] = {}
    invoker.invoke = _recording(executor, invoker.invoke, failures)
    handlers = server.endpoint_handlers
    route = GetDurableExecutionHistoryRoute
    handlers[route] = HistoryHandler(executor, handlers[route], failures)


def _recording(executor: Executor, invoke: Callable[..., Any], failures: dict[str, Json]) -> Callable[..., Any]:
    """Return `invoke`, which also notes invocations that failed: when they were, and by request id their errors."""

    def recorded(function_name: str, input: Any, *arguments: Any, **options: Any) -> Any:  # noqa: A002 - as it has it
        start = datetime.now(UTC)
        try:
            return invoke(function_name, input, *arguments, **options)
        except DurableFunctionsTestError as error:
            failures[request_id := str(uuid4())] = _function_error(str(error))
            execution = executor.get_execution(input.durable_execution_arn)
            execution.record_invocation_completion(start, datetime.now(UTC), request_id)
            raise

    return recorded


def _function_error(message: str) -> Json:
    """Return the error of a function from the runner's message, which ends with what the function answered."""
    try:
        answered = json.loads(message[message.index("{") :])
        return {"ErrorType": answered["errorType"], "ErrorMessage": answered["errorMessage"]}
    except (ValueError, TypeError, KeyError):
        return {"ErrorMessage": message}


class HistoryHandler(EndpointHandler):
    """Another handler, whose answers it completes."""

    def __init__(self, executor: Executor, inner: EndpointHandler, failures: dict[str, Json]) -> None:
        super().__init__(executor)
        self._inner = inner
        self._failures = failures

    def handle(self, parsed_route: Route, request: HTTPRequest) -> HTTPResponse:
        """Answer a request."""
        response = self._inner.handle(parsed_route, request)
        if "Events" in response.body:
            execution = self.executor.get_execution(parsed_route.segments[2])
            shown = self._parse_query_param(request, "IncludeExecutionData") == "true"
            self._complete(response.body["Events"], execution, shown=shown)
        return response

    def _complete(self, events: list[Json], execution: Execution, *, shown: bool) -> None:
        attempts, timeouts = dict(_attempts(execution)), dict(_timeouts(execution))
        for event in events:
            match event:
                case {"EventType": "InvocationCompleted", "InvocationCompletedDetails": details}:
                    if error := self._failures.get(details["RequestId"]):
                        details["Error"] = {"Payload": error, "Truncated": False}
                case {"EventType": "CallbackStarted", "CallbackStartedDetails": details}:
                    details |= timeouts.get(event["Id"], {})
                case {"EventType": "StepSucceeded", "StepSucceededDetails": details}:
                    attempt = attempts[event["Id"], event["EventTimestamp"]]
                    details |= _succeeded(*attempt, shown=shown)
                case _:
                    pass


def _attempts(execution: Execution) -> Iterator[tuple[tuple[str, datetime], tuple[int, OperationUpdate]]]:
    """Yield how each attempt of a step ended, and which one it was, by the step's id and the time."""
    count: dict[str, int] = {}
    for update, time in zip(execution.updates, execution.update_timestamps, strict=False):
        if update.operation_type is OperationType.STEP and update.action in ATTEMPT_ENDS:
            count[update.operation_id] = count.get(update.operation_id, 0) + 1
            yield (update.operation_id, time), (count[update.operation_id], update)


def _succeeded(number: int, update: OperationUpdate, *, shown: bool) -> Json:
    """Return the details of an attempt that succeeded. A poll that asks for another one is one too."""
    retry: Json = {"CurrentAttempt": number}
    if update.action is OperationAction.RETRY and update.step_options:
        retry["NextAttemptDelaySeconds"] = update.step_options.next_attempt_delay_seconds
    result: Json = {"Truncated": not shown}
    if shown and update.payload is not None:
        result["Payload"] = update.payload
    return {"Result": result, "RetryDetails": retry}


def _timeouts(execution: Execution) -> Iterator[tuple[str, Json]]:
    """Yield for how long each callback is waited for, in seconds, by its id."""
    for update in execution.updates:
        if update.callback_options:
            options = update.callback_options
            seconds = {"Timeout": options.timeout_seconds, "HeartbeatTimeout": options.heartbeat_timeout_seconds}
            yield update.operation_id, {name: value for name, value in seconds.items() if value}
