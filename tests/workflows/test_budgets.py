"""Jobs that hold credentials last as long as what they run may wait, and no longer than the credentials do."""

import re

import pytest

from infra import budgets
from tests.workflows.reading import JOBS, called, steps

COMMAND = re.compile(r"-m infra\.pipeline ([a-z-]+)")
WITH_CREDENTIALS = [where for where, job in JOBS.items() if not called(job) and "id-token" in job["permissions"]]


def commands(where: tuple[str, str]) -> set[str]:
    return {name for step in steps(JOBS[where]) for name in COMMAND.findall(step.get("run", ""))}


@pytest.mark.parametrize("where", WITH_CREDENTIALS, ids="-".join)
def test_a_job_lasts_as_long_as_its_commands_may_wait_and_no_longer_than_its_credentials(
    where: tuple[str, str],
) -> None:
    waiting = sum(budgets.JOBS.get(command, 0) for command in commands(where))
    assert budgets.SET_UP + waiting <= JOBS[where]["timeout-minutes"] * budgets.MINUTE <= budgets.CREDENTIALS


def test_the_table_names_commands_of_such_jobs() -> None:
    assert set(budgets.JOBS) <= {command for where in WITH_CREDENTIALS for command in commands(where)}


def test_no_workflow_asks_for_credentials_of_another_length() -> None:
    assert not [step for job in JOBS.values() for step in steps(job) if "role-duration-seconds" in step.get("with", {})]
