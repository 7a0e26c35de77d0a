"""A GitHub on this machine: its repository, what happens there, and the workflows that run for it."""

import itertools
import json
import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import yaml

from infra import ROOT
from infra import project as projects
from infra.console.progress import doing
from tests.github.server import serve
from tests.github.state import Pull, State
from tests.rehearsal import environments, events, workflows
from tests.rehearsal.act import Job, Runner, Task
from tests.rehearsal.concurrency import Groups, Place
from tests.rehearsal.events import REPOSITORY, Event
from tests.rehearsal.issuer import Issuer
from tests.rehearsal.jobs import Jobs
from tests.rehearsal.repository import Change, Repository
from tests.rehearsal.run import Meanwhile, Run, Runs
from tests.rehearsal.step import CANCEL, VARIABLE
from tests.rehearsal.workflows import Planned
from tests.workflows.reading import read, third_party


class GitHub:
    """A repository on GitHub."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], change: Change | None = None, actions: Path | None = None
    ) -> None:
        """Make it.

        Args:
            folder: for all its files.
            environ: what its jobs have in their environment beside what GitHub gives them.
            change: what main has on top of the work tree.
            actions: a folder with actions that take the place of those that stand in for them.
        """
        (folder / "home").mkdir()
        self.state = State(REPOSITORY.full_name)
        self.issuer = Issuer()
        self._previews = projects.load().previews
        self.repository = Repository(folder, change)
        self.runs: list[Run] = []
        self.without_branch_rules: set[str] = set()
        """The environments for which somebody forgot them."""
        self._runner = Runner(folder / "home", actions)
        self._groups = Groups()
        self._folder = folder
        self._ids = itertools.count(1001)
        self._environ = {
            "GITHUB_REPOSITORY": REPOSITORY.full_name,
            "CDK_HOME": str(folder / "home" / ".cdk"),
            "REHEARSAL_ROOT": str(ROOT),
            "REHEARSAL_REPOSITORY": str(self.repository.path),
            "REHEARSAL_ARTIFACTS": str(folder / "artifacts"),
            **environ,
        }

    @contextmanager
    def served(self) -> "Generator[GitHub]":
        """Let jobs reach its API, and the endpoint that gives them tokens."""
        with serve(self.state, {"/token": self.issuer.answer}):
            yield self

    def open(self, title: str, change: Change, *, fork: bool = False, author: str = "somebody") -> tuple[Pull, Runs]:
        """Open a pull request with one commit, and run what follows."""
        number = self.state.number()
        pull = Pull(number, branch=f"branch-{number}", head="", title=title, fork=fork, author=author)
        self.state.pulls[number] = pull
        pull.head = self.repository.commit("main", change, title, pull.head_ref)
        return pull, self._for_pull(pull, "opened")

    def push_to(self, pull: Pull, message: str, change: Change) -> Runs:
        """Push another commit to the branch of a pull request, and run what follows."""
        pull.head = self.repository.commit(pull.head_ref, change, message, pull.head_ref)
        return self._for_pull(pull, "synchronize")

    def merge(self, pull: Pull, meanwhile: Meanwhile | None = None) -> Runs:
        """Merge a pull request, and run what follows, at the same time as on GitHub."""
        before = self.repository.main()
        commit = self.repository.merge(pull.head, f"Merge pull request {pull.number}", "refs/heads/main")
        pull.state, pull.merged = "closed", True
        closed = events.pull_request(pull, "closed", commit)
        return self.happen(closed, events.push(commit, before), meanwhile=meanwhile)

    def push_main(self, message: str = "", change: Change | None = None, meanwhile: Meanwhile | None = None) -> Runs:
        """Push main, as it is or with another commit, and run what follows."""
        before = self.repository.main()
        commit = self.repository.commit("main", change, message, "refs/heads/main") if change else before
        return self.happen(events.push(commit, before), meanwhile=meanwhile)

    def start(self, workflow: str, inputs: dict[str, str], meanwhile: Meanwhile | None = None) -> Runs:
        """Start a workflow by hand, on main."""
        return self.happen(events.dispatch(self.repository.main(), workflow, inputs), meanwhile=meanwhile)

    def run_again(self, run: Run, *, failed_only: bool = False) -> Run:
        """Run all jobs of a run again, or those that failed and those that need them: on its commit, by its files."""
        again = Run(run.id, run.workflow, run.event, time.time(), attempt=run.attempt + 1)
        self.runs.append(again)
        self._run_all([again], {name: job for name, job in run.jobs.items() if failed_only})
        return again

    def cancel(self, run: Run) -> None:
        """Cancel a run. Jobs whose conditions hold all the same go on."""
        run.cancelled = True
        for place in list(run.places.values()):
            place.cancel()
        self._groups.look_again()

    def night(self) -> Runs:
        """Let it be the time of night that a workflow is scheduled for."""
        return self.happen(events.schedule(self.repository.main(), "reconcile.yml"))

    def happen(self, *happened: Event, meanwhile: Meanwhile | None = None) -> Runs:
        """Run every workflow that starts by one of these events, all at the same time."""
        runs = [run for event in happened for run in self._start(event)]
        self._run_all(runs, {}, meanwhile)
        return {run.workflow: run for run in runs}

    def tree(self, commit: str) -> Path:
        """Return a checkout of a commit for which a workflow ran."""
        return self._folder / f"tree-{commit}"

    def _run_all(self, runs: list[Run], before: Mapping[str, Job], meanwhile: Meanwhile | None = None) -> None:
        with doing("; ".join(run.title for run in runs)), ThreadPoolExecutor(len(runs) or 1) as pool:
            under_way = [pool.submit(self._run, run, before) for run in runs]
            try:
                if meanwhile:
                    meanwhile({run.workflow: run for run in runs})
                for each in under_way:
                    each.result()
            except BaseException:
                self._runner.stop()
                raise

    def _for_pull(self, pull: Pull, action: str) -> Runs:
        pull.files = self.repository.changed(pull.head)
        commit = self.repository.merge(pull.head, f"Merge {pull.head} into main", pull.merge_ref)
        return self.happen(events.pull_request(pull, action, commit))

    def _start(self, event: Event) -> list[Run]:
        tree = self.tree(event.commit)
        if not tree.exists():
            self.repository.export(event.commit, tree)
        files = [name for name, content in read(tree).items() if events.starts(name, content, event)]
        runs = [Run(str(next(self._ids)), name, event, started=time.time()) for name in files]
        self.runs += runs
        self.issuer.runs |= {run.id: event for run in runs}
        return runs

    def _run(self, run: Run, before: Mapping[str, Job]) -> None:
        """Run the jobs of a workflow.

        Args:
            run: of what.
            before: the jobs of an earlier attempt, of which those stay that need not run again.
        """

        def play(planned: Planned, goes_on: bool) -> Job:
            return self._refused(run, planned) or self._in_turn(run, planned, goes_on=goes_on)

        with run.going():
            files = read(self.tree(run.event.commit))
            Jobs(run, before, play).run(workflows.start(files, run.workflow, run.event, run.id))

    def _in_turn(self, run: Run, planned: Planned, *, goes_on: bool) -> Job:
        """Run a job once its concurrency group lets it, unless it is cancelled before.

        Args:
            run: of what.
            planned: it.
            goes_on: whether it does even if its run is cancelled.
        """
        folder = self._folder / f"run-{run.id}-{run.attempt}" / planned.name.replace(" ", "-")
        folder.mkdir(parents=True)
        place = Place(folder)
        if not goes_on:
            run.places[planned.name] = place
            if run.cancelled:
                place.cancel()
        group = planned.group or f"{run.id} {planned.name}"
        with self._groups.turn(place, group, cancels=planned.cancels) as may_run:
            if may_run:
                return self._runner.run(self._task(run, planned, folder), planned.name, folder)
            return Job(planned.name, time.time(), time.time(), "cancelled")

    def _refused(self, run: Run, planned: Planned) -> Job | None:
        """Return a job that GitHub does not start, because of the rules of its environment."""
        name = planned.environment
        if not name or name in self.without_branch_rules or environments.may_enter(run.event.ref, name, self._previews):
            return None
        reason = f"GitHub: {run.event.ref} is not allowed to deploy to {name} due to environment protection rules"
        return Job(planned.name, time.time(), time.time(), "failure", refusals=[reason])

    def _task(self, run: Run, planned: Planned, folder: Path) -> Task:
        (folder / "event.json").write_text(json.dumps(run.event.payload))
        (folder / run.workflow).write_text(yaml.safe_dump(planned.content, sort_keys=False, width=10_000))
        return Task(
            tree=self.tree(run.event.commit),
            file=folder / run.workflow,
            key=planned.key,
            event=run.event.name,
            payload=folder / "event.json",
            actor=run.event.actor,
            matrix=planned.matrix,
            token=",".join(f"{scope}={access}" for scope, access in planned.permissions.items()) or "none",
            environ=self._environ | self._given(run, planned) | {VARIABLE: str(folder / CANCEL)},
            actions=third_party(self.tree(run.event.commit)),
        )

    def _given(self, run: Run, planned: Planned) -> dict[str, str]:
        """Return what a job's environment has that others' have not."""
        given = {"GITHUB_API_URL": self.state.url, "GITHUB_REF": run.event.ref}
        given |= {"GITHUB_RUN_ID": run.id, "GITHUB_RUN_ATTEMPT": str(run.attempt)}
        if planned.permissions.get("id-token") == "write":
            where = f"run={run.id}&workflow={planned.workflow}&environment={planned.environment}"
            given["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{self.state.url}/token?{where}"
            given["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "rehearsal"  # noqa: S105 - it guards nothing
        return given
