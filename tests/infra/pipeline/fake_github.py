"""A stand-in for the part of GitHub's API that the pipeline uses: pull requests, issues and their comments."""

import json
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

import pytest

BOT = {"type": "Bot", "login": "github-actions[bot]"}
# For the state of a pull request: what GitHub does not answer for.
REFUSED = "refused"


@dataclass
class GitHubState:
    """What there is in the repository."""

    pulls: Mapping[int, str] = field(default_factory=lambda: {7: "open"})
    files: list[str] = field(default_factory=list[str])
    issues: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    comments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    # Each request but those that read, as "POST /issues".
    writes: list[str] = field(default_factory=list[str])


class FakeGitHub(BaseHTTPRequestHandler):
    """Answers for one repository."""

    state: GitHubState

    def do_GET(self) -> None:
        path, state = self._path(), self.state
        if match := re.fullmatch(r"/pulls/(\d+)", path):
            number = int(match[1])
            known = number in state.pulls
            if state.pulls.get(number) == REFUSED:
                self._answer({"message": "Bad credentials"}, 401)
                return
            self._answer({"number": number, "state": state.pulls[number]} if known else None)
        elif re.fullmatch(r"/pulls/\d+/files", path):
            self._answer([{"filename": name} for name in state.files])
        elif re.fullmatch(r"/issues/\d+/comments", path):
            self._answer([each | {"url": f"{self._address()}/{each['id']}"} for each in state.comments])
        elif path == "/issues":
            self._answer([each for each in state.issues if f"state={each['state']}" in self.path])
        else:
            self._answer({} if path == "" else None)

    def do_POST(self) -> None:
        made = {"user": BOT, **self._body()}
        if self._path() == "/issues":
            number = len(self.state.issues) + 1
            address = f"{self._address()}/{number}"
            made |= {"number": number, "state": "open", "html_url": f"issue {number}", "url": address}
            self.state.issues.append(made)
        else:
            made |= {"id": len(self.state.comments) + 1, "html_url": "made"}
            self.state.comments.append(made)
        self._answer(made, 201)

    def do_PATCH(self) -> None:
        kind, _, number = self._path().rpartition("/")
        known, key = (self.state.comments, "id") if kind.endswith("/comments") else (self.state.issues, "number")
        edited = next(each for each in known if str(each[key]) == number)
        edited.update(self._body())
        self._answer(edited)

    def _address(self) -> str:
        return f"http://{self.headers['Host']}{self.path.split('?')[0]}"

    def _path(self) -> str:
        return self.path.split("?")[0].removeprefix("/repos/example-org/orders")

    def _body(self) -> Any:
        self.state.writes.append(f"{self.command} {self._path()}")
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, content: Any, status: int = 200) -> None:
        if content is None:
            content, status = {"message": "Not Found"}, 404
        if isinstance(content, dict):
            content = {"url": self._address(), **cast("dict[str, Any]", content)}
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""


@contextmanager
def fake_github(monkeypatch: pytest.MonkeyPatch, state: GitHubState | None = None) -> Generator[GitHubState]:
    """Let commands reach it, and yield what there is in it."""
    there = state or GitHubState()
    handler = type("Handler", (FakeGitHub,), {"state": there})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("GITHUB_REPOSITORY", "example-org/orders")
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        yield there
        server.shutdown()
