"""The pipeline, broken on purpose: the rehearsal notices, each time by what the break leaves behind.

That the same scenarios are green on what is not broken is what `make rehearse` shows.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.aws import LocalAws
from infra.project import load
from tests.rehearsal import edits, people, scenarios, stage
from tests.rehearsal.expected import STAGES
from tests.rehearsal.repository import Change
from tests.rehearsal.stage import Stage, UnexpectedError

ENVIRONMENT = ".github/workflows/environment.yml"
PROMOTE = load().promote
DEPLOYS = "      - name: Deploy what was built\n"
BUILDS_AGAIN = f"""\
      - name: Build it again
        if: inputs.environment == '{PROMOTE[-1]}'
        run: |
          make bundle
          .venv/bin/python -m infra.pipeline build --environment {PROMOTE[-1]} --output build/again
"""
BUILT_TWICE = re.escape(f"{STAGES[len(PROMOTE) - 1]} deploy")
DRAINS = "stopped = drain_all(target, functions, ending)"


@pytest.fixture(scope="module")
def accounts() -> Iterator[LocalAws]:
    """Accounts to which workflows may deploy."""
    with stage.start() as set_stage:
        people.set_up(set_stage, PROMOTE)
        yield set_stage.aws


def teardown_of_first(broken: Stage) -> None:
    """Play the teardown on the first environment alone: it goes wrong before anybody looks at another."""
    people.deploy(broken, broken.first)
    scenarios.teardown(broken)


def without_smoke(tree: Path) -> None:
    """Take out the step that tries it with events, and the one that looks at its outcome."""
    path = tree / ENVIRONMENT
    steps = re.split(r"(?m)^(?=      - |      # )", path.read_text())
    kept = [step for step in steps if "pipeline smoke" not in step and "pipeline roll-back" not in step]
    assert len(kept) == len(steps) - 2
    path.write_text("".join(kept))


@pytest.mark.parametrize(
    ("change", "scenario", "noticed"),
    [
        (without_smoke, scenarios.first_deployment, "the jobs that tried it with an event: expected"),
        (
            edits.replace(ENVIRONMENT, DEPLOYS, BUILDS_AGAIN + DEPLOYS),
            scenarios.first_deployment,
            f"the jobs that built something: expected {{'build'}}, and found .*'{BUILT_TWICE}'",
        ),
        (
            edits.replace(ENVIRONMENT, "--purpose deploy", "--purpose read"),
            scenarios.first_deployment,
            "the jobs of deploy.yml for push on main: .* found .*'first deploy': 'failure'",
        ),
        (
            edits.replace("infra/pipeline/teardown.py", DRAINS, "stopped = 0"),
            teardown_of_first,
            "an event for .* was refused: there is no function",
        ),
    ],
    ids=["no smoke execution", "the last is built again", "the role of another purpose", "no drain"],
)
def test_the_rehearsal_notices(
    accounts: LocalAws, change: Change, scenario: Callable[[Stage], None], noticed: str
) -> None:
    with stage.on(accounts, change) as broken, pytest.raises(UnexpectedError, match=noticed) as error:
        scenario(broken)
    print(error.value)
