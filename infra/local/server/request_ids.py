"""The id of an invocation's request, which the history of an execution and its function's log tell alike, as on AWS.

ministack answers an invocation under another id than the function has, and the history tells that of the answer.
"""

from contextvars import ContextVar
from typing import Any

from infra.local.server.asgi import Application, Message, Receive, Send

_NOTED: ContextVar[list[str]] = ContextVar("ids of the invocations that a request made")


def note(request_id: str) -> None:
    """Note the id that a function is invoked under."""
    _NOTED.get([]).append(request_id)


def with_ids(application: Application) -> Application:
    """Let an application answer an invocation under the id that was noted."""

    async def middleware(scope: Message, receive: Receive, send: Send) -> None:
        _NOTED.set(noted := [])

        async def answer(message: Message) -> None:
            if noted and message["type"] == "http.response.start":
                headers: Any = message["headers"]
                message["headers"] = [
                    (name, noted[-1].encode() if name.lower() == b"x-amzn-requestid" else value)
                    for name, value in headers
                ]
            await send(message)

        await application(scope, receive, answer)

    return middleware
