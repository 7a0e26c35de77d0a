"""What GitHub's service makes of the workflows: plans of their jobs, and each job as act gets it."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra import ROOT
from infra.pipeline import build_all
from tests.github.state import Pull, Table
from tests.infra.fakes.environments import PROJECT
from tests.rehearsal import events, workflows
from tests.rehearsal.events import Event
from tests.rehearsal.workflows import Level, Outcome, Planned, WorkflowError
from tests.workflows.reading import WORKFLOWS, called, needs, third_party

JOBS = [(file, key) for file, workflow in WORKFLOWS.items() for key in workflow["jobs"]]
PULL = Pull(7, "branch-7", "1" * 40, "A change")
OPENED = events.pull_request(PULL, "opened", "2" * 40)
PUSHED = events.push("2" * 40, "1" * 40)
COMMIT = "c" * 40
# What the first job of each workflow finds out, of the tests' own project.
DIGESTS = {"dev": "d", "preview": "e", "prod": "f"}
BUILT = Outcome("success", {"commit": COMMIT, **build_all.outputs(PROJECT, DIGESTS)})
ENVIRONMENTS = json.dumps(PROJECT.environments)
TOLD = Outcome("success", {"name": PROJECT.name, "previews": PROJECT.previews, "environments": ENVIRONMENTS})
KNOWN = {"build": BUILT, "project": TOLD}


def level(file: str, event: Event = OPENED) -> Level:
    return workflows.start(WORKFLOWS, file, event, "1001")


def plans(at: Level, key: str, outcomes: Mapping[str, Outcome] = KNOWN) -> Iterator[Planned]:
    """Yield the jobs with steps that a job comes to."""
    for matrix in at.matrices(key, outcomes):
        if called(at.jobs[key]):
            inner = at.call(key, outcomes, matrix)
            for each in inner.jobs:
                yield from plans(inner, each, {})
        else:
            yield at.plan(key, {**dict.fromkeys(needs(at.jobs[key]), Outcome("success")), **outcomes}, matrix)


def plan(file: str, key: str, event: Event = OPENED) -> list[Planned]:
    return list(plans(level(file, event), key))


@pytest.mark.parametrize(("file", "key"), JOBS)
def test_act_gets_each_job_as_it_stands_in_its_file(file: str, key: str) -> None:
    before = copy.deepcopy(WORKFLOWS[file])
    outcomes = dict.fromkeys(before["jobs"], Outcome("success", {"a": "b"}))
    isolated = workflows.isolate(WORKFLOWS[file], key, outcomes)
    assert isolated["jobs"][key] == before["jobs"][key]
    assert {name: part for name, part in isolated.items() if name != "jobs"} == {
        name: part for name, part in before.items() if name != "jobs"
    }
    assert isolated["jobs"].keys() == {key, *needs(before["jobs"][key])}
    assert WORKFLOWS[file] == before


def test_what_a_job_needs_stands_there_as_it_ended() -> None:
    outcomes = {
        "diff": Outcome("skipped"),
        "preview": Outcome("failure", {"digest": "d"}),
    }
    (planned,) = plans(level("pull-request.yml"), "comment", outcomes)
    jobs = planned.content["jobs"]
    assert jobs["preview"]["outputs"] == {"digest": "d"}
    assert jobs["preview"]["steps"] == [{"run": "false"}]
    assert jobs["diff"]["if"] is False


def test_a_job_of_a_called_workflow_has_that_file_its_environment_and_its_permissions() -> None:
    (planned,) = plan("pull-request.yml", "preview")
    assert (planned.name, planned.workflow, planned.environment) == ("preview", "environment.yml", "preview")
    assert planned.permissions["id-token"] == "write"


def test_act_gets_a_call_of_the_file_that_has_the_steps_with_what_all_callers_gave() -> None:
    _, planned = plan("deploy.yml", "second", PUSHED)
    (call,) = planned.content["jobs"].values()
    assert call["uses"] == "./.github/workflows/environment.yml"
    assert call["with"] == {"environment": "prod", "pull_request": 0, "commit": COMMIT, "digest": "f"}
    assert planned.content["jobs"].keys() == {planned.key}


def test_a_stage_is_the_jobs_of_the_files_that_its_file_calls() -> None:
    planned = plan("deploy.yml", "first", PUSHED)
    assert [(each.name, each.workflow, each.environment) for each in planned] == [
        ("first diff", "diff.yml", "dev-read"),
        ("first deploy", "environment.yml", "dev"),
    ]
    assert [each.title for each in planned] == ["first / diff dev / diff", "first / deploy dev / deploy"]


def test_a_stage_that_there_is_no_environment_for_does_not_start() -> None:
    at = level("deploy.yml", PUSHED)
    ended = {"build": BUILT} | dict.fromkeys(("first", "second", "third"), Outcome("success"))
    found = {
        key: workflows.starts(job, at.contexts(ended), cancelled=False)
        for key, job in at.jobs.items()
        if key != "build"
    }
    assert found == {"first": True, "second": True, "third": False, "fourth": False}


def test_a_matrix_is_a_job_for_each_of_its_values_in_its_own_environment() -> None:
    planned = plan("pull-request.yml", "diff")
    names = ("dev", "preview", "prod")
    assert sorted((each.name, each.environment) for each in planned) == [
        (f"diff {name}", f"{name}-read") for name in names
    ]


def test_an_environment_can_come_from_another_job() -> None:
    (planned,) = plan("reconcile.yml", "sweep", events.schedule("2" * 40, "reconcile.yml"))
    assert planned.environment == "preview-teardown"


def test_a_fork_s_and_dependabot_s_jobs_can_read_and_no_more() -> None:
    for pull in (Pull(8, "b", "1", "x", fork=True), Pull(9, "b", "1", "x", author="dependabot[bot]")):
        event = events.pull_request(pull, "opened", "2" * 40)
        granted = [each.permissions for key in ("preview", "comment") for each in plan("pull-request.yml", key, event)]
        assert granted == [{"contents": "read", "pull-requests": "read"}] * 2


@pytest.mark.parametrize(("file", "key"), [("deploy.yml", "first"), ("stage.yml", "deploy")])
def test_a_job_can_not_hand_on_what_it_has_not(file: str, key: str) -> None:
    changed = copy.deepcopy(WORKFLOWS)
    del changed[file]["jobs"][key]["permissions"]["id-token"]
    with pytest.raises(WorkflowError, match="id-token: write"):
        workflows.start(changed, "deploy.yml", PUSHED, "1001")


STEPS: Table = {"permissions": {}, "steps": []}


@pytest.mark.parametrize(
    ("caller", "hands_on", "jobs"),
    [
        ({}, {}, {"one": STEPS, "two": STEPS}),
        ({}, {}, {"one": STEPS | {"strategy": {"matrix": {"a": ["b"]}}}}),
        ({}, {"outputs": {"it": {"value": "x"}}}, {"one": STEPS}),
        ({"concurrency": {"group": "one"}}, {}, {"one": STEPS}),
    ],
    ids=["several jobs", "a matrix", "outputs", "a group"],
)
def test_a_call_that_the_rehearsal_can_not_play_is_refused(caller: Table, hands_on: Table, jobs: Table) -> None:
    inner: Table = {"on": {"workflow_call": hands_on}, "jobs": jobs}
    job: Table = {"uses": "./.github/workflows/inner.yml", "permissions": {}, **caller}
    files: dict[str, Table] = {"outer.yml": {"on": {"push": None}, "jobs": {"call": job}}, "inner.yml": inner}
    with pytest.raises(WorkflowError):
        workflows.start(files, "outer.yml", PUSHED, "1001")


def test_outputs_of_a_job_are_those_of_its_steps() -> None:
    job = {"outputs": {"commit": "${{ steps.one.outputs.commit }}", "digest": "${{ steps.two.outputs.digest }}"}}
    assert workflows.outputs(job, {"one": {"commit": "c", "other": "o"}}) == {"commit": "c", "digest": ""}


def test_every_third_party_action_is_found_at_its_pin() -> None:
    found = {action.partition("@")[0] for action in third_party(ROOT)}
    assert found >= {"actions/checkout", "actions/setup-python", "aws-actions/configure-aws-credentials"}


@pytest.mark.parametrize(
    ("file", "event", "expected"),
    [
        ("pull-request.yml", OPENED, True),
        ("pull-request.yml", events.pull_request(PULL, "labeled", "2" * 40), False),
        ("pull-request.yml", PUSHED, False),
        ("deploy.yml", PUSHED, True),
        ("deploy.yml", Event("push", "refs/heads/another", "2" * 40), False),
        ("deploy.yml", events.dispatch("2" * 40, "deploy.yml", {}), True),
        ("deploy.yml", events.dispatch("2" * 40, "teardown.yml", {}), False),
        ("reconcile.yml", events.schedule("2" * 40, "reconcile.yml"), True),
        ("portability.yml", events.schedule("2" * 40, "reconcile.yml"), False),
        ("environment.yml", PUSHED, False),
    ],
)
def test_a_workflow_starts_by_its_events_alone(file: str, event: Event, expected: bool) -> None:
    assert events.starts(file, WORKFLOWS[file], event) is expected


def test_without_types_a_pull_request_s_end_starts_nothing() -> None:
    workflow: dict[str, Any] = {"on": {"pull_request": None}}
    happened = [events.pull_request(PULL, action, "2" * 40) for action in ("opened", "closed")]
    assert [events.starts("a.yml", workflow, event) for event in happened] == [True, False]


def dispatched(dry_run: str) -> Event:
    inputs = {"environment": "preview", "pull_request": "7", "confirm": "", "running": "stop", "dry_run": dry_run}
    return events.dispatch("2" * 40, "teardown.yml", inputs)


@pytest.mark.parametrize(
    ("file", "key", "event", "group"),
    [
        ("deploy.yml", "first", PUSHED, ("dev", False)),
        ("deploy.yml", "second", PUSHED, ("prod", False)),
        ("deploy.yml", "build", PUSHED, ("deploy-build-1001", False)),
        ("pull-request.yml", "checks", OPENED, ("checks-7", True)),
        ("pull-request.yml", "preview", OPENED, ("preview-7", False)),
        ("pull-request.yml", "remove", OPENED, ("preview-7", False)),
        ("teardown.yml", "remove", dispatched("false"), ("preview-7", False)),
        ("teardown.yml", "remove", dispatched("true"), ("show-preview-7", False)),
    ],
)
def test_a_job_has_the_concurrency_group_that_its_file_says(
    file: str, key: str, event: Event, group: tuple[str, bool]
) -> None:
    planned = plan(file, key, event)[-1]
    assert (planned.group, planned.cancels) == group


@pytest.mark.parametrize(
    ("condition", "result", "cancelled", "expected"),
    [
        (None, "success", False, True),
        (None, "skipped", False, False),
        (None, "success", True, False),
        ("always()", "failure", True, True),
        ("!cancelled() && github.ref == 'refs/heads/main'", "failure", False, True),
        ("!cancelled()", "success", True, False),
        ("failure()", "failure", False, True),
        ("github.ref == 'refs/heads/main'", "success", False, True),
        ("github.ref == 'refs/heads/main'", "failure", False, False),
        ("needs.before.result == 'cancelled' && always()", "cancelled", False, True),
    ],
)
def test_a_job_starts_by_what_it_needs_and_its_condition(
    condition: str | None, result: str, cancelled: bool, expected: bool
) -> None:
    job: Table = {"needs": "before"} | ({"if": condition} if condition else {})
    known = Level({}, "a.yml", PUSHED, "1001").contexts({"before": Outcome(result)})
    assert workflows.starts(job, known, cancelled=cancelled) is expected
