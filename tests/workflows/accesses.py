"""Which jobs come to which credentials, for any project: workflows hold no name of one, and take all from outputs."""

import json
import re
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from infra.pipeline import build_all
from infra.pipeline import project as project_command
from infra.project import Project
from tests.github.state import Table
from tests.workflows.reading import WORKFLOWS, called, evaluate, matrices, needs, steps

# Workflows that an event starts, and not another workflow alone.
STARTED_BY_ITSELF = [name for name, workflow in WORKFLOWS.items() if set(workflow["on"]) != {"workflow_call"}]
EXPRESSION = re.compile(r"\$\{\{ ((?:(?! }}).)*) }}")
LOOK_UP = re.compile(r'-m infra\.pipeline target --environment "\$ENVIRONMENT" --purpose ([a-z]+)')
COMMAND = re.compile(r"-m infra\.pipeline ([a-z-]+)")


@dataclass(frozen=True)
class Access:
    """A job that comes to the credentials of a role."""

    workflow: str
    """The file that an event starts."""
    job: str
    """Its job there."""
    called: str
    """The file that the job with the credentials stands in, which may be one that is called."""
    github_environment: str
    environment: str
    """The one whose role it looks up."""
    purpose: str


def accesses(workflow: str, project: Project) -> Iterator[Access]:
    """Follow a workflow's jobs through the reusable workflows that they call, to every role that they come to."""
    for name, job in WORKFLOWS[workflow]["jobs"].items():
        for inputs in _typed(workflow, project):
            known = {"needs": outputs_of_needed(workflow, job, project), "inputs": inputs}
            if _has_stage(job, known):
                yield from (Access(workflow, name, *found) for found in _accesses(workflow, job, known))


def outputs_of_needed(workflow: str, job: Table, project: Project) -> Table:
    """Return the outputs of the jobs that a job needs, as a run for a project has them."""
    jobs = WORKFLOWS[workflow]["jobs"]
    return {name: {"outputs": outputs_of(jobs[name], project)} for name in needs(job)}


def outputs_of(job: Table, project: Project) -> dict[str, str]:
    """Return those outputs of a job that follow from a project."""
    known = {"steps": {step["id"]: {"outputs": _outputs(step, project)} for step in steps(job) if "id" in step}}
    return {name: fill(text, known) for name, text in job.get("outputs", {}).items()}


def digest(environment: str) -> str:
    """Return what stands for the digest of an environment's assembly."""
    return f"digest of {environment}"


def fill(text: str, known: Table) -> Any:
    """Put values into a text's expressions, as GitHub does. One that is the whole text keeps its type."""
    if whole := EXPRESSION.fullmatch(text):
        return _value(whole[1], known)
    return EXPRESSION.sub(lambda match: str(_value(match[1], known)), text)


def _accesses(workflow: str, job: Table, known: Table) -> Iterator[tuple[str, str, str, str]]:
    for matrix in matrices(_with_matrix(job, known)):
        here = known | {"matrix": matrix}
        if target := called(job):
            inputs = {"environment": fill(job["with"]["environment"], here)}
            for inner in WORKFLOWS[target]["jobs"].values():
                yield from _accesses(target, inner, {"inputs": inputs})
        elif "environment" in job or job["permissions"].get("id-token"):
            purposes = [found for step in steps(job) for found in LOOK_UP.findall(step.get("run", ""))]
            on = fill(job.get("env", {}).get("ENVIRONMENT", "none"), here)
            yield workflow, fill(job.get("environment", "none"), here), on, " ".join(purposes)


def _with_matrix(job: Table, known: Table) -> Table:
    """Return a job with the lists of its matrix, which outputs of another job may give."""
    matrix: Table = job.get("strategy", {}).get("matrix", {})
    lists = {key: fill(each, known) if isinstance(each, str) else each for key, each in matrix.items()}
    return job | {"strategy": {"matrix": lists}} if matrix else job


def _typed(workflow: str, project: Project) -> list[Table]:
    """Return what a person may type who starts a workflow, as far as it says on what."""
    started: Table = WORKFLOWS[workflow]["on"].get("workflow_dispatch") or {}
    typed = "environment" in started.get("inputs", {})
    return [{"environment": name} for name in project.environments] if typed else [{}]


def _has_stage(job: Table, known: Table) -> bool:
    """Return whether a job that asks whether the project has a stage is told that it has."""
    condition = str(job.get("if", ""))
    return ".outputs." not in condition or bool(_value(condition, known))


def _value(expression: str, known: Table) -> Any:
    """Evaluate an expression. Most are names, for which GitHub's evaluator would take long to start."""
    if not re.fullmatch(r"[\w.]+", expression):
        return _evaluated(expression, json.dumps(known))
    found: Any = known
    for part in expression.split("."):
        found = cast("Table", found).get(part, "") if isinstance(found, dict) else ""
    return found


@cache
def _evaluated(expression: str, known: str) -> Any:
    return evaluate([expression], json.loads(known))[0]


def _outputs(step: Table, project: Project) -> Mapping[str, object]:
    command = COMMAND.search(step.get("run", ""))
    if command and command[1] == "project":
        report = project_command.run(project, Namespace())
        return {**report.facts, **report.outputs}
    if command and command[1] == "build-all":
        return build_all.outputs(project, {name: digest(name) for name in project.environments})
    return {}
