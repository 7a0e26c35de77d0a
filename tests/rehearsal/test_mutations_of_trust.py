"""Roles that trust too much: the rehearsal notices by the roles that a hostile pull request can assume."""

import pytest

from tests.rehearsal import scenarios, stage
from tests.rehearsal.stage import UnexpectedError

REQUIRES = """        required |= {"ref": MAIN, "job_workflow_ref": f"{workflow}@{MAIN}"}\n"""


NOTICED = r"roles that a pull request could assume.* found .*'dev': \['orders-dev-deploy'"


def test_the_rehearsal_notices_that_a_role_trusts_every_workflow() -> None:
    with stage.start(scenarios.edit("infra/policies/trust.py", REQUIRES, "")) as broken:
        for environment in ("dev", "prod"):
            broken.as_person(environment, "access", "--yes")
        with pytest.raises(UnexpectedError, match=NOTICED) as error:
            scenarios.refusals(broken)
    print(error.value)
