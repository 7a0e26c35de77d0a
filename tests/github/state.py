"""What there is in a repository on GitHub: its pull requests, issues and comments, and who wrote them."""

from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

Table = dict[str, Any]

# The account of the token that GitHub gives to a workflow's jobs.
BOT = "github-actions[bot]"


@dataclass
class Pull:
    """A pull request into main."""

    number: int
    branch: str = "a-branch"
    head: str = "0" * 40
    title: str = "A change"
    author: str = "somebody"
    fork: bool = False
    state: str = "open"
    merged: bool = False
    files: list[str] = field(default_factory=list[str])
    """Those that it changes."""

    @property
    def head_ref(self) -> str:
        """Where its commits are found. Those of a fork are on no branch of the repository."""
        return f"refs/pull/{self.number}/head" if self.fork else f"refs/heads/{self.branch}"

    @property
    def merge_ref(self) -> str:
        """Where its merge into main is found while it is open."""
        return f"refs/pull/{self.number}/merge"


@dataclass
class State:
    """A repository, and how GitHub answers for it."""

    repository: str = "acme-inc/money"
    url: str = ""
    """Where the API is, once it is served."""
    pulls: dict[int, Pull] = field(default_factory=dict[int, Pull])
    issues: dict[int, Table] = field(default_factory=dict[int, Table])
    comments: list[Table] = field(default_factory=list[Table])
    """Each with the number of its issue or pull request, and how often it was edited."""
    writes: list[str] = field(default_factory=list[str])
    """What was asked but to read, and not refused: "POST /issues"."""
    refuses: dict[str, int] = field(default_factory=dict[str, int])
    """The status of each request, written in that way, that GitHub shall not answer."""
    has_issues: bool = True
    """Whether the repository has issues at all. That of a new fork has none."""

    def number(self) -> int:
        """Return the next number: pull requests and issues are numbered together."""
        return max([0, *self.pulls, *self.issues]) + 1

    def add_pull(self, number: int, state: str = "open") -> Pull:
        """Let there be a pull request."""
        self.pulls[number] = Pull(number, state=state)
        return self.pulls[number]

    def add_issue(self, body: str | None, author: str = BOT, title: str = "An issue") -> Table:
        """Let somebody open an issue."""
        number, labels = self.number(), list[str]()
        facts: Table = {"title": title, "body": body, "state": "open", "labels": labels}
        found = self.issues[number] = {"number": number, "user": user(author)} | facts
        return found

    def add_comment(self, number: int, body: str, author: str = BOT) -> Table:
        """Let somebody comment on an issue or a pull request."""
        made = {"id": len(self.comments) + 1, "issue": number, "user": user(author), "body": body, "edits": 0}
        self.comments.append(made)
        return made

    def comments_of(self, number: int) -> list[Table]:
        """Return the comments on a pull request or issue."""
        return [comment for comment in self.comments if comment["issue"] == number]


def user(login: str) -> Table:
    """Return an account as the API tells it: that of an app is a bot."""
    return {"login": login, "id": crc32(login.encode()), "type": "Bot" if login.endswith("[bot]") else "User"}
