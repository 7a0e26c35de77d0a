"""A GitHub on this machine: its repository, what happens there, and the workflows that run for it."""

import itertools
import json
import os
import time
from collections.abc import Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml

from infra import ROOT
from infra.console.progress import console, doing
from tests.github.server import serve
from tests.github.state import Pull, State, Table
from tests.rehearsal import events, tokens, workflows
from tests.rehearsal.act import Job, Order, Runner
from tests.rehearsal.events import REPOSITORY, Event
from tests.rehearsal.repository import Change, Repository
from tests.rehearsal.workflows import Outcome, Planned


@dataclass
class Run:
    """A workflow that runs, or ran, for an event."""

    id: str
    workflow: str
    event: Event
    started: float
    ended: float = 0
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])

    @property
    def title(self) -> str:
        """Tell what ran, and why."""
        return f"{self.workflow} for {self.event}"

    @property
    def results(self) -> dict[str, str]:
        """Return how each job ended."""
        return {name: job.result for name, job in self.jobs.items()}


Runs = dict[str, Run]
"""Those that one thing that happened led to, by the workflow's file."""


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
        self.issuer = tokens.Issuer()
        self.repository = Repository(folder, change)
        self.runs: list[Run] = []
        self.without_branch_rules: set[str] = set()
        """The environments for which somebody forgot them."""
        self._runner = Runner(folder / "home", actions)
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

    def merge(self, pull: Pull) -> Runs:
        """Merge a pull request, and run what follows, at the same time as on GitHub."""
        before = self.repository.main()
        commit = self.repository.merge(pull.head, f"Merge pull request {pull.number}", "refs/heads/main")
        pull.state, pull.merged = "closed", True
        return self.happen(events.pull_request(pull, "closed", commit), events.push(commit, before))

    def push_main(self) -> Runs:
        """Push main as it is."""
        return self.happen(events.push(self.repository.main(), "0" * 40))

    def start(self, workflow: str, inputs: dict[str, str]) -> Runs:
        """Start a workflow by hand, on main."""
        return self.happen(events.dispatch(self.repository.main(), workflow, inputs))

    def night(self) -> Runs:
        """Let it be the time of day that workflows are scheduled for."""
        return self.happen(events.schedule(self.repository.main()))

    def happen(self, *happened: Event) -> Runs:
        """Run every workflow that starts by one of these events, all at the same time."""
        runs = [run for event in happened for run in self._start(event)]
        with doing("; ".join(run.title for run in runs)), ThreadPoolExecutor() as pool:
            under_way = [pool.submit(self._run, run) for run in runs]
            try:
                for each in under_way:
                    each.result()
            except BaseException:
                self._runner.stop()
                raise
        return {run.workflow: run for run in runs}

    def _for_pull(self, pull: Pull, action: str) -> Runs:
        pull.files = self.repository.changed(pull.head)
        commit = self.repository.merge(pull.head, f"Merge {pull.head} into main", pull.merge_ref)
        return self.happen(events.pull_request(pull, action, commit))

    def _start(self, event: Event) -> list[Run]:
        tree = self._tree(event)
        if not tree.exists():
            self.repository.export(event.commit, tree)
        files = [name for name, content in workflows.read(tree).items() if events.starts(name, content, event)]
        runs = [Run(str(next(self._ids)), name, event, started=time.time()) for name in files]
        self.runs += runs
        self.issuer.runs |= {run.id: event for run in runs}
        return runs

    def _run(self, run: Run) -> None:
        """Run the jobs of a workflow, each as soon as those that it needs have ended."""
        found = workflows.read(self._tree(run.event))
        jobs: Table = found[run.workflow]["jobs"]
        planned = {key: workflows.plan(found, run.workflow, key, run.event) for key in jobs}
        outcomes: dict[str, Outcome] = {}
        under_way: dict[Future[Outcome], str] = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            while len(outcomes) < len(jobs):
                for key, job in jobs.items():
                    waits = key in outcomes or key in under_way.values()
                    if not waits and outcomes.keys() >= set(workflows.needs(job)):
                        isolated = workflows.isolate(found[run.workflow], key, outcomes)
                        under_way[pool.submit(self._run_job, run, isolated, planned[key])] = key
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    outcomes[under_way.pop(done)] = done.result()
        run.ended = time.time()

    def _run_job(self, run: Run, workflow: Table, planned: list[Planned]) -> Outcome:
        """Run a job for each value of its matrix."""
        with ThreadPoolExecutor() as pool:
            jobs = list(pool.map(partial(self._run_one, run, workflow), planned))
        results = {job.result for job in jobs}
        worst = next(result for result in ("failure", "success", "skipped") if result in results)
        steps = {step: found.outputs for job in jobs for step, found in job.steps.items()}
        return Outcome(worst, workflows.outputs(workflow["jobs"][planned[0].key], steps))

    def _run_one(self, run: Run, workflow: Table, planned: Planned) -> Job:
        job = self._refused(run, planned) or self._act(run, workflow, planned)
        run.jobs[planned.name] = job
        console.print(f"    {job.result:8} {job.name}: {job.ended - job.started:.1f} s", soft_wrap=True)
        return job

    def _refused(self, run: Run, planned: Planned) -> Job | None:
        """Return a job that GitHub does not start, because of the rules of its environment."""
        name = planned.environment
        if not name or name in self.without_branch_rules or tokens.may_enter(run.event.ref, name):
            return None
        reason = f"GitHub: {run.event.ref} is not allowed to deploy to {name} due to environment protection rules"
        return Job(planned.name, time.time(), time.time(), "failure", refusals=[reason])

    def _act(self, run: Run, workflow: Table, planned: Planned) -> Job:
        folder = self._folder / f"run-{run.id}" / planned.name.replace(" ", "-")
        folder.mkdir(parents=True)
        (folder / "event.json").write_text(json.dumps(run.event.payload))
        (folder / run.workflow).write_text(yaml.safe_dump(workflow, sort_keys=False, width=10_000))
        order = Order(
            tree=self._tree(run.event),
            file=folder / run.workflow,
            key=planned.key,
            event=run.event.name,
            payload=folder / "event.json",
            actor=run.event.actor,
            matrix=planned.matrix,
            variables=tokens.ENVIRONMENTS.get(planned.environment, {}),
            token=",".join(f"{scope}={access}" for scope, access in planned.permissions.items()) or "none",
            environ=self._environ | self._given(run, planned),
            actions=workflows.actions(self._tree(run.event)),
        )
        return self._runner.run(order, planned.name, folder)

    def _given(self, run: Run, planned: Planned) -> dict[str, str]:
        """Return what a job's environment has that others' have not."""
        given = {"GITHUB_API_URL": self.state.url, "GITHUB_RUN_ID": run.id, "GITHUB_REF": run.event.ref}
        if planned.permissions.get("id-token") == "write":
            where = f"run={run.id}&workflow={planned.workflow}&environment={planned.environment}"
            given["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{self.state.url}/token?{where}"
            given["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "rehearsal"  # noqa: S105 - it guards nothing
        return given

    def _tree(self, event: Event) -> Path:
        return self._folder / f"tree-{event.commit}"
