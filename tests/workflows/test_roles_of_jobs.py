"""Which job may get which role, and on what way."""

from itertools import product

import pytest

from infra.environment import Environment, load_all
from infra.policies import trust
from infra.policies.purposes import PURPOSES, Purpose
from infra.project import LOCAL
from tests.access.environments import KINDS
from tests.access.jobs import MAIN, PULL_REQUEST
from tests.github.tokens import Claims, claims
from tests.infra.fakes.environments import PROJECT
from tests.workflows.accesses import LOOK_UP, STARTED_BY_ITSELF, Access, accesses, fill
from tests.workflows.reading import JOBS, WORKFLOWS, called, evaluate, steps, the_step, uses

WITH_CREDENTIALS = [where for where, job in JOBS.items() if not called(job) and "id-token" in job["permissions"]]


def test_these_jobs_look_up_these_roles_in_these_github_environments_and_no_other_does() -> None:
    found = {
        (each.workflow, each.job, each.called, each.github_environment, each.environment, each.purpose)
        for name in STARTED_BY_ITSELF
        for each in accesses(name, PROJECT)
    }
    assert found == {
        ("pull-request.yml", "diff", "diff.yml", "dev-read", "dev", "read"),
        ("pull-request.yml", "diff", "diff.yml", "preview-read", "preview", "read"),
        ("pull-request.yml", "diff", "diff.yml", "prod-read", "prod", "read"),
        ("pull-request.yml", "preview", "environment.yml", "preview", "preview", "deploy"),
        ("pull-request.yml", "remove", "remove.yml", "preview-teardown", "preview", "teardown"),
        ("deploy.yml", "first", "diff.yml", "dev-read", "dev", "read"),
        ("deploy.yml", "first", "environment.yml", "dev", "dev", "deploy"),
        ("deploy.yml", "second", "diff.yml", "prod-read", "prod", "read"),
        ("deploy.yml", "second", "environment.yml", "prod", "prod", "deploy"),
        ("reconcile.yml", "drift", "drift.yml", "dev-drift", "dev", "drift"),
        ("reconcile.yml", "drift", "drift.yml", "preview-drift", "preview", "drift"),
        ("reconcile.yml", "drift", "drift.yml", "prod-drift", "prod", "drift"),
        ("reconcile.yml", "sweep", "reconcile.yml", "preview-teardown", "preview", "teardown"),
        ("reconcile.yml", "prune", "prune.yml", "dev-prune", "dev", "prune"),
        ("reconcile.yml", "prune", "prune.yml", "preview-prune", "preview", "prune"),
        ("reconcile.yml", "prune", "prune.yml", "prod-prune", "prod", "prune"),
        ("rest.yml", "prune", "prune.yml", "preview-prune", "preview", "prune"),
        ("teardown.yml", "remove", "remove.yml", "dev-teardown", "dev", "teardown"),
        ("teardown.yml", "remove", "remove.yml", "preview-teardown", "preview", "teardown"),
        ("teardown.yml", "remove", "remove.yml", "prod-teardown", "prod", "teardown"),
    }


def _token(access: Access, environment: Environment) -> Claims:
    """Return the claims of the token that GitHub gives to a job."""
    by_pull_request = "pull_request" in WORKFLOWS[access.workflow]["on"]
    return claims(
        environment.project.repository,
        event="pull_request" if by_pull_request else "push",
        ref=PULL_REQUEST if by_pull_request else MAIN,
        workflow=access.called,
        environment=access.github_environment,
    )


def _roles_for(token: Claims, environments: dict[str, Environment]) -> list[tuple[str, Purpose]]:
    """Return the environments and purposes whose roles take a token."""
    return [
        (name, purpose)
        for name, purpose in product(environments, PURPOSES)
        if trust.claims(environments[name], purpose).items() <= token.items()
    ]


@pytest.mark.parametrize("kind", [*KINDS, "this checkout"])
@pytest.mark.parametrize("workflow", STARTED_BY_ITSELF)
def test_a_job_may_assume_the_one_role_that_it_looks_up(workflow: str, kind: str) -> None:
    environments = KINDS[kind].environments if kind in KINDS else load_all()
    deployed = {name: each for name, each in environments.items() if name != LOCAL}
    for access in accesses(workflow, next(iter(deployed.values())).project):
        token = _token(access, deployed[access.environment])
        assert _roles_for(token, deployed) == [(access.environment, access.purpose)], access


def test_pull_requests_lead_to_no_role_of_mains_own() -> None:
    reached = {
        access.github_environment
        for name in STARTED_BY_ITSELF
        if any(event.startswith("pull_request") for event in WORKFLOWS[name]["on"])
        for access in accesses(name, PROJECT)
    }
    assert reached == {"dev-read", "preview-read", "prod-read", "preview", "preview-teardown"}


def test_only_jobs_in_a_github_environment_can_have_tokens_for_aws() -> None:
    for where, job in JOBS.items():
        if not called(job):
            assert ("environment" in job) == (job["permissions"].get("id-token") == "write"), where


@pytest.mark.parametrize("where", WITH_CREDENTIALS, ids="-".join)
def test_a_job_looks_up_the_role_of_its_own_environment_and_purpose(where: tuple[str, str]) -> None:
    job = JOBS[where]
    (purpose,) = [found for step in steps(job) for found in LOOK_UP.findall(step.get("run", ""))]
    environment = job["env"]["ENVIRONMENT"]
    assert environment.startswith("${{ "), f"{where}: ENVIRONMENT must come from an input or an output, never be a name"
    expected = environment if purpose == "deploy" else f"{environment}-{purpose}"
    assert job["environment"] == expected, f"{where}: looks up the role of {purpose}, so its environment is {expected}"


@pytest.mark.parametrize("where", WITH_CREDENTIALS, ids="-".join)
def test_credentials_are_those_that_were_looked_up_and_come_after_what_is_installed(where: tuple[str, str]) -> None:
    job = JOBS[where]
    (credentials,) = uses(job, "aws-actions/configure-aws-credentials")
    assert credentials["with"] == {
        "role-to-assume": "${{ steps.target.outputs.role }}",
        "role-session-name": "gha-${{ github.run_id }}",
        "allowed-account-ids": "${{ steps.target.outputs.account }}",
        "aws-region": "${{ steps.target.outputs.region }}",
    }
    (set_up,) = [each for each in steps(job) if each.get("uses") == "./.github/actions/set-up"]
    target = the_step(job, "infra.pipeline target")
    assert target["id"] == "target"
    assert "env" not in target, "a step's own variables would take the place of the job's ENVIRONMENT"
    assert not {"if"} & {*target, *credentials}
    assert [each for each in steps(job) if each in (set_up, target, credentials)] == [set_up, target, credentials]


def test_a_preview_is_deployed_as_it_was_built() -> None:
    assert JOBS["pull-request.yml", "preview"]["with"] == {
        "environment": "${{ needs.build.outputs.previews }}",
        "pull_request": "${{ github.event.pull_request.number }}",
        "commit": "${{ github.sha }}",
        "digest": "${{ needs.build.outputs.preview_digest }}",
    }


def test_only_what_was_built_is_deployed() -> None:
    deploy = the_step(WORKFLOWS["environment.yml"]["jobs"]["deploy"], "infra.pipeline deploy")
    assert '--digest "$DIGEST"' in deploy["run"]
    assert deploy["env"]["DIGEST"] == "${{ inputs.digest }}"


def test_what_is_removed_with_a_pull_request_is_its_preview() -> None:
    known = {"needs": {"project": {"outputs": {"name": "acme", "previews": "preview"}}}}
    given = JOBS["pull-request.yml", "remove"]["with"]
    filled = {key: fill(given[key], known | {"github": {"event": {"pull_request": {"number": 7}}}}) for key in given}
    assert filled == {"environment": "preview", "pull_request": 7, "confirm": "acme-pr-7", "running": "stop"}


def test_every_job_of_a_run_uses_the_code_of_the_commit_that_was_built() -> None:
    for name in ("environment.yml", "diff.yml"):
        (job,) = WORKFLOWS[name]["jobs"].values()
        (checkout,) = uses(job, "actions/checkout")
        assert checkout["with"]["ref"] == "${{ inputs.commit }}"
    assert {job["with"]["commit"] for job in WORKFLOWS["stage.yml"]["jobs"].values()} == {"${{ inputs.commit }}"}
    (checkout,) = uses(JOBS["deploy.yml", "build"], "actions/checkout")
    assert checkout["with"]["ref"] == "${{ inputs.commit || github.sha }}"
    commits = {job["with"]["commit"] for (name, _), job in JOBS.items() if name == "deploy.yml" and "with" in job}
    assert commits == {"${{ needs.build.outputs.commit }}"}
    assert JOBS["deploy.yml", "build"]["outputs"]["commit"] == "${{ steps.checkout.outputs.commit }}"


def test_a_commit_that_is_not_on_main_is_refused_before_anything_of_it_runs() -> None:
    first, second, *_ = steps(JOBS["deploy.yml", "build"])
    assert first["uses"].startswith("actions/checkout@")
    assert first["with"]["fetch-depth"] == 0
    assert second["run"] == "git merge-base --is-ancestor HEAD origin/main"
    assert "if" not in second


def test_a_rollback_says_so() -> None:
    name = WORKFLOWS["deploy.yml"]["run-name"]
    assert evaluate([name], {"inputs": {"commit": "abc"}}) == ["Roll back to abc"]
    assert evaluate([name], {"inputs": {}}) == [""]


def test_the_aliases_go_back_unless_everything_was_tried_and_went_well() -> None:
    job = WORKFLOWS["environment.yml"]["jobs"]["deploy"]
    deploy, smoke, back = (the_step(job, f"infra.pipeline {command}") for command in ("deploy", "smoke", "roll-back"))
    assert (deploy["id"], smoke["id"]) == ("deploy", "smoke")
    assert [each for each in steps(job) if each in (deploy, smoke, back)] == [deploy, smoke, back]
    assert "if" not in smoke
    assert smoke["env"] == {"VERSIONS": "${{ steps.deploy.outputs.versions }}"}
    assert back["env"] == {"VERSIONS": "${{ steps.deploy.outputs.previous_versions }}"}
    expected = {
        ("success", "success"): False,
        ("success", "failure"): True,
        ("success", "cancelled"): True,
        # It may have failed, or been cancelled, after an alias had moved.
        ("failure", "skipped"): True,
        ("cancelled", "skipped"): True,
        ("skipped", "skipped"): False,
    }
    for (deployed, tried), goes_back in expected.items():
        outcomes = {"deploy": {"outcome": deployed}, "smoke": {"outcome": tried}}
        assert evaluate([back["if"]], {"steps": outcomes}) == [goes_back], (deployed, tried)
