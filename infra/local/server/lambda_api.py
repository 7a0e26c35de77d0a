"""Lambda's API: what durable functions and capacity providers add to it is answered here, the rest by ministack."""

import asyncio
import re
import time
from typing import Any

from infra.local.server import capacity_providers, emulator
from infra.local.server.durable import DurableExecutions
from infra.local.server.request import Answer, ApiError, Function, Handler, Request, answer, invalid

# The local runner's mark: run the handler once, where an Invoke without it starts an execution.
RUN_HANDLER = "x-dex-handler-invoke"

_FUNCTION = re.compile(r"/[\d-]+/functions/(?P<function>[^/]+)(?:/(?P<operation>[^/]+))?")
_EXECUTION = re.compile(
    r"/[\d-]+/durable-executions/(?P<arn>arn:.+?/durable-execution/[^/]+/[^/]+)(?:/(?P<operation>[^/]+))?"
)
_CALLBACK = re.compile(r"/[\d-]+/durable-execution-callbacks/(?P<callback>.+)/(?P<operation>[^/]+)")
_PROVIDER = re.compile(r"/[\d-]+/capacity-providers(?:/(?P<name>[^/]+)(?:/(?P<operation>[^/]+))?)?")
_PROVIDER_TAGS = re.compile(r"/[\d-]+/tags/(?P<arn>arn:.+:capacity-provider:.+)")

EXECUTION_OPERATIONS = {
    ("GET", None),
    ("GET", "history"),
    ("GET", "state"),
    ("POST", "checkpoint"),
    ("POST", "stop"),
}


class LambdaApi:
    """A handler of requests that stands in for ministack's own."""

    def __init__(self, ministack: Handler, executions: DurableExecutions) -> None:
        self._ministack = ministack
        self._executions = executions
        self._deletions: set[asyncio.Task[None]] = set()

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        """Answer a request."""
        request = Request(method, path.rstrip("/"), headers, body, query)
        try:
            return await self._answer(request)
        except ApiError as error:
            return error.answer()

    async def _answer(self, request: Request) -> Answer:
        if match := _EXECUTION.fullmatch(request.path):
            if (request.method, match["operation"]) not in EXECUTION_OPERATIONS:
                raise invalid(f"The local AWS does not emulate {request.method} {match['operation'] or 'execution'}")
            return await self._executions.pass_on(request, match["arn"], match["operation"])
        if match := _CALLBACK.fullmatch(request.path):
            return await self._executions.pass_on_callback(request, match["callback"], match["operation"])
        if match := _PROVIDER.fullmatch(request.path):
            return capacity_providers.handle(request, match["name"], match["operation"])
        if request.method == "GET" and (match := _PROVIDER_TAGS.fullmatch(request.path)):
            return answer({"Tags": capacity_providers.tags(match["arn"])})
        if match := _FUNCTION.fullmatch(request.path):
            return await self._answer_for_function(request, match["function"], match["operation"])
        return await request.pass_to(self._ministack)

    async def _answer_for_function(self, request: Request, name: str, operation: str | None) -> Answer:
        function = Function.named(name, request.one("Qualifier"))
        match request.method, operation:
            case "POST", "invocations":
                return await self._invoke(function, request)
            case "GET", "durable-executions":
                return await self._executions.list_by_function(function, request)
            case "GET" | "PUT", "function-scaling-config":
                return capacity_providers.handle_scaling(request, function)
            case "DELETE", None if not function.qualifier:
                return await self._delete(function, request)
            case _:
                return await request.pass_to(self._ministack)

    async def _invoke(self, function: Function, request: Request) -> Answer:
        if request.headers.get(RUN_HANDLER):
            # The runner signs as whoever it was started as; the handler runs where its execution does.
            with emulator.request_scope(function.account, function.region):
                return await request.pass_to(self._ministack)
        if "DurableConfig" not in function.record()["config"] or _is_dry_run(request):
            return await request.pass_to(self._ministack)
        return await self._executions.invoke(function, request)

    async def _delete(self, function: Function, request: Request) -> Answer:
        """Delete a function. Executions of it that run go on to their end, and the function with them."""
        config: dict[str, Any] = function.record()["config"]
        if not await asyncio.to_thread(self._executions.are_running, function):
            return await request.pass_to(self._ministack)
        config |= {"State": "Deleting", "StateReasonCode": "DrainingDurableExecutions"}
        deletion = asyncio.create_task(self._delete_drained(function, request))
        self._deletions.add(deletion)
        deletion.add_done_callback(self._deletions.discard)
        return 204, {}, b""

    async def _delete_drained(self, function: Function, request: Request) -> None:
        await emulator.run_in_thread(self._executions.wait_until_drained, function, time.sleep)
        await request.pass_to(self._ministack)


def _is_dry_run(request: Request) -> bool:
    return request.headers.get("x-amz-invocation-type") == "DryRun"
