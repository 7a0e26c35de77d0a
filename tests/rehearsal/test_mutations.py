"""The pipeline, broken on purpose: the rehearsal notices, each time by what the break leaves behind.

That the same scenarios are green on what is not broken is what `make rehearse` shows.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.aws import LocalAws
from tests.rehearsal import scenarios, stage
from tests.rehearsal.repository import Change
from tests.rehearsal.stage import Stage, UnexpectedError

ENVIRONMENT = ".github/workflows/environment.yml"
DEPLOYS = "      - name: Deploy what was built\n"
BUILDS_AGAIN = """\
      - name: Build it again
        if: inputs.environment == 'prod'
        run: |
          make bundle
          .venv/bin/python -m infra.pipeline build --environment prod --output build/again
"""
SWAPPED = "inputs.environment == 'dev' && 'preview' || inputs.environment == 'preview' && 'dev' || inputs.environment"
DRAINS = "stopped = drain(target, ending)"


@pytest.fixture(scope="module")
def accounts() -> Iterator[LocalAws]:
    """Accounts to which workflows may deploy."""
    with stage.start() as set_stage:
        scenarios.prepare(set_stage, ["dev"], ["prod"])
        yield set_stage.aws


def teardown_of_dev(broken: Stage) -> None:
    """Play the teardown on a deployed dev, and a prod that nobody looks at before it goes wrong."""
    scenarios.deploy(broken, "dev")
    scenarios.teardown(broken)


def without_smoke(tree: Path) -> None:
    """Take out the step that tries an order, and the one that looks at its outcome."""
    path = tree / ENVIRONMENT
    steps = re.split(r"(?m)^(?=      - |      # )", path.read_text())
    kept = [step for step in steps if "Try it with an order" not in step and "Go back" not in step]
    assert len(kept) == len(steps) - 2
    path.write_text("".join(kept))


@pytest.mark.parametrize(
    ("change", "scenario", "noticed"),
    [
        (without_smoke, scenarios.first_deployment, "the jobs that tried an order: expected"),
        (
            scenarios.edit(ENVIRONMENT, DEPLOYS, BUILDS_AGAIN + DEPLOYS),
            scenarios.first_deployment,
            "the jobs that built something: expected {'build'}",
        ),
        (
            scenarios.edit(ENVIRONMENT, "${{ inputs.environment }}-deploy", f"${{{{ {SWAPPED} }}}}-deploy"),
            scenarios.first_deployment,
            "the jobs of deploy.yml for push on main: .* found .*'dev': 'failure'",
        ),
        (
            scenarios.edit("infra/pipeline/teardown.py", DRAINS, "stopped = 0"),
            teardown_of_dev,
            "an order of dev was refused: there is no function",
        ),
    ],
    ids=["no smoke order", "prod is built again", "roles of preview and dev are swapped", "no drain"],
)
def test_the_rehearsal_notices(
    accounts: LocalAws, change: Change, scenario: Callable[[Stage], None], noticed: str
) -> None:
    with stage.on(accounts, change) as broken, pytest.raises(UnexpectedError, match=noticed) as error:
        scenario(broken)
    print(error.value)
