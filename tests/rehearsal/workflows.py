"""What GitHub's service makes of workflow files: which jobs there are, in which order, and what each is given.

Each job then goes to act by itself, as it goes to a runner on GitHub: act runs its steps. So each has a token with its
own permissions, and an endpoint for identity tokens only where it may have one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from tests.github.state import Table
from tests.rehearsal.events import Event
from tests.workflows.reading import called, evaluate, matrices, needs

RUNNER = "ubuntu-24.04"
EXPRESSION = re.compile(r"\$\{\{ (.*?) }}")
# Most are names, for which GitHub's evaluator, in Node, would take long to start.
NAME = re.compile(r"[\w.-]+")
# Where a condition asks none of these, GitHub puts `success() &&` before it.
STATUS = re.compile(r"\b(always|success|failure|cancelled)\(\)")
# What an input is that has no default and was not given (GitHub's documentation, workflow syntax).
NOTHING = {"boolean": False, "number": 0, "string": ""}

Matrix = dict[str, str]


class WorkflowError(Exception):
    """GitHub would refuse the file, and start none of its jobs; or the rehearsal can't run it."""


@dataclass(frozen=True)
class Planned:
    """A job with steps, once for each value of its matrix, as it goes to a runner."""

    name: str
    """What tells it from the others of the run: its key after those of the jobs through which it is called."""
    title: str
    """What GitHub calls it."""
    workflow: str
    """The file that its steps stand in, which may be one that is called."""
    environment: str
    """Its GitHub environment, or an empty text."""
    permissions: dict[str, str]
    """What its tokens may do."""
    group: str
    """Its concurrency group, or an empty text."""
    cancels: bool
    """Whether it cancels the job that runs in that group."""
    matrix: Matrix
    content: Table
    """The workflow that act gets, and the key that the job has there."""
    key: str


@dataclass(frozen=True)
class Outcome:
    """How a job of a workflow ended, and what it gave to those that need it."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    again: bool = True
    """Whether anything of it ran in this attempt of its run."""


@dataclass(frozen=True)
class Level:
    """A workflow file that a run comes through: the one that started, or one that a job of another calls.

    Args:
        files: all of the checkout, by their names.
        file: which.
        event: what the run is for.
        run: the run's id.
        inputs: what the file was given.
        callers: the names of the jobs through which it is called.
        titles: what GitHub calls these.
    """

    files: Mapping[str, Table]
    file: str
    event: Event
    run: str
    inputs: Table = field(default_factory=Table)
    callers: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()

    @property
    def jobs(self) -> dict[str, Table]:
        """Its jobs, by their keys."""
        return self.files[self.file]["jobs"]

    def name(self, key: str, matrix: Matrix | None = None) -> str:
        """Tell one of its jobs from all others of the run. The only one of a called file has its caller's name."""
        own = [] if self.callers and len(self.jobs) == 1 else [key]
        return " ".join([*self.callers, *own, *(matrix or {}).values()])

    def contexts(self, outcomes: Mapping[str, Outcome] | None = None) -> Table:
        """Return what expressions of its jobs can ask, once those of these outcomes have ended."""
        event = self.event
        github = {"event": event.payload, "event_name": event.name, "ref": event.ref, "sha": event.commit}
        github |= {"run_id": self.run, "repository": event.payload["repository"]["full_name"]}
        ended = {key: {"result": each.result, "outputs": each.outputs} for key, each in (outcomes or {}).items()}
        return {"github": github, "inputs": self.inputs, "needs": ended}

    def matrices(self, key: str, outcomes: Mapping[str, Outcome]) -> list[Matrix]:
        """Return the values of a job's matrix, which may come from the jobs that it needs."""
        strategy = fill(self.jobs[key].get("strategy", {}), self.contexts(outcomes))
        return list(matrices({"strategy": strategy}))

    def call(self, key: str, outcomes: Mapping[str, Outcome], matrix: Matrix) -> "Level":
        """Return the file that a job calls, with what the job gives it."""
        job = self.jobs[key]
        file = called(job)
        if file is None:
            raise WorkflowError(f"{key} of {self.file} calls no workflow")
        declared: Table = self.files[file]["on"]["workflow_call"].get("inputs", {})
        asked = {"with": job.get("with", {}), "name": job.get("name", key)}
        found = fill(asked, self.contexts(outcomes) | {"matrix": matrix})
        inputs = {name: each.get("default", NOTHING[each["type"]]) for name, each in declared.items()} | found["with"]
        titles = (*self.titles, str(found["name"]))
        return Level(self.files, file, self.event, self.run, inputs, (self.name(key, matrix),), titles)

    def plan(self, key: str, outcomes: Mapping[str, Outcome], matrix: Matrix) -> Planned:
        """Return a job with steps as GitHub gives it to a runner."""
        job = self.jobs[key]
        asked = {part: job[part] for part in ("environment", "concurrency") if part in job}
        found = fill(asked | {"name": job.get("name", key)}, self.contexts(outcomes) | {"matrix": matrix})
        environment: str | Table = found.get("environment", "")
        concurrency: Table = found.get("concurrency", {})
        content = self._call_alone() if self.callers else isolate(self.files[self.file], key, outcomes)
        return Planned(
            self.name(key, matrix),
            " / ".join([*self.titles, str(found["name"])]),
            self.file,
            environment if isinstance(environment, str) else environment["name"],
            _permissions(job["permissions"], self.event),
            group=str(concurrency.get("group", "")),
            cancels=concurrency.get("cancel-in-progress") is True,
            matrix={} if self.callers else matrix,
            content=content,
            key=key,
        )

    def _call_alone(self) -> Table:
        """Return a workflow that does nothing but call this one, with what it was given."""
        (key,) = self.jobs
        job = {"uses": f"./.github/workflows/{self.file}", "with": self.inputs}
        return {"name": "Call", "on": {self.event.name: None}, "jobs": {key: job}}


def start(files: Mapping[str, Table], file: str, event: Event, run: str) -> Level:
    """Return the file of a workflow that starts, with what whoever starts it gave.

    Raises:
        WorkflowError: a job calls a workflow that asks for more than it has, or one that the rehearsal can't run.
    """
    _check_calls(files, file)
    started: Table = files[file]["on"].get("workflow_dispatch") or {}
    kinds = {name: each["type"] for name, each in started.get("inputs", {}).items()}
    given: dict[str, str] = event.payload.get("inputs", {})
    inputs = {name: text == "true" if kinds.get(name) == "boolean" else text for name, text in given.items()}
    return Level(files, file, event, run, inputs)


def starts(job: Table, known: Table, *, cancelled: bool) -> bool:
    """Return whether a job's condition lets it start once those that it needs have ended, or go on in a cancelled run.

    Args:
        job: it.
        known: what its condition can ask.
        cancelled: whether its run was cancelled.
    """
    results = {known["needs"][name]["result"] for name in needs(job)}
    succeeded = results <= {"success"} and not cancelled
    condition = str(job.get("if", "success()"))
    # Without evaluating: what has no condition of its own, and what could only hold with one.
    if condition == "success()" or not (succeeded or STATUS.search(condition)):
        return succeeded
    status = {"always": True, "success": succeeded, "failure": "failure" in results, "cancelled": cancelled}
    return bool(evaluate([condition], known, status)[0])


def isolate(workflow: Table, key: str, outcomes: Mapping[str, Outcome]) -> Table:
    """Return a workflow with one of its jobs as it is, and those that it needs as jobs that end as they did."""
    job = workflow["jobs"][key]
    return workflow | {"jobs": {name: _ended(outcomes[name]) for name in needs(job)} | {key: job}}


def outputs(job: Table, steps: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return a job's outputs, which name outputs of its steps."""
    known = {"steps": {step: {"outputs": each} for step, each in steps.items()}}
    return {name: value or "" for name, value in fill(job.get("outputs", {}), known).items()}


def fill(value: Any, known: Table) -> Any:
    """Evaluate all expressions of a value. One that is a whole text keeps its type."""
    found = set(_expressions(value))
    answers = {each: _look_up(each, known) for each in found if NAME.fullmatch(each)}
    if others := sorted(found - answers.keys()):
        answers |= zip(others, evaluate(others, known), strict=True)
    return _put(value, answers)


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in cast("Table", value).values():
            yield from _expressions(each)
    elif isinstance(value, str):
        yield from EXPRESSION.findall(value)


def _put(value: Any, answers: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _put(each, answers) for name, each in cast("Table", value).items()}
    if not isinstance(value, str):
        return value
    if (whole := EXPRESSION.fullmatch(value)) and whole[1] in answers:
        return answers[whole[1]]
    return EXPRESSION.sub(lambda each: _text(answers[each[1]]), value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _look_up(name: str, known: Table) -> Any:
    value: Any = known
    for part in name.split("."):
        value = cast("Table", value).get(part) if isinstance(value, dict) else None
    return value


def _check_calls(files: Mapping[str, Table], file: str) -> None:
    for key, job in files[file]["jobs"].items():
        target = called(job)
        if target is None:
            continue
        inner: dict[str, Table] = files[target]["jobs"]
        with_steps = [each for each in inner.values() if not called(each)]
        if with_steps and (len(inner) > 1 or "strategy" in with_steps[0]):
            raise WorkflowError(
                f"{target} is called: the rehearsal takes jobs that call, or one with steps and no matrix"
            )
        if "concurrency" in job or files[target]["on"]["workflow_call"].get("outputs"):
            raise WorkflowError(f"{key} of {file}: the rehearsal knows of calls neither concurrency nor outputs")
        for name, each in inner.items():
            _check_permissions(f"{key} calls {target}, whose job {name}", each["permissions"], job["permissions"])
        _check_calls(files, target)


def _check_permissions(who: str, wanted: Mapping[str, str], granted: Mapping[str, str]) -> None:
    for scope, access in wanted.items():
        if access != "none" and granted.get(scope) not in (access, "write"):
            raise WorkflowError(f"{who} asks for {scope}: {access}, which it was not given to hand on")


def _permissions(declared: Mapping[str, str], event: Event) -> dict[str, str]:
    """Return what GitHub grants: to what it does not trust, nothing but reading."""
    if event.trusted:
        return dict(declared)
    return {scope: "read" for scope, access in declared.items() if access != "none" and scope != "id-token"}


def _ended(outcome: Outcome) -> Table:
    command = "true" if outcome.result == "success" else "false"
    ended = {"runs-on": RUNNER, "outputs": outcome.outputs, "steps": [{"run": command}]}
    return ended | ({"if": False} if outcome.result == "skipped" else {})
