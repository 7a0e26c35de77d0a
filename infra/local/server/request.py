"""Requests and answers as they pass between ministack and this package."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from infra.local.server import ministack
from infra.local.server.ministack import Answer, FunctionRecord, Handler, Json

# Paths of Lambda's API. Percent-decoded as they are, an execution's ARN in them has slashes of its own.
FUNCTION_PATH = re.compile(r"/[\d-]+/functions/(?P<function>[^/]+)(?:/(?P<operation>[^/]+))?(?:/.*)?")
EXECUTION_PATH = re.compile(
    r"/[\d-]+/durable-executions/(?P<arn>.+?/durable-execution/[^/]+/[^/]+)(?:/(?P<operation>[^/]+))?"
)
CALLBACK_PATH = re.compile(r"/[\d-]+/durable-execution-callbacks/(?P<callback>.+)/(?P<operation>[^/]+)")
PROVIDER_PATH = re.compile(r"/[\d-]+/capacity-providers(?:/(?P<name>[^/]+)(?:/(?P<operation>[^/]+))?)?")
PROVIDER_TAGS_PATH = re.compile(r"/[\d-]+/tags/(?P<arn>arn:.+:capacity-provider:.+)")


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

    def json(self) -> Json:
        """Return the body of a call of Lambda's API."""
        return json.loads(self.body or b"{}")

    def page(self, name: str, items: Sequence[object], default: int) -> Json:
        """Return the page of a list that is asked for, under a name, and the marker of the next one.

        Raises:
            ApiError: the marker is none of ours.
        """
        start = self.marker()
        end = start + (int(self.one("MaxItems") or 0) or default)
        return {name: items[start:end]} | ({"NextMarker": str(end)} if end < len(items) else {})

    def marker(self) -> int:
        """Return where the page that is asked for begins.

        Raises:
            ApiError: the marker is none of ours.
        """
        text = self.one("Marker") or "0"
        if not re.fullmatch("[0-9]{1,18}", text):
            raise invalid(f"Marker = {text!r} is not valid")
        return int(text)

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
        return ministack.error_response(self.code, self.message, self.status)


def not_found(what: str) -> ApiError:
    """Return the error for something that does not exist."""
    return ApiError("ResourceNotFoundException", f"{what} does not exist", 404)


def invalid(message: str) -> ApiError:
    """Return the error for a parameter that can't be accepted."""
    return ApiError("InvalidParameterValueException", message, 400)


def conflict(message: str) -> ApiError:
    """Return the error for what the state of a resource forbids."""
    return ApiError("ResourceConflictException", message, 409)


def answer(content: Json, status: int = 200) -> Answer:
    """Return a JSON answer."""
    return ministack.json_response(content, status)


_NAME = re.compile(
    r"(?:arn:aws:lambda:(?P<region>[^:]+):|(?=\d{12}:))?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>[$A-Za-z0-9_.-]+))?"
)


@dataclass(frozen=True)
class FunctionName:
    """A function as a caller names it: by name, partial or full ARN, with or without a qualifier."""

    region: str
    account: str
    name: str
    qualifier: str | None

    @classmethod
    def named(cls, text: str, qualifier: str | None = None) -> "FunctionName":
        """Read a function's name.

        Raises:
            ApiError: it is none.
        """
        match = _NAME.fullmatch(text)
        if not match:
            raise invalid(f"{text} names no function")
        return cls(
            match["region"] or ministack.region(),
            match["account"] or ministack.account_id(),
            match["name"],
            qualifier or match["qualifier"],
        )

    @property
    def arn(self) -> str:
        """Its ARN, without the qualifier."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    def record(self) -> FunctionRecord:
        """Return what ministack holds of it.

        Raises:
            ApiError: there is no such function.
        """
        record = ministack.functions.get_scoped(self.account, self.region, self.name)
        if record is None:
            raise ApiError("ResourceNotFoundException", f"Function not found: {self.arn}", 404)
        return record
