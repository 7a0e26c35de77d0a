"""CloudFormation's API, which ministack answers, a moment later.

Who deploys asks every five seconds whether a stack is made, the CDK CLI for one, and most of what is made here takes
less than one. So what begins the work on a stack is answered once that is done, or after that moment.
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.local.server.ministack import Answer, Handler

MOMENT_SECONDS = 2


def answer_later(inner: "Handler") -> "Handler":
    """Return a handler of requests that waits for the tasks which answering began."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> "Answer":
        before = asyncio.all_tasks()
        # Nothing else begins meanwhile: ministack answers in one go, and leaves what takes time to a task.
        answer = await inner(method, path, headers, body, query)
        begun = asyncio.all_tasks() - before
        if begun:
            await asyncio.wait(begun, timeout=MOMENT_SECONDS)
        return answer

    return handle
