"""Pausing and resuming of executions, which AWS's local runner can do but does not offer from outside."""

from dataclasses import dataclass
from threading import Thread
from typing import Any, Self

from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.web.handlers import EndpointHandler
from aws_durable_execution_sdk_python_testing.web.models import HTTPRequest, HTTPResponse
from aws_durable_execution_sdk_python_testing.web.routes import (
    DEFAULT_ROUTE_TYPES,
    GetDurableExecutionRoute,
    ListDurableExecutionsByFunctionRoute,
    Route,
    Router,
)
from aws_durable_execution_sdk_python_testing.web.server import WebServer

from infra import limits


def offer(server: WebServer, executor: Executor) -> None:
    """Let a server answer PauseDurableExecution and ResumeDurableExecution, and say what is paused."""
    pauses = Pauses(executor)
    server.router = Router([*DEFAULT_ROUTE_TYPES, PauseRoute])
    handlers = server.endpoint_handlers
    handlers[PauseRoute] = PauseHandler(executor, pauses)
    for route in (GetDurableExecutionRoute, ListDurableExecutionsByFunctionRoute):
        handlers[route] = StatusHandler(executor, pauses, handlers[route])


class Pauses:
    """Which executions are paused, or will be once their running invocation has ended."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._pausing: set[str] = set()

    def pause(self, arn: str) -> None:
        """Pause an execution. As on AWS, its status changes some time after."""
        self._executor.get_execution(arn)
        self._pausing.add(arn)
        Thread(target=self._await_pause, args=[arn], name="pause", daemon=True).start()

    def resume(self, arn: str) -> None:
        """Let an execution go on."""
        self._executor.resume_execution(arn)

    def status(self, arn: str) -> str:
        """Return the status of an execution that has not ended."""
        if not self._executor.get_execution(arn).is_paused:
            return "RUNNING"
        return "PAUSING" if arn in self._pausing else "PAUSED"

    def _await_pause(self, arn: str) -> None:
        try:
            self._executor.pause_execution(arn, timeout=limits.TIMEOUT_SECONDS.most)
        finally:
            self._pausing.discard(arn)


@dataclass(frozen=True)
class PauseRoute(Route):
    """The paths of both calls."""

    @classmethod
    def is_match(cls, route: Route, method: str) -> bool:
        """Tell whether a request is one of the calls."""
        paths = (["2025-12-01", "durable-executions", "*", operation] for operation in ("pause", "resume"))
        return method == "POST" and any(map(route.matches_pattern, paths))

    @classmethod
    def from_route(cls, route: Route) -> Self:
        """Return the route of a request that is."""
        return cls(route.raw_path, route.segments)


class PauseHandler(EndpointHandler):
    """Answers both calls."""

    def __init__(self, executor: Executor, pauses: Pauses) -> None:
        super().__init__(executor)
        self._pauses = pauses

    def handle(self, parsed_route: Route, request: HTTPRequest) -> HTTPResponse:  # noqa: ARG002 - the base class has it
        """Answer a request."""
        *_, arn, operation = parsed_route.segments
        (self._pauses.pause if operation == "pause" else self._pauses.resume)(arn)
        return HTTPResponse.create_json(202, {})


class StatusHandler(EndpointHandler):
    """Another handler, whose answers say of a paused execution that it is."""

    def __init__(self, executor: Executor, pauses: Pauses, inner: EndpointHandler) -> None:
        super().__init__(executor)
        self._pauses = pauses
        self._inner = inner

    def handle(self, parsed_route: Route, request: HTTPRequest) -> HTTPResponse:
        """Answer a request."""
        response = self._inner.handle(parsed_route, request)
        described: list[dict[str, Any]] = [response.body, *response.body.get("DurableExecutions", [])]
        for each in described:
            if each.get("Status") == "RUNNING":
                each["Status"] = self._pauses.status(each["DurableExecutionArn"])
        return response
