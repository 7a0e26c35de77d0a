"""The workflows of a checkout, as tests and the rehearsal read them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from infra import ROOT
from tests.github.state import Table

GITHUB = ROOT / ".github"
WORKFLOW_FILES = sorted((GITHUB / "workflows").iterdir())
ACTION_FILES = sorted((GITHUB / "actions").glob("*/action.yml"))


def read(tree: Path) -> dict[str, Table]:
    """Read the workflow files of a checkout, by their names. What each starts on is a table, however it is written."""
    return {path.name: _read(path) for path in sorted((tree / ".github" / "workflows").glob("*.yml"))}


def _read(path: Path) -> Table:
    workflow = yaml.safe_load(path.read_text())
    events: str | list[str] | Table = workflow.pop("on" if "on" in workflow else True)  # YAML 1.1 reads a bare `on` so
    if not isinstance(events, dict):
        events = dict.fromkeys([events] if isinstance(events, str) else events)
    return {"on": events} | workflow


def read_actions(tree: Path) -> dict[str, Table]:
    """Read the composite actions of a checkout, by their names."""
    files = sorted((tree / ".github" / "actions").glob("*/action.yml"))
    return {path.parent.name: yaml.safe_load(path.read_text()) for path in files}


WORKFLOWS = read(ROOT)
ACTIONS = read_actions(ROOT)
JOBS: dict[tuple[str, str], Table] = {
    (name, job): content for name, workflow in WORKFLOWS.items() for job, content in workflow["jobs"].items()
}


def steps(job: Table) -> list[Table]:
    """Return a job's steps; one that calls a reusable workflow has none."""
    return job.get("steps", [])


def needs(job: Table) -> list[str]:
    """Return the jobs that a job waits for."""
    found: str | list[str] = job.get("needs", [])
    return [found] if isinstance(found, str) else found


def matrices(job: Table) -> Iterator[dict[str, str]]:
    """Yield the values of a job's matrix, or nothing once for a job without one."""
    matrix: dict[str, list[str]] = job.get("strategy", {}).get("matrix", {})
    for values in product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def third_party(tree: Path) -> set[str]:
    """Return `owner/name@commit` of every action of another repository that a checkout's workflows use."""
    jobs = [job for workflow in read(tree).values() for job in workflow["jobs"].values()]
    found = [step for job in jobs for step in steps(job)]
    found += [step for action in read_actions(tree).values() for step in action["runs"]["steps"]]
    return {step["uses"] for step in found if "uses" in step and not step["uses"].startswith("./")}


def called(job: Table) -> str | None:
    """Name the reusable workflow that a job calls."""
    return str(job["uses"]).removeprefix("./.github/workflows/") if "uses" in job else None


def uses(job: Table, action: str) -> list[Table]:
    """Return the steps of a job that use an action."""
    return [step for step in steps(job) if str(step.get("uses", "")).startswith(f"{action}@")]


def the_step(job: Table, words: str) -> Table:
    """Return the one step whose command holds these words."""
    (found,) = [each for each in steps(job) if words in each.get("run", "")]
    return found


def ask_github(command: str, question: object) -> Any:
    """Ask GitHub's own parser, in github.mjs."""
    node = [str(Path(sys.executable).with_name("node")), str(Path(__file__).with_name("github.mjs")), command]
    return json.loads(subprocess.run(node, input=json.dumps(question).encode(), check=True, capture_output=True).stdout)


# What the functions of a status say in a run in which nothing has failed and nobody has cancelled.
GREEN = {"always": True, "success": True, "failure": False, "cancelled": False}


def evaluate(expressions: Iterable[str], contexts: Table, functions: Mapping[str, bool] = GREEN) -> list[Any]:
    """Evaluate expressions as GitHub does."""
    bare = (re.sub(r"^\$\{\{(.*)}}$", r"\1", expression.strip(), flags=re.DOTALL) for expression in expressions)
    questions = [{"expression": text, "contexts": contexts, "functions": dict(functions)} for text in bare]
    return ask_github("evaluate", questions)
