import asyncio
from typing import TYPE_CHECKING

import pytest

from infra.local.server import formation
from infra.local.server.formation import answer_later

if TYPE_CHECKING:
    from infra.local.server.ministack import Answer, Handler

ANSWER = 200, {"x": "y"}, b"answer"


def test_it_answers_once_what_it_began_is_done() -> None:
    done: list[str] = []

    async def deploy() -> None:
        await asyncio.sleep(0)
        done.append("deployed")

    async def begin(*_: object) -> tuple[int, dict[str, str], bytes]:
        began.append(asyncio.create_task(deploy()))
        return ANSWER

    began: list[asyncio.Task[None]] = []
    assert asyncio.run(_answered(begin)) == ANSWER
    assert done == ["deployed"]


def test_what_takes_longer_goes_on_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formation, "MOMENT_SECONDS", 0)
    began: list[asyncio.Task[bool]] = []

    async def begin(*_: object) -> tuple[int, dict[str, str], bytes]:
        began.append(asyncio.create_task(asyncio.Event().wait()))
        return ANSWER

    async def still_runs() -> bool:
        assert await _answered(begin) == ANSWER
        return not began[0].done()

    assert asyncio.run(still_runs())


def test_what_others_began_is_not_waited_for() -> None:
    async def answer(*_: object) -> tuple[int, dict[str, str], bytes]:
        return ANSWER

    async def beside_another() -> bool:
        another = asyncio.create_task(asyncio.Event().wait())
        assert await _answered(answer) == ANSWER
        return not another.done()

    assert asyncio.run(beside_another())


async def _answered(handler: "Handler") -> "Answer":
    return await answer_later(handler)("POST", "/", {}, b"", {})
