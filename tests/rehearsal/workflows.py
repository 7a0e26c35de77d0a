"""What GitHub's service makes of workflow files: which jobs there are, in which order, and what each is given.

Each job then goes to act by itself, as it goes to a runner on GitHub: act runs its steps. So each has the variables of
its own environment, a token with its own permissions, and an endpoint for identity tokens only where it may have one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, cast

import yaml

from tests.github.state import Table
from tests.rehearsal.events import Event

RUNNER = "ubuntu-24.04"


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


def read(tree: Path) -> dict[str, Table]:
    """Read the workflow files of a checkout, by their names."""
    return {path.name: _read(path) for path in sorted((tree / ".github" / "workflows").glob("*.yml"))}


def plan(workflows: Mapping[str, Table], file: str, key: str, event: Event) -> list[Planned]:
    """Return a job of a workflow as GitHub gives it to runners.

    Raises:
        WorkflowError: it calls a workflow that asks for more than it has, or that has several jobs.
    """
    job = workflows[file]["jobs"][key]
    return [_plan(workflows, file, key, matrix, event) for matrix in _matrices(job)]


def needs(job: Table) -> list[str]:
    """Return the jobs that a job waits for."""
    found: str | list[str] = job.get("needs", [])
    return [found] if isinstance(found, str) else found


def isolate(workflow: Table, key: str, outcomes: Mapping[str, Outcome]) -> Table:
    """Return a workflow with one of its jobs as it is, and those that it needs as jobs that end as they did."""
    job = workflow["jobs"][key]
    return workflow | {"jobs": {name: _ended(outcomes[name]) for name in needs(job)} | {key: job}}


def outputs(job: Table, steps: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return a job's outputs, which name outputs of its steps."""
    known = {f"steps.{step}.outputs.{name}": value for step, each in steps.items() for name, value in each.items()}
    return {name: _fill(value, known, default="") for name, value in job.get("outputs", {}).items()}


def actions(tree: Path) -> set[str]:
    """Return `owner/name@commit` of every action of another repository that a checkout's workflows use."""
    jobs = [job for workflow in read(tree).values() for job in workflow["jobs"].values()]
    composite = (tree / ".github" / "actions").glob("*/action.yml")
    steps = [step for job in jobs for step in job.get("steps", [])]
    steps += [step for path in composite for step in yaml.safe_load(path.read_text())["runs"]["steps"]]
    return {step["uses"] for step in steps if "uses" in step and not step["uses"].startswith("./")}


def _plan(workflows: Mapping[str, Table], file: str, key: str, matrix: dict[str, str], event: Event) -> Planned:
    job = workflows[file]["jobs"][key]
    known = {f"matrix.{name}": value for name, value in matrix.items()}
    known |= {f"inputs.{name}": value for name, value in event.payload.get("inputs", {}).items()}
    if "uses" in job:
        caller: Table = job
        inputs: Table = job.get("with", {})
        file = str(job["uses"]).removeprefix("./.github/workflows/")
        if len(workflows[file]["jobs"]) != 1:
            raise WorkflowError(f"{file} is called, and has several jobs; the rehearsal takes one")
        ((inner, job),) = workflows[file]["jobs"].items()
        _check_permissions(f"{key} calls {file}, whose job {inner}", job["permissions"], caller["permissions"])
        known = {f"inputs.{name}": _fill(str(value), known) for name, value in inputs.items()}
    environment: str | dict[str, str] = job.get("environment", "")
    name = environment if isinstance(environment, str) else environment["name"]
    return Planned(key, file, _fill(name, known), _permissions(job["permissions"], event), matrix)


def _matrices(job: Table) -> Iterator[dict[str, str]]:
    matrix: dict[str, list[str]] = job.get("strategy", {}).get("matrix", {})
    for values in product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


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


def _fill(text: str, known: Mapping[str, str], default: str | None = None) -> str:
    """Put values into a text's expressions, each of which is one name. What is not known stays, without a default."""

    def value(match: re.Match[str]) -> str:
        return known.get(match[1], match[0] if default is None else default)

    return re.sub(r"\$\{\{ ([\w.-]+) }}", value, text)


def _read(path: Path) -> Table:
    content: dict[Any, Any] = yaml.safe_load(path.read_text())
    workflow: Table = {"on" if key is True else key: value for key, value in content.items()}  # `on` in YAML 1.1
    triggers = workflow["on"]
    if isinstance(triggers, str | list):
        workflow["on"] = dict.fromkeys([triggers] if isinstance(triggers, str) else cast("list[str]", triggers))
    return workflow
