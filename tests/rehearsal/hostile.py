"""What somebody who can push a branch makes of its workflow: jobs of many environments try to assume every role."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from infra.environment import Environment
from infra.policies.purposes import PURPOSES, Purpose, github_environment, role, role_arn
from infra.project import Project
from tests.github.state import Table
from tests.rehearsal.act import Job
from tests.rehearsal.workflows import RUNNER
from tests.workflows.reading import third_party

FILE = "pull-request.yml"
ACTION = "aws-actions/configure-aws-credentials"
NO_ENVIRONMENT = "none"


@dataclass(frozen=True)
class Hostile:
    """A workflow of a pull request, which tries to assume every role of a project's environments.

    Args:
        project: whose.
        environments: its environments, by name.
    """

    project: Project
    environments: Mapping[str, Environment]

    @property
    def may_assume(self) -> dict[str, list[str]]:
        """Its jobs, by their GitHub environment, and what each may assume: what previews and diffs need."""
        first, last = self.project.promote[0], self.project.promote[-1]
        previews = self.environments[self.project.previews]
        of_pull_requests: list[tuple[Environment, Purpose]] = [
            (previews, "deploy"),
            (previews, "teardown"),
            (self.environments[first], "read"),
        ]
        allowed = {github_environment(*each): [role(*each)] for each in of_pull_requests}
        return {NO_ENVIRONMENT: [], **allowed, first: [], last: []}

    def change(self, tree: Path) -> None:
        """Put it in the place of the workflow."""
        (action,) = [used for used in third_party(tree) if used.startswith(f"{ACTION}@")]
        jobs = {environment: self._job(environment, action) for environment in self.may_assume}
        content: Table = {"name": "Hostile", "on": {"pull_request": None}, "permissions": {}, "jobs": jobs}
        (tree / ".github" / "workflows" / FILE).write_text(yaml.safe_dump(content, sort_keys=False, width=1000))

    def _job(self, environment: str, action: str) -> Table:
        job: Table = {
            "name": environment,
            "runs-on": RUNNER,
            "permissions": {"id-token": "write"},
            "steps": [
                _attempt(self.environments[name], purpose, action)
                for name in self.project.environments
                for purpose in PURPOSES
            ],
        }
        return job if environment == NO_ENVIRONMENT else job | {"environment": environment}


def assumed(job: Job) -> list[str]:
    """Return the roles that a job of it could assume."""
    return [step for step, found in job.steps.items() if found.result == "success"]


def _attempt(place: Environment, purpose: Purpose, action: str) -> Table:
    return {
        "id": role(place, purpose),
        "uses": action,
        "continue-on-error": True,
        "with": {
            "role-to-assume": role_arn(place, purpose),
            "role-session-name": "hostile",
            "allowed-account-ids": place.account,
            "aws-region": place.region,
        },
    }
