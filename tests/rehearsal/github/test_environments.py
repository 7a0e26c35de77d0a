from tests.rehearsal.github.environments import ENVIRONMENTS, may_enter


def test_pull_requests_may_enter_the_environments_of_previews_and_those_that_read() -> None:
    entered = {name for name in ENVIRONMENTS if may_enter("refs/pull/7/merge", name)}
    assert entered == {"preview", "preview-teardown", "preview-read", "dev-read", "prod-read"}
    assert all(may_enter("refs/heads/main", name) for name in ENVIRONMENTS)
