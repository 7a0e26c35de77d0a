"""What GitHub's service makes of workflow files: which jobs there are, in which order, and what each is given.

Each job then goes to act by itself, as it goes to a runner on GitHub: act runs its steps. So each has the variables of
its own environment, a token with its own permissions, and an endpoint for identity tokens only where it may have one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from tests.github.state import Table
from tests.rehearsal.events import Event
from tests.workflows.reading import called, evaluate, matrices, needs

RUNNER = "ubuntu-24.04"
EXPRESSION = re.compile(r"\$\{\{ (.*?) }}")
# Where a condition asks none of these, GitHub puts `success() &&` before it.
STATUS = re.compile(r"\b(always|success|failure|cancelled)\(\)")


class WorkflowError(Exception):
    """GitHub would refuse the file, and start none of its jobs; or the rehearsal can't run it."""


@dataclass(frozen=True)
class Planned:
    """A job of a run, once for each value of its matrix."""

    key: str
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
    matrix: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """Tell it from the others of the run."""
        return " ".join([self.key, *self.matrix.values()])


@dataclass(frozen=True)
class Outcome:
    """How a job of a workflow ended, and what it gave to those that need it."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict[str, str])


def contexts(workflow: Table, event: Event, run: str, outcomes: Mapping[str, Outcome] | None = None) -> Table:
    """Return what expressions of a run's jobs can ask, once the jobs of these outcomes have ended."""
    github = {"event": event.payload, "event_name": event.name, "ref": event.ref, "sha": event.commit, "run_id": run}
    repository = event.payload["repository"]["full_name"]
    started: Table = workflow["on"].get("workflow_dispatch") or {}
    kinds = {name: each["type"] for name, each in started.get("inputs", {}).items()}
    given: dict[str, str] = event.payload.get("inputs", {})
    inputs = {name: text == "true" if kinds.get(name) == "boolean" else text for name, text in given.items()}
    ended = {key: {"result": each.result, "outputs": each.outputs} for key, each in (outcomes or {}).items()}
    return {"github": github | {"repository": repository}, "inputs": inputs, "needs": ended}


def plan(workflows: Mapping[str, Table], file: str, key: str, event: Event, run: str) -> list[Planned]:
    """Return a job of a workflow as GitHub gives it to runners.

    Raises:
        WorkflowError: it calls a workflow that asks for more than it has, or that has several jobs.
    """
    job = workflows[file]["jobs"][key]
    known = contexts(workflows[file], event, run)
    return [_plan(workflows, file, key, event, known | {"matrix": matrix}) for matrix in matrices(job)]


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
    return {name: value or "" for name, value in _fill(job.get("outputs", {}), known).items()}


def _plan(workflows: Mapping[str, Table], file: str, key: str, event: Event, known: Table) -> Planned:
    job = workflows[file]["jobs"][key]
    if target := called(job):
        caller, file = job, target
        if len(workflows[file]["jobs"]) != 1:
            raise WorkflowError(f"{file} is called, and has several jobs; the rehearsal takes one")
        ((inner, job),) = workflows[file]["jobs"].items()
        _check_permissions(f"{key} calls {file}, whose job {inner}", job["permissions"], caller["permissions"])
        known = known | {"inputs": _fill(caller.get("with", {}), known)}
    environment: str | Table = job.get("environment", "")
    group = _fill(job.get("concurrency", {}), known)
    return Planned(
        key,
        file,
        _fill(environment if isinstance(environment, str) else environment["name"], known),
        _permissions(job["permissions"], event),
        group=str(group.get("group", "")),
        cancels=group.get("cancel-in-progress") is True,
        matrix=known["matrix"],
    )


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


def _fill(value: Any, known: Table) -> Any:
    """Evaluate all expressions of a value. One that is a whole text keeps its type."""
    if isinstance(value, dict):
        return {name: _fill(each, known) for name, each in cast("Table", value).items()}
    if not isinstance(value, str) or "${{" not in value:
        return value
    found = [_value(expression, known) for expression in EXPRESSION.findall(value)]
    if EXPRESSION.fullmatch(value) and len(found) == 1:
        return found[0]
    texts = iter("" if each is None else str(each) for each in found)
    return EXPRESSION.sub(lambda _: next(texts), value)


def _value(expression: str, known: Table) -> Any:
    if not re.fullmatch(r"[\w.-]+", expression):
        return evaluate([expression], known)[0]
    # Most are names, for which GitHub's evaluator, in Node, would take long to start.
    value: Any = known
    for part in expression.split("."):
        value = cast("Table", value).get(part) if isinstance(value, dict) else None
    return value
