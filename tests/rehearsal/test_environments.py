from infra.policies.trust import MAIN
from tests.github.state import Pull
from tests.infra.fakes.environments import DEV, PREVIEW, PROD
from tests.rehearsal import events
from tests.rehearsal.environments import may_enter, names


def test_pull_requests_may_enter_the_environments_of_previews_and_those_that_read() -> None:
    everything = names([DEV, PREVIEW, PROD])
    entered = {name for name in everything if may_enter("refs/pull/7/merge", name, "preview")}
    assert entered == {"preview", "preview-teardown", "preview-read", "dev-read", "prod-read"}
    assert all(may_enter(MAIN, name, "preview") for name in everything)


def test_a_pull_request_that_was_merged_runs_on_main() -> None:
    merged = Pull(7, state="closed", merged=True)
    assert events.pull_request(merged, "closed", "2" * 40).ref == MAIN
