"""Lambda's API: what durable functions and capacity providers add to it is answered here, the rest by ministack.

It stands in for ministack's own handler, and is no middleware, so that ministack authenticates and authorizes before.
"""

import asyncio
import time

from infra import limits
from infra.local.server import ministack, scaling
from infra.local.server.api_model import ApiModel
from infra.local.server.capacity_providers import CapacityProviders
from infra.local.server.durable import DurableExecutions
from infra.local.server.ministack import Answer, Handler
from infra.local.server.request import (
    CALLBACK_PATH,
    EXECUTION_PATH,
    FUNCTION_PATH,
    PROVIDER_PATH,
    PROVIDER_TAGS_PATH,
    ApiError,
    FunctionName,
    Request,
    answer,
    invalid,
)

# The local runner's mark: run the handler once, where an Invoke without it starts an execution.
RUN_HANDLER = "x-dex-handler-invoke"

EXECUTION_OPERATIONS = {
    ("GET", None),
    ("GET", "history"),
    ("GET", "state"),
    ("POST", "checkpoint"),
    ("POST", "pause"),
    ("POST", "resume"),
    ("POST", "stop"),
}


class LambdaApi:
    """A handler of requests that stands in for ministack's own."""

    def __init__(
        self, rest: Handler, model: ApiModel, executions: DurableExecutions, providers: CapacityProviders
    ) -> None:
        self._rest = rest
        self._model = model
        self._executions = executions
        self._providers = providers
        self._deletions: set[asyncio.Task[None]] = set()

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        """Answer a request."""
        request = Request(method, path.rstrip("/"), headers, body, query)
        try:
            self._check(request)
            return await self._answer(request)
        except ApiError as error:
            return error.answer()

    def _check(self, request: Request) -> None:
        """Raise ApiError for what AWS's model of the API refuses."""
        problems = self._model.problems(request.method, request.path, request.headers, request.query, request.body)
        if listed := "; ".join(problems):
            raise invalid(listed)

    async def _answer(self, request: Request) -> Answer:
        if match := EXECUTION_PATH.fullmatch(request.path):
            if (request.method, match["operation"]) not in EXECUTION_OPERATIONS:
                raise invalid(f"The local AWS does not emulate {request.method} {match['operation'] or 'execution'}")
            return await self._executions.pass_on(request, match["arn"], match["operation"])
        if match := CALLBACK_PATH.fullmatch(request.path):
            return await self._executions.pass_on_callback(request, match["callback"], match["operation"])
        if match := PROVIDER_PATH.fullmatch(request.path):
            return self._providers.handle(request, match["name"], match["operation"])
        if request.method == "GET" and (match := PROVIDER_TAGS_PATH.fullmatch(request.path)):
            return answer({"Tags": self._providers.tags(match["arn"])})
        if match := FUNCTION_PATH.fullmatch(request.path):
            return await self._answer_for_function(request, match["function"], match["operation"])
        return await request.pass_to(self._rest)

    async def _answer_for_function(self, request: Request, name: str, operation: str | None) -> Answer:
        function = FunctionName.named(name, request.one("Qualifier"))
        if function.qualifier != (FunctionName.named(name).qualifier or function.qualifier):
            raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
        match request.method, operation:
            case "POST", "invocations":
                return await self._invoke(function, request)
            case "GET", "durable-executions":
                return await self._executions.list_by_function(function, request)
            case "GET" | "PUT", "function-scaling-config":
                return scaling.handle(request, function)
            case "DELETE", None if not function.qualifier:
                return await self._delete(function, request)
            case _:
                return await request.pass_to(self._rest)

    async def _invoke(self, function: FunctionName, request: Request) -> Answer:
        if request.headers.get(RUN_HANDLER):
            # The runner signs as whoever it was started as; the handler runs where its execution does.
            with ministack.request_scope(function.account, function.region):
                return await request.pass_to(self._rest)
        _check_size(request)
        if "DurableConfig" not in function.record()["config"] or _is_dry_run(request):
            return await request.pass_to(self._rest)
        return await self._executions.invoke(function, request)

    async def _delete(self, function: FunctionName, request: Request) -> Answer:
        """Delete a function. Executions of it that run go on to their end, and the function with them."""
        config = function.record()["config"]
        if not await asyncio.to_thread(self._executions.are_running, function):
            return await request.pass_to(self._rest)
        config |= {"State": "Deleting", "StateReasonCode": "DrainingDurableExecutions"}
        deletion = asyncio.create_task(self._delete_drained(function, request))
        self._deletions.add(deletion)
        deletion.add_done_callback(self._deletions.discard)
        return 204, {}, b""

    async def _delete_drained(self, function: FunctionName, request: Request) -> None:
        await ministack.run_in_thread(self._executions.wait_until_drained, function, time.sleep)
        await request.pass_to(self._rest)


def _check_size(request: Request) -> None:
    asynchronous = request.headers.get("x-amz-invocation-type") == "Event"
    most = limits.ASYNCHRONOUS_EVENT_BYTES if asynchronous else limits.EVENT_BYTES
    if len(request.body) > most:
        raise ApiError("RequestTooLargeException", f"{len(request.body)} bytes of event, and {most} at most", 413)


def _is_dry_run(request: Request) -> bool:
    return request.headers.get("x-amz-invocation-type") == "DryRun"
