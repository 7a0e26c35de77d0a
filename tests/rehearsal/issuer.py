"""The endpoint that gives jobs their tokens."""

from tests.github.state import Table
from tests.github.tokens import Claims, claims, encode
from tests.rehearsal.events import REPOSITORY, Event


class Issuer:
    """Gives jobs their tokens, at the address that each has of its run, workflow file and environment."""

    def __init__(self) -> None:
        self.runs: dict[str, Event] = {}
        self._issued: list[tuple[str, Claims]] = []

    def answer(self, query: Table) -> Table:
        """Answer a job."""
        event = self.runs[query["run"]]
        found = claims(
            REPOSITORY,
            event=event.name,
            ref=event.ref,
            workflow=query["workflow"],
            environment=query.get("environment", ""),
            audience=query["audience"],
            actor=event.actor,
            sha=event.commit,
        )
        self._issued.append((query["run"], found))
        return {"value": encode(found)}

    def issued_to(self, run: str) -> list[Claims]:
        """Return the claims of the tokens that jobs of a run got."""
        return [found for asked, found in self._issued if asked == run]
