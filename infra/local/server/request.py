"""Requests and answers as they pass between ministack and this package."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from infra.local.server import emulator

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Answer]]


@dataclass(frozen=True)
class Request:
    """A request whose caller is already authenticated and authorized. The path is percent-decoded."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, list[str]]

    def one(self, name: str) -> str | None:
        """Return the value of a query parameter."""
        return next(iter(self.query.get(name, [])), None)

    def json(self) -> dict[str, Any]:
        """Return the body of a call of Lambda's API."""
        return json.loads(self.body or b"{}")

    async def pass_to(self, handler: Handler) -> Answer:
        """Let ministack answer it."""
        return await handler(self.method, self.path, self.headers, self.body, self.query)


class ApiError(Exception):
    """An error of AWS's API: its code, its message and its HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def answer(self) -> Answer:
        """Return the answer that carries it."""
        return emulator.error_response(self.code, self.message, self.status)


def not_found(what: str) -> ApiError:
    """Return the error for something that does not exist."""
    return ApiError("ResourceNotFoundException", f"{what} does not exist", 404)


def invalid(message: str) -> ApiError:
    """Return the error for a parameter that can't be accepted."""
    return ApiError("InvalidParameterValueException", message, 400)


def conflict(message: str) -> ApiError:
    """Return the error for what the state of a resource forbids."""
    return ApiError("ResourceConflictException", message, 409)


def answer(content: dict[str, Any], status: int = 200) -> Answer:
    """Return a JSON answer."""
    return emulator.json_response(content, status)


_FUNCTION = re.compile(
    r"(?:arn:aws:lambda:(?P<region>[^:]+):|(?=\d{12}:))?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>[$A-Za-z0-9_.-]+))?"
)


@dataclass(frozen=True)
class Function:
    """A function as a caller names it: by name, partial or full ARN, with or without a qualifier."""

    region: str
    account: str
    name: str
    qualifier: str | None

    @classmethod
    def named(cls, text: str, qualifier: str | None = None) -> "Function":
        """Read a function's name.

        Raises:
            ApiError: it is none.
        """
        match = _FUNCTION.fullmatch(text)
        if not match:
            raise invalid(f"{text} names no function")
        return cls(
            match["region"] or emulator.region(),
            match["account"] or emulator.account_id(),
            match["name"],
            qualifier or match["qualifier"],
        )

    @property
    def arn(self) -> str:
        """Its ARN, without the qualifier."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    def record(self) -> dict[str, Any]:
        """Return what ministack holds of it.

        Raises:
            ApiError: there is no such function.
        """
        record = emulator.functions.get_scoped(self.account, self.region, self.name)
        if record is None:
            raise ApiError("ResourceNotFoundException", f"Function not found: {self.arn}", 404)
        return record
