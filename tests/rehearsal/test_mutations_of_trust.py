"""Roles that trust too much: the rehearsal notices by the roles that a hostile pull request can assume."""

import re

import pytest

from infra.policies.purposes import role
from tests.rehearsal import edits, people, scenarios, stage
from tests.rehearsal.stage import UnexpectedError

REQUIRES = """        required |= {"ref": MAIN, "job_workflow_ref": f"{workflow}@{MAIN}"}\n"""


def test_the_rehearsal_notices_that_a_role_trusts_every_workflow() -> None:
    with stage.start(edits.replace("infra/policies/trust.py", REQUIRES, "")) as broken:
        people.give_access(broken, broken.project.environments)
        found = re.escape(f"'{broken.first}': ['{role(broken.environments[broken.first], 'deploy')}'")
        noticed = f"roles that a pull request could assume.* found .*{found}"
        with pytest.raises(UnexpectedError, match=noticed) as error:
            scenarios.refusals(broken)
    print(error.value)
