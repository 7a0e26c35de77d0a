"""A stand-in for GitHub's REST API, as far as workflows' jobs ask it, over a state that tests make and look at."""

import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.github.state import BOT, Pull, State, Table

Found = TypeVar("Found")

# Which permissions of a token each part of the API wants, one of them or none; a pull request is an issue as well.
READS, EITHER = ("pull-requests",), ("issues", "pull-requests")
ROUTES: list[tuple[str, str, tuple[str, ...], str]] = [
    ("GET", r"", (), "repository"),
    ("GET", r"/pulls", READS, "pulls"),
    ("GET", r"/pulls/(\d+)", READS, "pull"),
    ("GET", r"/pulls/(\d+)/files", READS, "files"),
    ("GET", r"/issues", EITHER, "issues"),
    ("POST", r"/issues", ("issues",), "create_issue"),
    ("GET", r"/issues/(\d+)", EITHER, "issue"),
    ("PATCH", r"/issues/(\d+)", EITHER, "edit_issue"),
    ("GET", r"/issues/(\d+)/comments", EITHER, "comments"),
    ("POST", r"/issues/(\d+)/comments", EITHER, "create_comment"),
    ("PATCH", r"/issues/comments/(\d+)", EITHER, "edit_comment"),
]
PER_PAGE, PER_PAGE_AT_MOST = 30, 100  # GitHub's documentation, pagination
BODY_AT_MOST = 65_536  # characters; GitHub refuses a longer body of an issue or comment

Answer = Callable[[Table], Table]


class ApiError(Exception):
    """An answer that is no success: its status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The REST API, over the state. Each method answers one kind of request."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._url = f"{state.url}/repos/{state.repository}"
        self._page = f"https://github.com/{state.repository}"

    def repository(self, _: Table) -> Table:
        """Answer with the repository."""
        return {"url": self._url, "full_name": self._state.repository, "default_branch": "main"}

    def pulls(self, query: Table) -> list[Table]:
        """Answer with all pull requests of a state, the newest first."""
        wanted = query.get("state", "open")
        return [self._pull(pull) for pull in _newest(self._state.pulls) if wanted in (pull.state, "all")]

    def pull(self, _: Table, number: str) -> Table:
        """Answer with one pull request."""
        return self._pull(_found(self._state.pulls, number))

    def files(self, _: Table, number: str) -> list[Table]:
        """Answer with the files that a pull request changes."""
        return [{"filename": name} for name in _found(self._state.pulls, number).files]

    def issues(self, query: Table) -> list[Table]:
        """Answer with the issues of a state that have all the labels, and the creator, that are asked for."""
        self._check_issues()
        state, creator = query.get("state", "open"), query.get("creator")
        labels = {label for label in str(query.get("labels", "")).split(",") if label}
        return [
            self._issue(issue)
            for issue in _newest(self._state.issues)
            if state in (issue["state"], "all")
            and labels <= set(issue["labels"])
            and creator in (None, issue["user"]["login"])
        ]

    def create_issue(self, body: Table) -> Table:
        """Open an issue."""
        self._check_issues()
        issue = self._state.add_issue(None)
        issue.update(body)
        return self._issue(issue)

    def issue(self, _: Table, number: str) -> Table:
        """Answer with one issue."""
        self._check_issues()
        return self._issue(_found(self._state.issues, number))

    def edit_issue(self, body: Table, number: str) -> Table:
        """Change what is given of an issue, whoever wrote it."""
        self._check_issues()
        issue = _found(self._state.issues, number)
        issue.update(body)
        return self._issue(issue)

    def comments(self, _: Table, number: str) -> list[Table]:
        """Answer with the comments on an issue or a pull request."""
        _found(self._state.issues | self._state.pulls, number)
        return [self._comment(comment) for comment in self._state.comments_of(int(number))]

    def create_comment(self, body: Table, number: str) -> Table:
        """Add a comment."""
        _found(self._state.issues | self._state.pulls, number)
        return self._comment(self._state.add_comment(int(number), body["body"]))

    def edit_comment(self, body: Table, number: str) -> Table:
        """Change a comment of the token's own account."""
        comment = _found({each["id"]: each for each in self._state.comments}, number)
        if comment["user"]["login"] != BOT:
            raise ApiError(403, "Resource not accessible by integration: somebody else wrote it")
        comment.update(body, edits=comment["edits"] + 1)
        return self._comment(comment)

    def _check_issues(self) -> None:
        if not self._state.has_issues:
            raise ApiError(410, "Issues has been disabled in this repository.")

    def _pull(self, pull: Pull) -> Table:
        return {
            "number": pull.number,
            "title": pull.title,
            "state": pull.state,
            "merged": pull.merged,
            "user": {"login": pull.author},
            "head": {"ref": pull.branch, "sha": pull.head},
            "url": f"{self._url}/pulls/{pull.number}",
            "issue_url": f"{self._url}/issues/{pull.number}",
            "html_url": f"{self._page}/pull/{pull.number}",
        }

    def _issue(self, issue: Table) -> Table:
        place = f"issues/{issue['number']}"
        addresses = {"url": f"{self._url}/{place}", "html_url": f"{self._page}/{place}"}
        return issue | addresses | {"labels": [{"name": name} for name in issue["labels"]]}

    def _comment(self, comment: Table) -> Table:
        page = f"{self._page}/issues/{comment['issue']}#issuecomment-{comment['id']}"
        return comment | {"url": f"{self._url}/issues/comments/{comment['id']}", "html_url": page}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    state: State
    others: Mapping[str, Answer]
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
        headers: dict[str, str] = {}
        try:
            with self.lock:
                other = self.others.get(address.path)
                found = other(query) if other else self._api(address.path, query)
            if isinstance(found, list):
                found, headers = self._paged(cast("list[Table]", found), query)
            status = 201 if self.command == "POST" else 200
        except ApiError as error:
            found, status = {"message": str(error)}, error.status
        data = json.dumps(found).encode()
        self.send_response(status)
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _api(self, path: str, query: Table) -> Any:
        length = int(self.headers.get("Content-Length") or 0)
        given: Table = json.loads(self.rfile.read(length)) if length else query
        path = path.removeprefix(f"/repos/{self.state.repository}")
        request = f"{self.command} {path}"
        if request in self.state.refuses:
            raise ApiError(self.state.refuses[request], "GitHub refuses, since a test asked for it")
        for method, pattern, scopes, name in ROUTES:
            if method == self.command and (match := re.fullmatch(pattern, path)):
                self._check(scopes, "read" if method == "GET" else "write")
                if len(given.get("body") or "") > BODY_AT_MOST:
                    raise ApiError(422, f"body is too long (maximum is {BODY_AT_MOST} characters)")
                answer = getattr(Api(self.state), name)(given, *match.groups())
                self.state.writes += [request] if method != "GET" else []
                return answer
        raise ApiError(404, f"{request} is not modelled")

    def _check(self, scopes: tuple[str, ...], access: str) -> None:
        """Refuse a token without the permission. A token here is a list of what it may do."""
        granted = dict(part.split("=") for part in self.headers["Authorization"].split()[-1].split(",") if "=" in part)
        if scopes and not {granted.get(each) for each in scopes} & {access, "write"}:
            needed = " or ".join(f"{scope}: {access}" for scope in scopes)
            raise ApiError(403, f"Resource not accessible by integration: it needs {needed}")

    def _paged(self, found: list[Table], query: Table) -> tuple[list[Table], dict[str, str]]:
        """Return a page, and the header that tells of the next one."""
        size, page = min(int(query.get("per_page", PER_PAGE)), PER_PAGE_AT_MOST), int(query.get("page", 1))
        left = found[(page - 1) * size :]
        if len(left) <= size:
            return left, {}
        address = f"{self.state.url}{urlsplit(self.path).path}?{urlencode(query | {'page': page + 1})}"
        return left[:size], {"Link": f'<{address}>; rel="next"'}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""


@contextmanager
def serve(state: State, others: Mapping[str, Answer] | None = None) -> Generator[State]:
    """Answer on a free port of 127.0.0.1, which the state then knows.

    Args:
        state: what there is.
        others: what answers at addresses that are not of the API, from the query.
    """
    handler = type("Served", (Handler,), {"state": state, "others": others or {}, "lock": Lock()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()


def _newest(numbered: dict[int, Found]) -> list[Found]:
    return [numbered[number] for number in sorted(numbered, reverse=True)]


def _found(where: Mapping[int, Any], number: str) -> Any:
    if int(number) not in where:
        raise ApiError(404, "Not Found")
    return where[int(number)]
