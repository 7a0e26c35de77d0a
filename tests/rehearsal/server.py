"""What jobs find of GitHub: the endpoint that gives them tokens, and the part of the REST API that they use."""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.access.tokens import encode
from tests.rehearsal import tokens
from tests.rehearsal.events import REPOSITORY, Event, Pull, Table

BASE = f"/repos/{REPOSITORY.full_name}"
# Which permission of a job's token each part of the API wants; a comment on a pull request is one on its issue.
ROUTES = [
    ("GET", r"", "", "repository"),
    ("GET", r"/pulls", "pull-requests", "pulls"),
    ("GET", r"/pulls/(\d+)", "pull-requests", "pull"),
    ("GET", r"/pulls/(\d+)/files", "pull-requests", "files"),
    ("GET", r"/issues", "issues", "issues"),
    ("POST", r"/issues", "issues", "create_issue"),
    ("GET", r"/issues/(\d+)", "issues", "issue"),
    ("PATCH", r"/issues/(\d+)", "issues", "edit_issue"),
    ("GET", r"/issues/(\d+)/comments", "issues", "comments"),
    ("POST", r"/issues/(\d+)/comments", "issues", "create_comment"),
    ("PATCH", r"/issues/comments/(\d+)", "issues", "edit_comment"),
]
# A pull request is an issue as well.
PULL_ADDRESSES = {"url": "pulls", "issue_url": "issues"}
BOT = {"login": "github-actions[bot]", "type": "Bot"}


class ApiError(Exception):
    """An answer that is no success: its status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class State:
    """What GitHub knows, and what it refused."""

    url: str = ""
    pulls: dict[int, Pull] = field(default_factory=dict[int, Pull])
    issues: dict[int, Table] = field(default_factory=dict[int, Table])
    comments: list[Table] = field(default_factory=list[Table])
    runs: dict[str, Event] = field(default_factory=dict[str, Event])
    issued: list[tuple[str, tokens.Claims]] = field(default_factory=list[tuple[str, tokens.Claims]])
    """The id of the run that asked, and the claims of the token that it got."""
    last: int = 0
    """Pull requests and issues are numbered together."""

    def number(self) -> int:
        """Return the next number of a pull request or issue."""
        self.last += 1
        return self.last

    def issued_to(self, run: str) -> list[tokens.Claims]:
        """Return the claims of the tokens that jobs of a run got."""
        return [claims for asked, claims in self.issued if asked == run]

    def comments_of(self, number: int) -> list[Table]:
        """Return the comments on a pull request or issue."""
        return [comment for comment in self.comments if comment["issue"] == number]


class Api:
    """The REST API, over the state. Each method answers one kind of request."""

    def __init__(self, state: State, url: str) -> None:
        self._state = state
        self._url = url

    def repository(self, _: Table) -> Table:
        """Answer with the repository."""
        return {"url": self._url, "full_name": REPOSITORY.full_name, "default_branch": "main"}

    def pulls(self, query: Table) -> list[Table]:
        """Answer with all pull requests of a state."""
        wanted = query.get("state", "open")
        return [self._pull(pull) for pull in self._state.pulls.values() if wanted in (pull.state, "all")]

    def pull(self, _: Table, number: str) -> Table:
        """Answer with one pull request."""
        return self._pull(_found(self._state.pulls, int(number)))

    def files(self, _: Table, number: str) -> list[Table]:
        """Answer with the files that a pull request changes."""
        return [{"filename": name} for name in _found(self._state.pulls, int(number)).files]

    def issues(self, query: Table) -> list[Table]:
        """Answer with the issues of a state that have all the labels, and the creator, that are asked for."""
        state, creator = query.get("state", "open"), query.get("creator")
        labels = {label for label in str(query.get("labels", "")).split(",") if label}
        return [
            self._issue(issue)
            for issue in self._state.issues.values()
            if state in (issue["state"], "all")
            and labels <= set(issue["labels"])
            and creator in (None, issue["user"]["login"])
        ]

    def create_issue(self, body: Table) -> Table:
        """Open an issue."""
        number = self._state.number()
        issue: Table = {"number": number, "state": "open", "user": BOT, "labels": [], "body": None, **body}
        self._state.issues[number] = issue
        return self._issue(issue)

    def issue(self, _: Table, number: str) -> Table:
        """Answer with one issue."""
        return self._issue(_found(self._state.issues, int(number)))

    def edit_issue(self, body: Table, number: str) -> Table:
        """Change what is given of an issue."""
        issue = _found(self._state.issues, int(number))
        issue.update(body)
        return self._issue(issue)

    def comments(self, _: Table, number: str) -> list[Table]:
        """Answer with the comments on an issue or a pull request."""
        return [self._comment(comment) for comment in self._state.comments_of(int(number))]

    def create_comment(self, body: Table, number: str) -> Table:
        """Add a comment."""
        comment = {"id": len(self._state.comments) + 1, "issue": int(number), "user": BOT, "edits": 0} | body
        self._state.comments.append(comment)
        return self._comment(comment)

    def edit_comment(self, body: Table, number: str) -> Table:
        """Change a comment."""
        comment = _found({each["id"]: each for each in self._state.comments}, int(number))
        comment.update(body, edits=comment["edits"] + 1)
        return self._comment(comment)

    def _pull(self, pull: Pull) -> Table:
        addresses = {name: f"{self._url}/{part}/{pull.number}" for name, part in PULL_ADDRESSES.items()}
        return asdict(pull) | addresses | {"user": {"login": pull.author}}

    def _issue(self, issue: Table) -> Table:
        addresses = {
            "url": f"{self._url}/issues/{issue['number']}",
            "html_url": f"https://github.com/{REPOSITORY.full_name}/issues/{issue['number']}",
        }
        return issue | addresses | {"labels": [{"name": name} for name in issue["labels"]]}

    def _comment(self, comment: Table) -> Table:
        page = f"https://github.com/{REPOSITORY.full_name}/issues/{comment['issue']}#issuecomment-{comment['id']}"
        return comment | {"url": f"{self._url}/issues/comments/{comment['id']}", "html_url": page}


class Handler(BaseHTTPRequestHandler):
    """One request of a job."""

    state: State
    lock: Lock

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def _answer(self) -> None:
        address = urlsplit(self.path)
        query: Table = dict(parse_qsl(address.query))
        try:
            with self.lock:
                found = self._token(query) if address.path == "/token" else self._api(address.path, query)
            status = 201 if self.command == "POST" else 200
        except ApiError as error:
            found, status = {"message": str(error)}, error.status
        data = json.dumps(found, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _token(self, query: Table) -> Table:
        event = self.state.runs[query["run"]]
        claims = tokens.claims(event, query["workflow"], query.get("environment", ""), query["audience"])
        self.state.issued.append((query["run"], claims))
        return {"value": encode(claims)}

    def _api(self, path: str, query: Table) -> Any:
        for method, pattern, scope, name in ROUTES:
            if method == self.command and (match := re.fullmatch(BASE + pattern, path)):
                self._check(scope, "read" if method == "GET" else "write")
                length = int(self.headers.get("Content-Length") or 0)
                given: Table = json.loads(self.rfile.read(length)) if length else query
                return getattr(Api(self.state, f"http://{self.headers['Host']}{BASE}"), name)(given, *match.groups())
        raise ApiError(404, f"{self.command} {path} is not modelled")

    def _check(self, scope: str, access: str) -> None:
        """Refuse a token without the permission. That for pull requests is enough for the comments on them."""
        granted = dict(part.split("=") for part in self.headers["Authorization"].split()[-1].split(",") if "=" in part)
        scopes = [scope] if scope != "issues" else ["issues", "pull-requests"]
        if scope and not {granted.get(each) for each in scopes} & {access, "write"}:
            raise ApiError(403, f"Resource not accessible by integration: it needs {scope}: {access}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""


@contextmanager
def serve(state: State) -> Generator[State]:
    """Answer jobs on a free port of 127.0.0.1, which the state then knows."""
    handler = type("Rehearsed", (Handler,), {"state": state, "lock": Lock()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()


def _found(where: "dict[int, Any]", number: int) -> Any:
    if number not in where:
        raise ApiError(404, "Not Found")
    return where[number]
