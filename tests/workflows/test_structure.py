"""What must hold of every workflow, job and step."""

import re
from pathlib import Path

import pytest
import yaml

from infra import find_python
from infra.pipeline.drain import CHOICES
from tests.workflows.reading import (
    ACTION_FILES,
    ACTIONS,
    GITHUB,
    JOBS,
    ROOT,
    WORKFLOW_FILES,
    WORKFLOWS,
    Table,
    called,
    evaluate,
    needs,
    steps,
    the_step,
    uses,
)

READ = {"contents": "read"}
ASSUME = READ | {"id-token": "write"}
DEPLOY = ASSUME | {"pull-requests": "read"}

PINS = {
    "actions/checkout": "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "actions/setup-python": "5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "actions/upload-artifact": "cf430e030ddbb5b0abf93d22962f4752f3646cd9 # v7.0.2",
    "actions/download-artifact": "9000827ccba6bdab643e8b6fd33ac0654aef8333 # v8.0.2",
    "aws-actions/configure-aws-credentials": "e1253824e5c10ff9df46874f81ed3ec929e19cfd # v6.3.0",
}

with_steps = pytest.mark.parametrize("where", [where for where, job in JOBS.items() if not called(job)], ids="-".join)


def _all_steps() -> list[Table]:
    composite = [step for action in ACTIONS.values() for step in action["runs"]["steps"]]
    return [step for job in JOBS.values() for step in steps(job)] + composite


def test_workflows_start_on_these_events_and_on_no_other() -> None:
    assert {name: set(workflow["on"]) for name, workflow in WORKFLOWS.items()} == {
        "pull-request.yml": {"pull_request"},
        "deploy.yml": {"push", "workflow_dispatch"},
        "stage.yml": {"workflow_call"},
        "environment.yml": {"workflow_call"},
        "diff.yml": {"workflow_call"},
        "drift.yml": {"workflow_call"},
        "prune.yml": {"workflow_call"},
        "remove.yml": {"workflow_call"},
        "teardown.yml": {"workflow_dispatch"},
        "reconcile.yml": {"schedule", "workflow_dispatch"},
        "rest.yml": {"schedule", "workflow_dispatch"},
        "portability.yml": {"schedule", "workflow_dispatch"},
    }
    opening_and_closing = ["opened", "synchronize", "reopened", "closed"]
    assert WORKFLOWS["pull-request.yml"]["on"]["pull_request"] == {"branches": ["main"], "types": opening_and_closing}
    assert WORKFLOWS["deploy.yml"]["on"]["push"] == {"branches": ["main"]}
    assert WORKFLOWS["deploy.yml"]["on"]["workflow_dispatch"]["inputs"]["commit"]["required"] is True


def test_workflows_themselves_have_no_permissions() -> None:
    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())


def test_each_job_has_these_permissions_and_no_other() -> None:
    assert {where: job["permissions"] for where, job in JOBS.items()} == {
        ("pull-request.yml", "checks"): READ,
        ("pull-request.yml", "build"): READ,
        ("pull-request.yml", "diff"): ASSUME,
        ("pull-request.yml", "preview"): DEPLOY,
        ("pull-request.yml", "comment"): READ | {"pull-requests": "write"},
        ("pull-request.yml", "project"): READ,
        ("pull-request.yml", "remove"): ASSUME,
        ("pull-request.yml", "all-green"): {},
        ("deploy.yml", "build"): READ,
        **{("deploy.yml", stage): DEPLOY for stage in ("first", "second", "third", "fourth")},
        ("stage.yml", "diff"): ASSUME,
        ("stage.yml", "deploy"): DEPLOY,
        ("environment.yml", "deploy"): DEPLOY,
        ("diff.yml", "diff"): ASSUME,
        ("drift.yml", "drift"): ASSUME | {"issues": "write"},
        ("prune.yml", "prune"): ASSUME,
        ("remove.yml", "remove"): ASSUME,
        ("teardown.yml", "target"): READ,
        ("teardown.yml", "remove"): ASSUME,
        ("reconcile.yml", "project"): READ,
        ("reconcile.yml", "drift"): ASSUME | {"issues": "write"},
        ("reconcile.yml", "sweep"): DEPLOY | {"issues": "write"},
        ("reconcile.yml", "prune"): ASSUME,
        ("rest.yml", "project"): READ,
        ("rest.yml", "prune"): ASSUME,
        ("portability.yml", "try"): READ,
        ("portability.yml", "adopt"): READ,
    }


def test_whoever_calls_a_workflow_gives_it_the_permissions_that_it_asks_for() -> None:
    for where, job in JOBS.items():
        if target := called(job):
            for inner in WORKFLOWS[target]["jobs"].values():
                assert inner["permissions"].items() <= job["permissions"].items(), where


def test_every_permission_says_what_it_is_for() -> None:
    lines = [line for path in WORKFLOW_FILES for line in path.read_text().splitlines()]
    permissions = [line for line in lines if re.match(r" +[a-z-]+: (read|write)\b", line)]
    assert len(permissions) == sum(len(job["permissions"]) for job in JOBS.values())
    assert [line for line in permissions if " # " not in line] == []


def test_every_job_is_named() -> None:
    assert all("name" in job for job in JOBS.values())


@with_steps
def test_every_job_ends_in_time_and_runs_on_one_image_but_for_those_that_try_others(where: tuple[str, str]) -> None:
    job = JOBS[where]
    assert 0 < job["timeout-minutes"] <= 60
    assert job["runs-on"] == ("${{ matrix.system }}" if where == ("portability.yml", "try") else "ubuntu-24.04")


@with_steps
def test_every_job_says_what_it_may_run_beside(where: tuple[str, str]) -> None:
    assert set(JOBS[where]["concurrency"]) == {"group", "cancel-in-progress"}


def test_groups_are_those_of_jobs_with_steps_only() -> None:
    # A caller in the group of what it calls would wait for itself; one of a whole workflow would cancel deployments.
    assert not any("concurrency" in workflow for workflow in WORKFLOWS.values())
    assert not any("concurrency" in job for job in JOBS.values() if called(job))


@pytest.mark.parametrize(
    ("inputs", "group"),
    [
        ({"environment": "preview", "pull_request": 7}, "preview-7"),
        ({"environment": "dev"}, "dev"),
        ({"environment": "prod", "pull_request": 0, "dry_run": False}, "prod"),
    ],
)
def test_deployment_and_removal_of_the_same_stack_wait_for_each_other(inputs: Table, group: str) -> None:
    for where in (("environment.yml", "deploy"), ("remove.yml", "remove")):
        concurrency = JOBS[where]["concurrency"]
        assert concurrency["cancel-in-progress"] is False
        parts = re.findall(r"\$\{\{ .*? }}", concurrency["group"])
        assert "".join(parts) == concurrency["group"]
        assert "".join(evaluate(parts, {"inputs": inputs})) == group


def test_a_dry_run_takes_no_place_of_a_deployment_that_waits() -> None:
    parts = re.findall(r"\$\{\{ .*? }}", JOBS["remove.yml", "remove"]["concurrency"]["group"])
    assert "".join(evaluate(parts, {"inputs": {"environment": "dev", "dry_run": True}})) == "show-dev"


def test_a_newer_push_cancels_only_what_changes_nothing() -> None:
    assert {where for where, job in JOBS.items() if job.get("concurrency", {}).get("cancel-in-progress")} == {
        ("pull-request.yml", "checks"),
        ("pull-request.yml", "build"),
        ("diff.yml", "diff"),
        ("portability.yml", "try"),
        ("portability.yml", "adopt"),
    }


def test_every_action_is_one_of_these_at_the_commit_of_its_version() -> None:
    found = [
        line.split("uses: ")[1]
        for path in [*WORKFLOW_FILES, *ACTION_FILES]
        for line in path.read_text().splitlines()
        if "uses: " in line
    ]
    actions = {line for line in found if not line.startswith("./")}
    assert actions == {f"{action}@{pin}" for action, pin in PINS.items()}
    local = {"./.github/actions/set-up"} | {f"./.github/workflows/{name}" for name in WORKFLOWS}
    assert set(found) - actions <= local


def test_no_expression_reaches_a_shell() -> None:
    assert [step["run"] for step in _all_steps() if "${{" in step.get("run", "")] == []


def test_no_step_hides_its_failure_or_runs_in_another_shell() -> None:
    for step in _all_steps():
        assert "continue-on-error" not in step
        assert step.get("shell", "bash") == "bash"


@pytest.mark.parametrize("path", [*WORKFLOW_FILES, *ACTION_FILES], ids=lambda path: path.stem)
def test_there_are_no_secrets_and_no_silenced_findings(path: Path) -> None:
    assert not re.search(r"\bsecrets\b|zizmor: ignore", path.read_text())


@with_steps
def test_checkouts_leave_no_token_behind(where: tuple[str, str]) -> None:
    assert all(step["with"]["persist-credentials"] is False for step in uses(JOBS[where], "actions/checkout"))


def test_the_one_job_of_a_pull_request_that_may_write_runs_the_base_branch_and_takes_only_data_from_it() -> None:
    writing = {
        where
        for where, job in JOBS.items()
        if any(access == "write" for permission, access in job["permissions"].items() if permission != "id-token")
    }
    drift = {("reconcile.yml", "drift"), ("drift.yml", "drift")}
    assert writing == {("pull-request.yml", "comment"), ("reconcile.yml", "sweep")} | drift
    job = JOBS["pull-request.yml", "comment"]
    assert [step["with"].get("ref") for step in uses(job, "actions/checkout")] == [
        "${{ github.event.pull_request.base.ref }}"
    ]
    assert steps(job)[0] in uses(job, "actions/checkout")
    for download in uses(job, "actions/download-artifact"):
        assert download["with"]["path"].startswith("${{ runner.temp }}/")


@pytest.mark.parametrize(
    "where", [("pull-request.yml", "project"), ("teardown.yml", "target"), ("remove.yml", "remove")], ids="-".join
)
def test_a_removal_runs_the_code_of_the_default_branch(where: tuple[str, str]) -> None:
    (checkout,) = uses(JOBS[where], "actions/checkout")
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"


def test_dependabot_watches_every_lock_and_every_action() -> None:
    updates: list[Table] = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    watched = {
        update["package-ecosystem"]: set(update.get("directories", [update.get("directory")])) for update in updates
    }
    locks = [*ROOT.glob("requirements*.txt"), *(ROOT / "infra").rglob("requirements*.txt")]
    assert watched == {
        "github-actions": {"/", *(f"/{path.parent.relative_to(ROOT)}" for path in ACTION_FILES)},
        # Each function's lock lies in its own folder.
        "pip": {"/functions/*", *(f"/{path.parent.relative_to(ROOT)}".removesuffix(".") for path in locks)},
        "npm": {"/"},
    }
    assert all(update["cooldown"]["default-days"] >= 7 and update["groups"] for update in updates)


def test_what_is_scheduled_begins_off_the_full_hour() -> None:
    for workflow in WORKFLOWS.values():
        assert all(0 < int(each["cron"].split()[0]) < 60 for each in workflow["on"].get("schedule", []))


def test_no_part_of_the_night_waits_for_another() -> None:
    project, *parts = WORKFLOWS["reconcile.yml"]["jobs"].items()
    assert project[0] == "project"
    assert [name for name, _ in parts] == ["drift", "sweep", "prune"]
    for _, job in parts:
        assert job["needs"] == ["project"]
        assert "if" not in job
        assert job.get("strategy", {}).get("fail-fast", False) is False


def test_macos_and_linux_are_tried_on_their_own_processors_with_the_oldest_python_and_those_of_lambda() -> None:
    job = JOBS["portability.yml", "try"]
    tried = job["strategy"]["matrix"]["include"]
    assert {each["system"] for each in tried} == {"macos-15", "ubuntu-24.04", "ubuntu-24.04-arm"}
    assert {each["python"] for each in tried} == {".".join(map(str, find_python.OLDEST)), *find_python.PREFERRED}
    (python,) = uses(job, "actions/setup-python")
    assert python["with"]["python-version"] == "${{ matrix.python }}"
    # Without this the newest that the image has would be taken.
    assert job["env"]["PYTHON"] == "python${{ matrix.python }}"


def test_a_teardown_shows_only_unless_told_otherwise() -> None:
    inputs = WORKFLOWS["teardown.yml"]["on"]["workflow_dispatch"]["inputs"]
    assert inputs["environment"] | {"description": ""} == {"description": "", "type": "string", "required": True}
    assert list(inputs["running"]["options"]) == list(CHOICES)
    assert inputs["dry_run"]["default"] is True
    assert inputs["confirm"]["required"] is True
    assert "default" not in inputs["confirm"]


def test_an_environment_that_a_person_types_is_one_of_project_toml_before_a_job_is_in_it() -> None:
    events: dict[str, Table] = {name: each["on"].get("workflow_dispatch") or {} for name, each in WORKFLOWS.items()}
    assert [name for name, event in events.items() if "environment" in event.get("inputs", {})] == ["teardown.yml"]
    (first, target), *others = WORKFLOWS["teardown.yml"]["jobs"].items()
    assert "environment" not in target
    assert target["env"] == {"ENVIRONMENT": "${{ inputs.environment }}"}
    assert '--environment "$ENVIRONMENT"' in the_step(target, "infra.pipeline target")["run"]
    assert not any("if" in each for each in (target, *steps(target), *dict(others).values()))
    assert [needs(job) for _, job in others] == [[first]]


@pytest.mark.parametrize(("typed", "given"), [("", 0), (None, 0), ("7", 7)])
def test_the_number_that_a_person_types_arrives_as_one(typed: str | None, given: int) -> None:
    passed = WORKFLOWS["teardown.yml"]["jobs"]["remove"]["with"]["pull_request"]
    assert evaluate([passed], {"inputs": {"pull_request": typed}}) == [given]
    (step,) = [step for step in steps(JOBS["remove.yml", "remove"]) if step.get("name") == "Remove"]
    for dry_run, option in ((True, "yes"), (False, "")):
        assert evaluate([step["env"]["DRY_RUN"]], {"inputs": {"dry_run": dry_run}}) == [option]
