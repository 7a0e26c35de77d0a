"""The local runner of durable executions, seen from the server: its process, and its API."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Thread
from typing import Any
from urllib.parse import quote, urlencode

# Its invocations are answered in the account and region of the execution's ARN, whoever signs them.
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "local"}

ALL = 1_000_000
# It keeps everything in memory, and no call waits for an execution.
ANSWERS_WITHIN_SECONDS = 60
NOT_ENDED = ("RUNNING", "PAUSING", "PAUSED")


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
        # What it prints from now on goes to the log; unread, it would fill the pipe, and stop the runner.
        Thread(target=sys.stdout.writelines, args=[process.stdout], name="runner-output", daemon=True).start()
        return cls(process, int(port))

    def call(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
        """Call its API, and return status and content. The path's values must be percent-encoded.

        Raises:
            RuntimeError: it does not answer.
        """
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWERS_WITHIN_SECONDS)
        try:
            connection.request(method, path, body or None)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except TimeoutError:
            raise RuntimeError(
                f"the runner of durable executions did not answer {method} {path} within {ANSWERS_WITHIN_SECONDS} s"
            ) from None
        finally:
            connection.close()

    def executions(self, function_arn: str) -> list[dict[str, Any]]:
        """Return the summaries of all executions of a function, whichever version they run on."""
        name = quote(function_arn, safe="")
        _, content = self.call("GET", f"/2025-12-01/functions/{name}/durable-executions?{urlencode({'MaxItems': ALL})}")
        return content["DurableExecutions"]

    def running(self, function_arn: str) -> bool:
        """Tell whether any execution of a function has not ended. One that is paused has not."""
        return any(summary["Status"] in NOT_ENDED for summary in self.executions(function_arn))
