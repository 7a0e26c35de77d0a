"""Every step's command exists, with the options that the step gives it."""

import os
import re
import shutil
import subprocess
from argparse import Namespace
from typing import cast

import pytest

from infra import ROOT
from infra.pipeline.__main__ import COMMANDS, OF_PREVIEWS, parser
from infra.pipeline.arguments import write_versions
from tests.workflows.reading import ACTIONS, JOBS, Table, steps, the_step

# In place of the shell, which would keep from it that the run was cancelled.
PIPELINE = "exec .venv/bin/python -m infra.pipeline "
# What a runner sets for every step.
GIVEN = {"RUNNER_TEMP": "/tmp", "GITHUB_STEP_SUMMARY": "/dev/null"}  # noqa: S108 - nothing is written there
VALUES = {
    "ENVIRONMENT": "preview",
    "PULL_REQUEST": "7",
    "COMMIT": "0" * 40,
    "DIGEST": "0" * 64,
    "VERSIONS": "billing=3,refunds=4",
    "FUNCTION": "billing",
    "CONFIRM": "acme-pr-7",
    "RUNNING": "stop",
}

STEPS: list[tuple[str, Table, Table]] = [
    *((f"{name}-{job}", content, step) for (name, job), content in JOBS.items() for step in steps(content)),
    *((f"action-{name}", {}, step) for name, action in ACTIONS.items() for step in action["runs"]["steps"]),
]
RUNS = [(where, job, step) for where, job, step in STEPS if "run" in step]
OURS = [(where, job, step) for where, job, step in RUNS if PIPELINE in step["run"]]


def _arguments(job: Table, step: Table, values: dict[str, str]) -> list[str]:
    """Return what a step passes to our command, with quotes and variables as Bash has them."""
    variables = GIVEN | {name: values.get(name, "") for name in {**job.get("env", {}), **step.get("env", {})}}
    command = step["run"].replace(PIPELINE, r"printf '%s\0' ", 1)
    environ = variables | {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [shutil.which("bash") or "", "-euc", command], env=environ, check=True, capture_output=True, text=True
    )
    return done.stdout.removesuffix("\0").split("\0")


def _passed(parsed: Namespace) -> set[str]:
    """Return the values of a command's options, as they were given."""
    return {
        write_versions(cast("dict[str, str]", value)) if isinstance(value, dict) else str(value)
        for value in vars(parsed).values()
    }


@pytest.mark.parametrize(("where", "job", "step"), OURS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_pipeline_has_the_command_of(where: str, job: Table, step: Table) -> None:
    parsed = parser().parse_args(_arguments(job, step, VALUES))
    # Each variable that the step has for the command arrives in one of its options.
    assert {VALUES[name] for name in step.get("env", {}) if name in VALUES} <= _passed(parsed), where
    known_without = parsed.command in OF_PREVIEWS or parsed.command not in COMMANDS
    assert known_without or parsed.environment == VALUES["ENVIRONMENT"], f"{where}: say on which environment"


def test_without_a_pull_request_an_environments_own_stacks_are_deployed_and_tried() -> None:
    job = JOBS["environment.yml", "deploy"]
    values = VALUES | {"ENVIRONMENT": "dev", "PULL_REQUEST": ""}
    for command in ("deploy", "smoke", "roll-back"):
        parsed = parser().parse_args(_arguments(job, the_step(job, f"infra.pipeline {command}"), values))
        assert (parsed.environment, parsed.pull_request) == ("dev", None)


@pytest.mark.parametrize(("given", "dry_run"), [("yes", True), ("", False)])
def test_a_teardown_that_is_only_to_be_shown_is_only_shown(given: str, dry_run: bool) -> None:
    values = VALUES | {"ENVIRONMENT": "dev", "PULL_REQUEST": "", "DRY_RUN": given}
    parsed = _removal(values)
    assert (parsed.dry_run, parsed.pull_request, parsed.running) == (dry_run, None, "stop")


@pytest.mark.parametrize(("given", "function"), [("billing", "billing"), ("", None)])
def test_a_teardown_removes_one_function_where_one_is_named_and_all_otherwise(given: str, function: str | None) -> None:
    parsed = _removal(VALUES | {"FUNCTION": given})
    assert (parsed.function, parsed.pull_request) == (function, 7)


def _removal(values: dict[str, str]) -> Namespace:
    job = JOBS["remove.yml", "remove"]
    return parser().parse_args(_arguments(job, the_step(job, "infra.pipeline teardown"), values))


@pytest.mark.parametrize(("where", "job", "step"), RUNS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_step_is_one_command(where: str, job: Table, step: Table) -> None:
    command = step["run"]
    assert re.match(rf"(exec )?{re.escape(PIPELINE)}|make |git |exit 1$", command), (where, job["name"] if job else "")
    assert not re.search(r"[\n;|&`]|\$\(", command), where


def test_every_make_target_exists() -> None:
    targets = {step["run"].removeprefix("make ") for _, _, step in RUNS if step["run"].startswith("make ")}
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets
    assert targets <= known


def test_artifacts_are_taken_by_the_names_under_which_they_were_left() -> None:
    def names(action: str) -> set[str]:
        return {
            each["with"].get("name") or each["with"]["pattern"]
            for _, _, each in STEPS
            if each.get("uses", "").startswith(f"actions/{action}-artifact@")
        }

    left = names("upload")
    assert left == {"assemblies", "report-${{ inputs.environment }}", "report-diff-${{ inputs.environment }}"}
    assert names("download") == {"assemblies", "report-*"}
