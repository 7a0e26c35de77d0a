"""Runs the jobs of a workflow, each as soon as those that it needs have ended, through the workflows that they call."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from infra.console.progress import console
from tests.rehearsal import workflows
from tests.rehearsal.act import Job
from tests.rehearsal.run import Run
from tests.rehearsal.workflows import Level, Matrix, Outcome, Planned
from tests.workflows.reading import called, needs

# What the result of several jobs is: the first of these that any of them has.
WORST_FIRST = ("failure", "cancelled", "success", "skipped")


class Jobs:
    """The jobs of one run.

    Args:
        run: of what.
        before: the jobs of an earlier attempt, of which those stay that need not run again.
        play: runs one job with steps; said is also whether it goes on when its run is cancelled.
    """

    def __init__(self, run: Run, before: Mapping[str, Job], play: Callable[[Planned, bool], Job]) -> None:
        self._run = run
        self._before = before
        self._play = play

    def run(self, level: Level) -> None:
        """Run all jobs of the workflow file that started."""
        self._all(level, again=not self._before)

    def _all(self, level: Level, *, again: bool) -> dict[str, Outcome]:
        """Run all jobs of a workflow file.

        Args:
            level: the file.
            again: whether anything that it needs ran in this attempt.
        """
        outcomes: dict[str, Outcome] = {}
        under_way: dict[Future[Outcome], str] = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            while len(outcomes) < len(level.jobs):
                for key, job in level.jobs.items():
                    waits = key in outcomes or key in under_way.values()
                    if not waits and outcomes.keys() >= set(needs(job)):
                        under_way[pool.submit(self._job, level, key, dict(outcomes), again=again)] = key
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    outcomes[under_way.pop(done)] = done.result()
        return outcomes

    def _job(self, level: Level, key: str, outcomes: Mapping[str, Outcome], *, again: bool) -> Outcome:
        """Run a job, for each value of its matrix, or skip it."""
        job = level.jobs[key]
        again = again or any(outcomes[name].again for name in needs(job))
        known = level.contexts(outcomes)
        # What may stay as it is was started before.
        if not workflows.starts(job, known, cancelled=self._run.cancelled and again):
            name = level.name(key)
            kept = self._kept(name, again=again)
            self._note(kept or Job(name, time.time(), time.time(), "skipped"))
            return Outcome("skipped", again=not kept)

        def one(matrix: Matrix) -> Outcome:
            if called(job):
                inner = self._all(level.call(key, outcomes, matrix), again=again)
                return _together(inner.values())
            planned = level.plan(key, outcomes, matrix)
            goes_on = workflows.starts(job, known, cancelled=True)
            kept = self._kept(planned.name, again=again)
            found = kept or self._play(planned, goes_on)
            found.title = planned.title
            self._note(found)
            steps = {name: step.outputs for name, step in found.steps.items()}
            return Outcome(found.result, workflows.outputs(job, steps), again=not kept)

        found = level.matrices(key, outcomes)
        with ThreadPoolExecutor(len(found)) as pool:
            return _together(list(pool.map(one, found)))

    def _kept(self, name: str, *, again: bool) -> Job | None:
        """Return a job that is left as it is when those that failed run again, and those that need these."""
        found = None if again else self._before.get(name)
        return None if found and found.result in ("failure", "cancelled") else found

    def _note(self, job: Job) -> None:
        self._run.jobs[job.name] = job
        console.print(f"    {job.result:9} {job.title or job.name}: {job.ended - job.started:.1f} s", soft_wrap=True)


def _together(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome of several jobs that are one for those that need it."""
    found = list(outcomes)
    results = {each.result for each in found}
    given = {name: value for each in found for name, value in each.outputs.items()}
    worst = next(result for result in WORST_FIRST if result in results)
    return Outcome(worst, given, again=any(each.again for each in found))
