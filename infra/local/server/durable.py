"""Durable executions: their start through an Invoke, and the APIs to follow, list and stop them."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import uuid4

from infra import limits
from infra.execution_arn import ExecutionArn
from infra.local.server import ministack
from infra.local.server.callbacks import execution_of
from infra.local.server.ministack import Answer, Json
from infra.local.server.request import ApiError, FunctionName, Request, answer, conflict, invalid, not_found
from infra.local.server.runner import NOT_ENDED, Runner
from infra.local.server.scaling import refuse_asleep
from infra.local.server.started import StartedExecutions

POLL_SECONDS = 0.05
LATEST = "$LATEST"


class DurableExecutions:
    """The durable executions of all accounts."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._started = StartedExecutions()

    async def invoke(self, function: FunctionName, request: Request) -> Answer:
        """Answer a caller's Invoke: start an execution, and wait for its end unless the caller does not."""
        version = pinned_version(function)
        refuse_asleep(function, version)
        name = request.headers.get("x-amz-durable-execution-name") or str(uuid4())
        arn = await self._start(function, version, name, request.body or b"{}")
        headers = {"X-Amz-Executed-Version": version, "X-Amz-Durable-Execution-Arn": arn}
        if request.headers.get("x-amz-invocation-type") == "Event":
            return 202, headers, b""
        execution = await self._end(arn)
        if execution["Status"] == "SUCCEEDED":
            return 200, headers, (execution.get("Result") or "null").encode()
        error: dict[str, str] = execution.get("Error", {})
        content = {
            "errorType": error.get("ErrorType", execution["Status"]),
            "errorMessage": error.get("ErrorMessage", f"The execution is {execution['Status']}"),
        }
        return 200, headers | {"X-Amz-Function-Error": "Unhandled"}, json.dumps(content).encode()

    async def list_by_function(self, function: FunctionName, request: Request) -> Answer:
        """Answer ListDurableExecutionsByFunction. Without a qualifier it lists those of all versions."""
        function.record()
        summaries = await asyncio.to_thread(self._runner.executions, function.arn)
        chosen = [summary for summary in summaries if all(test(summary) for test in _filters(function, request))]
        chosen.sort(key=lambda summary: summary["StartTimestamp"], reverse=request.one("ReverseOrder") != "true")
        return answer(request.page("DurableExecutions", chosen, limits.DURABLE_EXECUTIONS_PAGE))

    async def pass_on(self, request: Request, arn: str, operation: str | None) -> Answer:
        """Let the runner answer for one execution.

        Raises:
            ApiError: that is not the ARN of an execution, or not of one of the caller's account and region.
        """
        try:
            function_arn = ExecutionArn.parse(arn).function_arn
        except ValueError as error:
            raise invalid(str(error)) from None
        if not _is_here(function_arn):
            raise not_found(f"Durable execution {arn}")
        parts = ["2025-12-01", "durable-executions", arn, *([operation] if operation else [])]
        if operation == "stop" and request.body:
            # Lambda's API has the error as the body itself.
            request = replace(request, body=json.dumps({"Error": request.json()}).encode())
        if operation == "history":
            request.marker()
            # Where 0 are asked for, the runner would give them, and as many again with each marker.
            query = {name: values for name, values in request.query.items() if (name, values) != ("MaxItems", ["0"])}
            request = replace(request, query=query)
        return await self._call(request, parts)

    async def pass_on_callback(self, request: Request, callback: str, operation: str) -> Answer:
        """Let the runner answer for a callback.

        Raises:
            ApiError: there is none of that id in the caller's account and region, or it was answered already.
        """
        try:
            execution = execution_of(callback)
        except ValueError as error:
            raise invalid(str(error)) from None
        if not _is_here(execution.function_arn):
            raise not_found(f"Callback {callback}")
        code, headers, body = await self._call(
            request, ["2025-12-01", "durable-execution-callbacks", callback, operation]
        )
        # The runner has no error of its own for that.
        if code != 200 and b"is not in STARTED state" in body:  # noqa: PLR2004 - HTTP
            raise ApiError("CallbackTimeoutException", "The callback has already been closed", 400)
        return code, headers, body

    def wait_until_drained(self, function: FunctionName, sleep: Callable[[float], object]) -> None:
        """Block until no execution of a function runs any more, and forget the names of those that ran."""
        while self.are_running(function):
            sleep(POLL_SECONDS)
        self._started.forget(function.arn)

    def are_running(self, function: FunctionName) -> bool:
        """Tell whether any execution of a function has not ended."""
        return self._runner.running(function.arn)

    async def _start(self, function: FunctionName, version: str, name: str, event: bytes) -> str:
        """Start an execution, or return the one that has this name and event already."""
        _check_start(function, event)
        digest = hashlib.sha256(event).hexdigest()
        execution = ExecutionArn(function.arn, version, name, str(uuid4()))
        arn = str(execution)
        started, same = self._started.take(function.arn, name, arn, digest)
        if same != digest:
            raise ApiError("DurableExecutionAlreadyStartedException", f"{started} was started with another event", 409)
        if started == arn:
            await self._begin(function, execution, event)
        return started

    async def _begin(self, function: FunctionName, execution: ExecutionArn, event: bytes) -> None:
        config = function.record()["config"]["DurableConfig"]
        content = {
            "AccountId": function.account,
            "FunctionName": function.arn,
            "FunctionQualifier": execution.version,
            "ExecutionName": execution.name,
            "ExecutionTimeoutSeconds": int(config["ExecutionTimeout"]),
            "ExecutionRetentionPeriodDays": int(config.get("RetentionPeriodInDays", limits.DEFAULT_RETENTION_DAYS)),
            "InvocationId": execution.id,
            "Input": event.decode(),
        }
        status, result = await asyncio.to_thread(
            self._runner.call, "POST", "/start-durable-execution", json.dumps(content).encode()
        )
        if result.get("ExecutionArn") != str(execution):
            self._started.give_back(function.arn, execution.name)
            raise ApiError("ServiceException", f"the runner answered {status}: {result}", 500)

    async def _end(self, arn: str) -> Json:
        path = f"/2025-12-01/durable-executions/{quote(arn, safe='')}"
        while True:
            _, execution = await asyncio.to_thread(self._runner.call, "GET", path)
            if execution["Status"] not in NOT_ENDED:
                return execution
            await asyncio.sleep(POLL_SECONDS)

    async def _call(self, request: Request, parts: list[str]) -> Answer:
        path = "".join("/" + quote(part, safe="") for part in parts)
        query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
        status, content = await asyncio.to_thread(self._runner.call, request.method, path + query, request.body)
        code, headers, body = answer(content, status)
        # The SDKs read an error's code from here, where the runner says it in the body alone.
        return code, headers | ({"x-amzn-errortype": content["Type"]} if "Type" in content else {}), body


def _is_here(function_arn: str) -> bool:
    """Tell whether a function is in the caller's account and region."""
    return function_arn.startswith(f"arn:aws:lambda:{ministack.region()}:{ministack.account_id()}:function:")


def pinned_version(function: FunctionName) -> str:
    """Return the version that an execution started now stays on.

    Raises:
        ApiError: the qualifier is missing or names nothing that can run.
    """
    record = function.record()
    qualifier = function.qualifier
    if qualifier is None:
        raise invalid("You cannot invoke a durable function using an unqualified ARN.")
    alias = record["aliases"].get(qualifier)
    version = alias["FunctionVersion"] if alias else qualifier
    if version.startswith(LATEST) and (version != LATEST or "CapacityProviderConfig" in record["config"]):
        raise invalid(f"The local AWS runs {function.name} by numbered versions and aliases, not by {version}")
    if version != LATEST and version not in record["versions"]:
        raise ApiError("ResourceNotFoundException", f"Function not found: {function.arn}:{qualifier}", 404)
    return version


def _check_start(function: FunctionName, event: bytes) -> None:
    if function.record()["config"].get("State") == "Deleting":
        raise conflict(f"{function.arn} is being deleted")
    try:
        json.loads(event.decode())
    except ValueError as error:
        raise ApiError("InvalidRequestContentException", f"The event is not JSON: {error}", 400) from error


def _filters(function: FunctionName, request: Request) -> list[Callable[[Json], bool]]:
    """Return what a summary has to pass to be listed."""
    name, statuses = request.one("DurableExecutionName"), request.query.get("Statuses")
    after, before = _time(request.one("StartedAfter")), _time(request.one("StartedBefore"))
    prefix = f"{function.arn}:{_version(function)}/" if function.qualifier else f"{function.arn}:"
    return [
        lambda summary: summary["DurableExecutionArn"].startswith(prefix),
        lambda summary: not name or summary["DurableExecutionName"] == name,
        lambda summary: not statuses or summary["Status"] in statuses,
        lambda summary: after is None or summary["StartTimestamp"] > after,
        lambda summary: before is None or summary["StartTimestamp"] < before,
    ]


def _version(function: FunctionName) -> str:
    """Return the version that a qualifier names.

    Raises:
        ApiError: it names none.
    """
    record, qualifier = function.record(), str(function.qualifier)
    alias = record["aliases"].get(qualifier)
    if not alias and qualifier not in record["versions"] and not qualifier.startswith(LATEST):
        raise ApiError("ResourceNotFoundException", f"Function not found: {function.arn}:{qualifier}", 404)
    return alias["FunctionVersion"] if alias else qualifier


def _time(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
