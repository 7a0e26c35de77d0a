"""The request id of an invocation, by which what a function logs is told to the history of its execution, as on AWS.

ministack answers an invocation under another id than the function has, and knows of none in the lines of the function.
"""

import json
from contextvars import ContextVar
from typing import Any

from infra.local.server import ministack
from infra.local.server.asgi import Application, Message, Receive, Send

_INVOKED: ContextVar[list[str]] = ContextVar("ids of the invocations that a request made")


def teach() -> None:
    """Let every JSON line that a function logs have the id of its request, as Lambda's own formatter writes it."""
    emit = ministack.emit_logs

    def emit_with_id(function: Any, request_id: str, text: str, *rest: Any, **options: Any) -> None:
        _INVOKED.get([]).append(request_id)
        labelled = "\n".join(_with_id(line, request_id) for line in text.splitlines())
        emit(function, request_id, labelled, *rest, **options)

    ministack.replace("services.lambda_svc", "_emit_lambda_logs", emit_with_id)


def with_ids(application: Application) -> Application:
    """Let an application answer an invocation under the id that the function had."""

    async def middleware(scope: Message, receive: Receive, send: Send) -> None:
        _INVOKED.set(invoked := [])

        async def answer(message: Message) -> None:
            if invoked and message["type"] == "http.response.start":
                headers: Any = message["headers"]
                message["headers"] = [
                    (name, invoked[-1].encode() if name.lower() == b"x-amzn-requestid" else value)
                    for name, value in headers
                ]
            await send(message)

        await application(scope, receive, answer)

    return middleware


def _with_id(line: str, request_id: str) -> str:
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    return json.dumps({**fields, "requestId": request_id}) if isinstance(fields, dict) else line
