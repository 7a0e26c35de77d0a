"""Durable executions: their start through an Invoke, and the APIs to follow, list and stop them."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from infra.local.server import emulator
from infra.local.server.request import Answer, ApiError, Function, Request, answer, conflict, invalid, not_found
from infra.local.server.runner import Runner

POLL_SECONDS = 0.05
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # DurableExecutionName (Lambda API)
LATEST = "$LATEST"


class DurableExecutions:
    """The durable executions of all accounts."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        # By function and execution name: the ARN, and the digest of the event that it was started with.
        self._started: dict[tuple[str, str], tuple[str, str]] = {}

    async def invoke(self, function: Function, request: Request) -> Answer:
        """Answer a caller's Invoke: start an execution, and wait for its end unless the caller does not."""
        version = pinned_version(function)
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

    async def list_by_function(self, function: Function, request: Request) -> Answer:
        """Answer ListDurableExecutionsByFunction. Without a qualifier it lists those of all versions."""
        function.record()
        summaries = await asyncio.to_thread(self._runner.executions, function.arn)
        chosen = [summary for summary in summaries if all(test(summary) for test in _filters(function, request))]
        chosen.sort(key=lambda summary: summary["StartTimestamp"], reverse=request.one("ReverseOrder") != "true")
        start = int(request.one("Marker") or 0)
        end = start + int(request.one("MaxItems") or 100)
        more = {"NextMarker": str(end)} if end < len(chosen) else {}
        return answer({"DurableExecutions": chosen[start:end], **more})

    async def pass_on(self, request: Request, arn: str, operation: str | None) -> Answer:
        """Let the runner answer for one execution.

        Raises:
            ApiError: the execution is not one of the caller's account and region.
        """
        if not arn.startswith(f"arn:aws:lambda:{emulator.region()}:{emulator.account_id()}:function:"):
            raise not_found(f"Durable execution {arn}")
        parts = ["2025-12-01", "durable-executions", arn, *([operation] if operation else [])]
        return await self._call(request, parts)

    async def pass_on_callback(self, request: Request, callback: str, operation: str) -> Answer:
        """Let the runner answer for a callback, whose id names its execution."""
        return await self._call(request, ["2025-12-01", "durable-execution-callbacks", callback, operation])

    def wait_until_drained(self, function: Function, sleep: Callable[[float], object]) -> None:
        """Block until no execution of a function runs any more, and forget the names of those that ran."""
        while self.are_running(function):
            sleep(POLL_SECONDS)
        self._started = {key: value for key, value in self._started.items() if key[0] != function.arn}

    def are_running(self, function: Function) -> bool:
        """Tell whether any execution of a function has not ended."""
        return self._runner.running(function.arn)

    async def _start(self, function: Function, version: str, name: str, event: bytes) -> str:
        """Start an execution, or return the one that has this name and event already."""
        _check_start(function, name, event)
        digest = hashlib.sha256(event).hexdigest()
        arn = f"{function.arn}:{version}/durable-execution/{name}/{uuid4()}"
        started, same = self._started.setdefault((function.arn, name), (arn, digest))
        if same != digest:
            raise ApiError("DurableExecutionAlreadyStartedException", f"{started} was started with another event", 409)
        if started == arn:
            await self._begin(function, version, name, arn, event)
        return started

    async def _begin(self, function: Function, version: str, name: str, arn: str, event: bytes) -> None:
        config = function.record()["config"]["DurableConfig"]
        content = {
            "AccountId": function.account,
            "FunctionName": function.arn,
            "FunctionQualifier": version,
            "ExecutionName": name,
            "ExecutionTimeoutSeconds": int(config["ExecutionTimeout"]),
            "ExecutionRetentionPeriodDays": int(config.get("RetentionPeriodInDays", 14)),
            "InvocationId": arn.rpartition("/")[2],
            "Input": event.decode(),
        }
        status, result = await asyncio.to_thread(
            self._runner.call, "POST", "/start-durable-execution", json.dumps(content).encode()
        )
        if result.get("ExecutionArn") != arn:
            del self._started[function.arn, name]
            raise ApiError("ServiceException", f"the runner answered {status}: {result}", 500)

    async def _end(self, arn: str) -> dict[str, Any]:
        path = f"/2025-12-01/durable-executions/{quote(arn, safe='')}"
        while True:
            _, execution = await asyncio.to_thread(self._runner.call, "GET", path)
            if execution["Status"] != "RUNNING":
                return execution
            await asyncio.sleep(POLL_SECONDS)

    async def _call(self, request: Request, parts: list[str]) -> Answer:
        path = "".join("/" + quote(part, safe="") for part in parts)
        query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
        status, content = await asyncio.to_thread(self._runner.call, request.method, path + query, request.body)
        code, headers, body = answer(content, status)
        # The SDKs read an error's code from here, where the runner says it in the body alone.
        return code, headers | ({"x-amzn-errortype": content["Type"]} if "Type" in content else {}), body


def pinned_version(function: Function) -> str:
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


def _check_start(function: Function, name: str, event: bytes) -> None:
    if function.record()["config"].get("State") == "Deleting":
        raise conflict(f"{function.arn} is being deleted")
    if not NAME.fullmatch(name):
        raise invalid(f"DurableExecutionName {name!r} does not match {NAME.pattern}")
    try:
        json.loads(event)
    except ValueError as error:
        raise ApiError("InvalidRequestContentException", f"The event is not JSON: {error}", 400) from error


def _filters(function: Function, request: Request) -> list[Callable[[dict[str, Any]], bool]]:
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


def _version(function: Function) -> str | None:
    alias = function.record()["aliases"].get(function.qualifier)
    return alias["FunctionVersion"] if alias else function.qualifier


def _time(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
