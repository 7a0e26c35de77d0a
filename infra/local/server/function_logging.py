"""Logging as Lambda's Python runtime sets it up: JSON lines, with a record's extra fields and the request beside it.

ministack runs a function without any, so that nothing below a warning would be seen. The source of this module is put
in front of the program that ministack runs functions with, so it must need nothing but the standard library. The level
is INFO, whatever the function's configuration says.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One JSON object per record."""

    request_id: str | None = None
    """That of the invocation, of which a process has one at a time; threads of a handler log under it too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if self.request_id:
            fields["requestId"] = self.request_id
        fields |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[0]:
            fields |= {"errorType": record.exc_info[0].__name__, "errorMessage": str(record.exc_info[1])}
            fields["stackTrace"] = self.formatException(record.exc_info).splitlines()
        return json.dumps(fields, default=str)


def identified(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Let what a function's handler logs name its request."""

    def handle(event: Any, context: Any) -> Any:
        JsonFormatter.request_id = context.aws_request_id
        return handler(event, context)

    return handle


_handler = logging.StreamHandler()
_handler.setFormatter(JsonFormatter())
logging.root.addHandler(_handler)
logging.root.setLevel(logging.INFO)
