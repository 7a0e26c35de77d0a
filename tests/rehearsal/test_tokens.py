"""Tokens as GitHub issues them to jobs."""

import pytest

from infra.naming import PURPOSES, Purpose, github_environment
from infra.policies.trust import WORKFLOWS
from tests.access.tokens import issued
from tests.github.state import Pull
from tests.rehearsal import events, tokens

PULL = Pull(7, "branch-7", "1" * 40, "A change")
OPENED = events.pull_request(PULL, "opened", "2" * 40)
PUSHED = events.push("2" * 40, "1" * 40)


@pytest.mark.parametrize("environment", ["dev", "preview", "prod"])
@pytest.mark.parametrize("purpose", PURPOSES)
def test_claims_are_those_that_the_tests_of_access_take_for_granted(environment: str, purpose: Purpose) -> None:
    expected = issued(environment, purpose)
    event = OPENED if expected["ref"] == PULL.merge_ref else PUSHED
    workflow = WORKFLOWS.get(purpose, "pull-request.yml")
    name = github_environment(environment, purpose)
    found = tokens.claims(event, workflow, name, "sts.amazonaws.com")
    shared = expected.keys() & found.keys()
    assert {key: found[key] for key in shared} == {key: expected[key] for key in shared}
    assert expected.keys() - found.keys() <= {"actor_id", "workflow"}


def test_without_an_environment_the_subject_is_the_pull_request_or_the_ref() -> None:
    subjects = [tokens.claims(event, "a.yml", "", "x")["sub"].split(":", 2)[2] for event in (OPENED, PUSHED)]
    assert subjects == ["pull_request", "ref:refs/heads/main"]


def test_a_pull_request_that_was_merged_runs_on_main() -> None:
    merged = Pull(7, state="closed", merged=True)
    event = events.pull_request(merged, "closed", "2" * 40)
    assert tokens.claims(event, "remove.yml", "preview-teardown", "x")["ref"] == "refs/heads/main"


def test_pull_requests_may_enter_the_environments_of_previews_and_those_that_read() -> None:
    entered = {name for name in tokens.ENVIRONMENTS if tokens.may_enter(PULL.merge_ref, name)}
    assert entered == {"preview", "preview-teardown", "preview-read", "dev-read", "prod-read"}
    assert all(tokens.may_enter("refs/heads/main", name) for name in tokens.ENVIRONMENTS)
