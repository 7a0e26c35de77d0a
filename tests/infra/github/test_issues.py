"""One issue on each topic, opened, updated and closed; whatever somebody else wrote is left alone."""

from collections.abc import Iterator
from copy import deepcopy

import pytest

from infra.console.report import Notice
from infra.errors import CommandError, UsageError
from infra.github import issues
from tests.infra.pipeline.fake_github import BOT, GitHubState, fake_github

MARKER = "<!-- orders drift dev -->"
FOUND, NOTHING = Notice("drift dev", "dev has drifted", "a log group"), Notice("drift dev", "dev has drifted", None)


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubState]:
    with fake_github(monkeypatch) as github:
        yield github


def test_an_issue_is_opened_updated_when_it_changes_and_closed_when_nothing_is_left(github: GitHubState) -> None:
    assert issues.keep(FOUND) == "issue 1"
    (issue,) = github.issues
    assert (issue["title"], issue["body"]) == ("dev has drifted", f"{MARKER}\n\na log group")
    assert issues.keep(FOUND) == "issue 1"
    assert github.writes == ["POST /issues"]
    assert issues.keep(Notice("drift dev", "dev has drifted", "an alarm")) == "issue 1"
    assert issue["body"] == f"{MARKER}\n\nan alarm"
    assert issues.keep(NOTHING) is None
    assert issue["state"] == "closed"
    assert [each["body"] for each in github.comments] == ["Nothing is left of this."]
    assert issues.keep(FOUND) == "issue 2"


def test_each_topic_has_an_issue_of_its_own(github: GitHubState) -> None:
    issues.keep(FOUND)
    issues.keep(Notice("drift prod", "prod has drifted", "a log group"))
    issues.keep(NOTHING)
    assert [each["state"] for each in github.issues] == ["closed", "open"]


def test_another_issue_is_neither_rewritten_nor_closed(github: GitHubState) -> None:
    others: list[tuple[dict[str, str], str | None]] = [
        ({"type": "User", "login": "ada"}, f"{MARKER}\n\nmine"),
        ({"type": "Bot", "login": "dependabot[bot]"}, f"{MARKER}\n\nmine"),
        (BOT, f"it says {MARKER}"),
        (BOT, None),
    ]
    for number, (user, body) in enumerate(others, 1):
        github.issues.append({"number": number, "state": "open", "user": user, "body": body, "html_url": "other"})
    before = deepcopy(github.issues)
    issues.keep(FOUND)
    issues.keep(NOTHING)
    assert github.issues[:-1] == before
    assert github.writes == ["POST /issues", "POST /issues/5/comments", "PATCH /issues/5"]


def test_where_github_can_not_be_asked_that_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_github(monkeypatch):
        pass
    with pytest.raises(CommandError, match="GitHub could not be asked for the issue on drift dev"):
        issues.keep(FOUND)


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_API_URL", "GITHUB_REPOSITORY"])
def test_outside_a_workflow_the_missing_variable_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_github(monkeypatch):
        monkeypatch.setenv(name, "")
        with pytest.raises(UsageError, match=f"{name} is not set"):
            issues.keep(FOUND)
