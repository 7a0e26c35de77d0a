"""The interface between a web server and an application (ASGI 3), and the middleware in front of ministack's."""

from collections.abc import Awaitable, Callable, MutableMapping

Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def as_if_by_tls(application: Application) -> Application:
    """Let an application take what comes from this machine to itself for encrypted.

    The CDK's bootstrap bucket refuses what did not come by TLS.
    """

    async def middleware(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "scheme": "https"}
        await application(scope, receive, send)

    return middleware
