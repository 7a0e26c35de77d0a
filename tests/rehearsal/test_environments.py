from infra.policies.trust import MAIN
from tests.github.state import Pull
from tests.rehearsal import events
from tests.rehearsal.environments import ENVIRONMENTS, may_enter


def test_pull_requests_may_enter_the_environments_of_previews_and_those_that_read() -> None:
    entered = {name for name in ENVIRONMENTS if may_enter("refs/pull/7/merge", name)}
    assert entered == {"preview", "preview-teardown", "preview-read", "dev-read", "prod-read"}
    assert all(may_enter(MAIN, name) for name in ENVIRONMENTS)


def test_a_pull_request_that_was_merged_runs_on_main() -> None:
    merged = Pull(7, state="closed", merged=True)
    assert events.pull_request(merged, "closed", "2" * 40).ref == MAIN
