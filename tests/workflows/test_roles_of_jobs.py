"""Which job may get which role, and on what way."""

import pytest

from infra.environment import Environment, load, names
from infra.policies import trust
from infra.policies.purposes import PURPOSES, Purpose, github_environment, role, serves_pull_requests
from tests.workflows.reading import JOBS, WORKFLOWS, Access, accesses, called, evaluate, steps, the_step, uses

ACCOUNT = "${{ vars.AWS_ACCOUNT_ID }}"
STARTED_BY_ITSELF = [name for name, workflow in WORKFLOWS.items() if set(workflow["on"]) != {"workflow_call"}]
ALL = [access for name in STARTED_BY_ITSELF for access in accesses(name)]


def test_these_jobs_get_these_roles_and_no_other_does() -> None:
    assert {(access.workflow, access.job, access.github_environment, access.role.split("/")[-1]) for access in ALL} == {
        ("pull-request.yml", "diff", "dev-read", "orders-dev-read"),
        ("pull-request.yml", "diff", "prod-read", "orders-prod-read"),
        ("pull-request.yml", "preview", "preview", "orders-preview-deploy"),
        ("pull-request.yml", "remove", "preview-teardown", "orders-preview-teardown"),
        ("deploy.yml", "dev", "dev", "orders-dev-deploy"),
        ("deploy.yml", "diff", "prod-read", "orders-prod-read"),
        ("deploy.yml", "prod", "prod", "orders-prod-deploy"),
        ("reconcile.yml", "drift", "dev-drift", "orders-dev-drift"),
        ("reconcile.yml", "drift", "preview-drift", "orders-preview-drift"),
        ("reconcile.yml", "drift", "prod-drift", "orders-prod-drift"),
        ("reconcile.yml", "sweep", "preview-teardown", "orders-preview-teardown"),
        ("reconcile.yml", "prune", "dev-prune", "orders-dev-prune"),
        ("reconcile.yml", "prune", "preview-prune", "orders-preview-prune"),
        ("reconcile.yml", "prune", "prod-prune", "orders-prod-prune"),
        ("teardown.yml", "remove", "dev-teardown", "orders-dev-teardown"),
        ("teardown.yml", "remove", "preview-teardown", "orders-preview-teardown"),
        ("teardown.yml", "remove", "prod-teardown", "orders-prod-teardown"),
    }


@pytest.mark.parametrize("access", ALL, ids=lambda access: f"{access.workflow}-{access.github_environment}")
def test_role_and_github_environment_are_a_pair_that_the_access_stack_makes(access: Access) -> None:
    prefix = f"arn:aws:iam::{ACCOUNT}:role/"
    trusted: dict[tuple[str, str], tuple[Environment, Purpose]] = {
        (github_environment(name, purpose), prefix + role(name, purpose)): (load(name), purpose)
        for name in names()
        for purpose in PURPOSES
    }
    environment, purpose = trusted[access.github_environment, access.role]
    assert serves_pull_requests(environment, purpose) or access.called == trust.WORKFLOWS[purpose]


def test_pull_requests_lead_to_no_role_of_mains_own() -> None:
    reached = {
        access.github_environment
        for name in STARTED_BY_ITSELF
        if any(event.startswith("pull_request") for event in WORKFLOWS[name]["on"])
        for access in accesses(name)
    }
    assert reached == {"dev-read", "prod-read", "preview", "preview-teardown"}


def test_only_jobs_in_a_github_environment_can_have_tokens_for_aws() -> None:
    for where, job in JOBS.items():
        if not called(job):
            assert ("environment" in job) == (job["permissions"].get("id-token") == "write"), where


@pytest.mark.parametrize("name", ["environment.yml", "diff.yml", "drift.yml", "prune.yml", "remove.yml"])
def test_credentials_are_of_the_environments_own_account_and_come_after_what_is_installed(name: str) -> None:
    (job,) = WORKFLOWS[name]["jobs"].values()
    (credentials,) = uses(job, "aws-actions/configure-aws-credentials")
    assert credentials["with"]["allowed-account-ids"] == ACCOUNT
    assert credentials["with"]["aws-region"] == "${{ vars.AWS_REGION }}"
    assert credentials["with"]["role-session-name"] == "gha-${{ github.run_id }}"
    (set_up,) = [each for each in steps(job) if each.get("uses") == "./.github/actions/set-up"]
    assert steps(job).index(set_up) < steps(job).index(credentials)


def test_prod_comes_after_dev_and_after_its_own_diff_and_under_no_condition() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    assert jobs["dev"]["needs"] == ["build"]
    assert jobs["diff"]["needs"] == ["build", "dev"]
    assert jobs["prod"]["needs"] == ["build", "dev", "diff"]
    # A condition could let it go on after a failure.
    assert not any("if" in job for job in jobs.values())


@pytest.mark.parametrize(
    ("workflow", "job", "environment"),
    [("deploy.yml", "dev", "dev"), ("deploy.yml", "prod", "prod"), ("pull-request.yml", "preview", "preview")],
)
def test_what_is_deployed_is_what_was_built_for_that_environment(workflow: str, job: str, environment: str) -> None:
    jobs = WORKFLOWS[workflow]["jobs"]
    given = jobs[job]["with"]
    assert given["environment"] == environment
    assert given["digest"] == f"${{{{ needs.build.outputs.{environment} }}}}"
    built = the_step(jobs["build"], f"infra.pipeline build --environment {environment}")
    assert jobs["build"]["outputs"][environment] == f"${{{{ steps.{built['id']}.outputs.digest }}}}"
    deploy = the_step(WORKFLOWS["environment.yml"]["jobs"]["deploy"], "infra.pipeline deploy")
    assert '--digest "$DIGEST"' in deploy["run"]
    assert deploy["env"]["DIGEST"] == "${{ inputs.digest }}"


def test_every_job_of_a_run_uses_the_code_of_the_commit_that_was_built() -> None:
    for name in ("environment.yml", "diff.yml"):
        (job,) = WORKFLOWS[name]["jobs"].values()
        (checkout,) = uses(job, "actions/checkout")
        assert checkout["with"]["ref"] == "${{ inputs.commit }}"
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


def test_the_alias_goes_back_unless_an_order_went_well() -> None:
    job = WORKFLOWS["environment.yml"]["jobs"]["deploy"]
    deploy, smoke, back = (the_step(job, f"infra.pipeline {command}") for command in ("deploy", "smoke", "roll-back"))
    assert (deploy["id"], smoke["id"]) == ("deploy", "smoke")
    assert [each for each in steps(job) if each in (deploy, smoke, back)] == [deploy, smoke, back]
    assert "if" not in smoke
    assert back["env"]["VERSION"] == "${{ steps.deploy.outputs.previous_version }}"
    expected = {
        ("success", "success"): False,
        ("success", "failure"): True,
        ("success", "cancelled"): True,
        # It may have failed, or been cancelled, after the alias had moved.
        ("failure", "skipped"): True,
        ("cancelled", "skipped"): True,
        ("skipped", "skipped"): False,
    }
    for (deployed, tried), goes_back in expected.items():
        outcomes = {"deploy": {"outcome": deployed}, "smoke": {"outcome": tried}}
        assert evaluate([back["if"]], {"steps": outcomes}) == [goes_back], (deployed, tried)
