"""What somebody who can push a branch makes of its workflow: jobs of many environments try to assume every role."""

from pathlib import Path

import yaml

from infra.environment import load
from infra.policies.purposes import PURPOSES, role
from tests.github.state import Table
from tests.rehearsal.act import Job
from tests.rehearsal.workflows import RUNNER
from tests.workflows.reading import third_party

FILE = "pull-request.yml"
ACTION = "aws-actions/configure-aws-credentials"
ROLES = {role(name, purpose): load(name) for name in ("dev", "preview", "prod") for purpose in PURPOSES}
# The jobs, by their GitHub environment, and what each may assume: what previews and diffs need.
MAY_ASSUME: dict[str, list[str]] = {
    "none": [],
    "preview": ["orders-preview-deploy"],
    "preview-teardown": ["orders-preview-teardown"],
    "dev-read": ["orders-dev-read"],
    "dev": [],
    "prod": [],
}


def change(tree: Path) -> None:
    """Put it in the place of the workflow."""
    (action,) = [used for used in third_party(tree) if used.startswith(f"{ACTION}@")]
    jobs = {environment: _job(environment, action) for environment in MAY_ASSUME}
    content: Table = {"name": "Hostile", "on": {"pull_request": None}, "permissions": {}, "jobs": jobs}
    (tree / ".github" / "workflows" / FILE).write_text(yaml.safe_dump(content, sort_keys=False, width=1000))


def assumed(job: Job) -> list[str]:
    """Return the roles that a job of it could assume."""
    return [step for step, found in job.steps.items() if found.result == "success"]


def _job(environment: str, action: str) -> Table:
    job: Table = {
        "name": environment,
        "runs-on": RUNNER,
        "permissions": {"id-token": "write"},
        "steps": [_attempt(name, action) for name in ROLES],
    }
    return job if environment == "none" else job | {"environment": environment}


def _attempt(name: str, action: str) -> Table:
    place = ROLES[name]
    return {
        "id": name,
        "uses": action,
        "continue-on-error": True,
        "with": {
            "role-to-assume": f"arn:aws:iam::{place.account}:role/{name}",
            "role-session-name": "hostile",
            "allowed-account-ids": place.account,
            "aws-region": place.region,
        },
    }
