"""A stand-in for the part of GitHub's API that the pipeline uses."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest


class FakeGitHub(BaseHTTPRequestHandler):
    """One pull request and its comments."""

    comments: list[dict[str, Any]]
    state: str

    def do_GET(self) -> None:
        address = f"http://{self.headers['Host']}{self.path.split('?')[0]}"
        if self.path.split("?")[0].endswith("/comments"):
            self._answer([each | {"url": f"{address}/{each['id']}"} for each in self.comments])
        elif "/pulls/" in self.path and self.state:
            self._answer({"number": 7, "url": address, "state": self.state})
        elif self.path.endswith("/orders"):
            self._answer({"url": address})
        else:
            self._answer({"message": "Not Found"}, 404)

    def do_POST(self) -> None:
        made = {"id": len(self.comments) + 1, "user": {"type": "Bot"}, "html_url": "made", **self._body()}
        self.comments.append(made)
        self._answer(made, 201)

    def do_PATCH(self) -> None:
        edited = next(each for each in self.comments if str(each["id"]) == self.path.rpartition("/")[2])
        edited.update(self._body())
        self._answer(edited)

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, content: object, status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""


@contextmanager
def fake_github(
    monkeypatch: pytest.MonkeyPatch, comments: list[dict[str, Any]], state: str = "open"
) -> Generator[None]:
    """Let commands reach it; without a state there is no pull request."""
    handler = type("Handler", (FakeGitHub,), {"comments": comments, "state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("GITHUB_REPOSITORY", "example-org/orders")
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        yield
        server.shutdown()
