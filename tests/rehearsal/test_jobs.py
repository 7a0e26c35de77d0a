"""The order of the jobs of the real workflows, for projects of each size, with jobs that do nothing."""

import time

import pytest

from infra.pipeline import build_all
from infra.project import Project
from tests.infra.fakes.environments import PROJECT
from tests.rehearsal import events, workflows
from tests.rehearsal.act import Job, Step
from tests.rehearsal.expected import staged
from tests.rehearsal.jobs import Jobs
from tests.rehearsal.run import Run
from tests.rehearsal.workflows import Planned
from tests.workflows.reading import WORKFLOWS

NAMES = ["dev", "test", "stage", "prod"]
PUSHED = events.push("2" * 40, "1" * 40)


class Deployment:
    """A run of the deployment of a project, some of whose jobs fail."""

    def __init__(self, project: Project, *failing: str) -> None:
        self.failing = failing
        self.environments: list[str] = []
        digests = {name: f"digest of {name}" for name in project.environments}
        self._outputs = {"build": Step("", outputs=build_all.outputs(project, digests))}
        self._outputs["checkout"] = Step("", outputs={"commit": "c" * 40})

    def run(self, before: dict[str, Job] | None = None) -> Run:
        """Run it, for the first time or again."""
        run = Run("1001", "deploy.yml", PUSHED, time.time())
        Jobs(run, before or {}, self._play).run(workflows.start(WORKFLOWS, "deploy.yml", PUSHED, run.id))
        return run

    def _play(self, planned: Planned, _goes_on: bool) -> Job:
        self.environments.append(planned.environment)
        result = "failure" if planned.name in self.failing else "success"
        return Job(planned.name, time.time(), time.time(), result, steps=self._outputs)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_main_is_brought_to_as_many_environments_as_there_are(count: int) -> None:
    played = Deployment(PROJECT.model_copy(update={"promote": NAMES[:count]}))
    assert played.run().results == staged(count)
    entered = [name for each in NAMES[:count] for name in (f"{each}-read", each)]
    assert played.environments == ["", *entered]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_no_other_environment_sees_what_failed_in_the_first(count: int) -> None:
    played = Deployment(PROJECT.model_copy(update={"promote": NAMES[:count]}), "first deploy")
    assert played.run().results == staged(count, "failure")


def test_what_failed_and_all_after_it_runs_again_and_nothing_else() -> None:
    played = Deployment(PROJECT, "first deploy")
    failed = played.run()
    played.failing, played.environments = (), []
    assert played.run(failed.jobs).results == staged(2)
    assert played.environments == ["dev", "prod-read", "prod"]
