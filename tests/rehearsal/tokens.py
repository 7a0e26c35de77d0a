"""The claims of the token that GitHub gives to a job: they follow from event, ref, environment and workflow file."""

from infra.environment import load, names
from infra.naming import PURPOSES, github_environment
from infra.policies.trust import MAIN
from tests.access.tokens import encode
from tests.github.state import Table
from tests.rehearsal.events import REPOSITORY, Event

Claims = dict[str, str]

WORKFLOWS = f"{REPOSITORY.full_name}/.github/workflows"


def claims(event: Event, workflow: str, environment: str, audience: str) -> Claims:
    """Return the claims of a job's token.

    Args:
        event: what its run is for.
        workflow: the name of the file that the job stands in, which may be one that another calls.
        environment: its GitHub environment, or an empty text.
        audience: what the job asked for.
    """
    owner = f"{REPOSITORY.owner}@{REPOSITORY.owner_id}"
    name = f"{REPOSITORY.name}@{REPOSITORY.repository_id}"
    by_event = "pull_request" if event.name == "pull_request" else f"ref:{event.ref}"
    found = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": audience,
        "sub": f"repo:{owner}/{name}:" + (f"environment:{environment}" if environment else by_event),
        "repository": REPOSITORY.full_name,
        "repository_id": str(REPOSITORY.repository_id),
        "repository_owner": REPOSITORY.owner,
        "repository_owner_id": str(REPOSITORY.owner_id),
        "ref": event.ref,
        "sha": event.commit,
        "job_workflow_ref": f"{WORKFLOWS}/{workflow}@{event.ref}",
        "event_name": event.name,
        "actor": event.actor,
    }
    return found | ({"environment": environment} if environment else {})


class Issuer:
    """Gives jobs their tokens, at the address that each has of its run, workflow file and environment."""

    def __init__(self) -> None:
        self.runs: dict[str, Event] = {}
        self._issued: list[tuple[str, Claims]] = []

    def answer(self, query: Table) -> Table:
        """Answer a job."""
        event = self.runs[query["run"]]
        found = claims(event, query["workflow"], query.get("environment", ""), query["audience"])
        self._issued.append((query["run"], found))
        return {"value": encode(found)}

    def issued_to(self, run: str) -> list[Claims]:
        """Return the claims of the tokens that jobs of a run got."""
        return [found for asked, found in self._issued if asked == run]


def may_enter(ref: str, environment: str) -> bool:
    """Return whether an environment's branch rules, as README.md asks for them, let in the jobs of a ref."""
    open_to_pull_requests = environment in ("preview", "preview-teardown") or environment.endswith("-read")
    return ref == MAIN or (open_to_pull_requests and ref.startswith("refs/pull/"))


# Each GitHub environment, and its variables.
ENVIRONMENTS = {
    github_environment(name, purpose): {"AWS_ACCOUNT_ID": load(name).account, "AWS_REGION": load(name).region}
    for name in names()
    if name != "local"
    for purpose in PURPOSES
}
