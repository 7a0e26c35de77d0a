"""The local runner of durable executions, seen from the server: its process, and its API."""

import json
import os
import subprocess
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode

# Its invocations are answered in the account and region of the execution's ARN, whoever signs them.
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "local"}

ALL = 1_000_000


@dataclass(frozen=True)
class Runner:
    """A runner that is ready. It ends with this process."""

    process: "subprocess.Popen[str]"
    port: int

    @classmethod
    def start(cls, python: str, endpoint: str, *, skip_time: bool) -> "Runner":
        """Start it, with the interpreter of the development environment.

        Raises:
            RuntimeError: it ended before it was ready.
        """
        process = subprocess.Popen(
            [
                *(python, "-m", "infra.local.durable_executions", "--lambda-endpoint", endpoint),
                *(["--skip-time"] if skip_time else []),
            ],
            env=os.environ | _CREDENTIALS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        port = process.stdout.readline() if process.stdout else ""
        if not port:
            raise RuntimeError("the runner of durable executions ended while it was starting")
        return cls(process, int(port))

    def call(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
        """Call its API, and return status and content. The path's values must be percent-encoded."""
        connection = HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request(method, path, body or None)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def executions(self, function_arn: str) -> list[dict[str, Any]]:
        """Return the summaries of all executions of a function, whichever version they run on."""
        name = quote(function_arn, safe="")
        _, content = self.call("GET", f"/2025-12-01/functions/{name}/durable-executions?{urlencode({'MaxItems': ALL})}")
        return content["DurableExecutions"]

    def running(self, function_arn: str) -> bool:
        """Tell whether any execution of a function has not ended."""
        return any(summary["Status"] == "RUNNING" for summary in self.executions(function_arn))
