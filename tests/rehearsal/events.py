"""What happens on GitHub, and what follows from it for a run before any of its jobs does something."""

from dataclasses import dataclass, field

from infra.policies.trust import MAIN
from infra.project import load
from tests.github.state import Pull, Table

REPOSITORY = load().repository
OWNER = REPOSITORY.owner


@dataclass(frozen=True)
class Event:
    """One event, and the commit and ref that GitHub runs workflows on for it."""

    name: str
    ref: str
    commit: str
    payload: Table = field(default_factory=Table)
    actor: str = "somebody"
    trusted: bool = True
    """Whether GitHub gives its runs tokens: not to those of forks and of Dependabot."""
    workflow: str = ""
    """The one file that somebody starts by hand, or whose time of day it is."""

    def __str__(self) -> str:
        """Tell it in a few words."""
        if self.name == "pull_request":
            return f"pull request {self.payload['number']} {self.payload['action']}"
        return f"{self.name} on {self.ref.removeprefix('refs/heads/')}"


def pull_request(pull: Pull, action: str, commit: str) -> Event:
    """Return the event of an action on a pull request, which runs on a commit: its merge, tried or true."""
    head = f"a-fork/{REPOSITORY.name}" if pull.fork else REPOSITORY.full_name
    payload = {
        "action": action,
        "number": pull.number,
        "pull_request": {
            "number": pull.number,
            "title": pull.title,
            "state": pull.state,
            "merged": pull.merged,
            "user": {"login": pull.author},
            "head": {"ref": pull.branch, "sha": pull.head, "repo": {"full_name": head, "fork": pull.fork}},
            "base": {"ref": "main", "repo": {"full_name": REPOSITORY.full_name}},
        },
        **repository(),
    }
    ref = MAIN if pull.merged else pull.merge_ref
    trusted = not pull.fork and pull.author != "dependabot[bot]"
    return Event("pull_request", ref, commit, payload, pull.author, trusted)


def push(commit: str, before: str) -> Event:
    """Return the event of a push to main."""
    return Event(
        "push", MAIN, commit, {"ref": MAIN, "before": before, "after": commit, "deleted": False} | repository()
    )


def schedule(commit: str, workflow: str) -> Event:
    """Return the event of the time that a workflow is scheduled for, on main as it is."""
    return Event("schedule", MAIN, commit, repository(), workflow=workflow)


def dispatch(commit: str, workflow: str, inputs: dict[str, str]) -> Event:
    """Return the event of somebody who starts a workflow by hand, on main."""
    return Event("workflow_dispatch", MAIN, commit, {"inputs": inputs, "ref": MAIN} | repository(), workflow=workflow)


def repository() -> Table:
    """Return what each event says of the repository."""
    return {
        "repository": {
            "full_name": REPOSITORY.full_name,
            "name": REPOSITORY.name,
            "id": REPOSITORY.id,
            "default_branch": "main",
            "owner": {"login": OWNER, "id": REPOSITORY.owner_id},
        }
    }


def starts(file: str, workflow: Table, event: Event) -> bool:
    """Return whether a workflow's `on` is for an event: its kind, and the filters for branches and types."""
    triggers: Table = workflow["on"]
    if event.name not in triggers or event.workflow not in ("", file):
        return False
    if event.name in ("schedule", "workflow_dispatch"):
        return True
    filters: Table = triggers[event.name] or {}
    branch = event.payload["pull_request"]["base"]["ref"] if event.name == "pull_request" else event.ref
    if "branches" in filters and branch.removeprefix("refs/heads/") not in filters["branches"]:
        return False
    return event.payload.get("action") in filters.get("types", ["opened", "synchronize", "reopened", None])
