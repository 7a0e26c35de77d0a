"""One issue on each topic, opened, updated and closed; whatever somebody else wrote is left alone."""

from copy import deepcopy

import pytest

from infra.console.report import Notice
from infra.errors import CommandError, UsageError
from infra.github import issues
from tests.github.server import serve
from tests.github.state import BOT, State

MARKER = "<!-- infra.pipeline drift dev -->"
FOUND, NOTHING = Notice("drift dev", "dev has drifted", "a log group"), Notice("drift dev", "dev has drifted", None)


def test_an_issue_is_opened_updated_when_it_changes_and_closed_when_nothing_is_left(github: State) -> None:
    address = issues.keep(FOUND)
    (issue,) = github.issues.values()
    assert (issue["title"], issue["body"]) == ("dev has drifted", f"{MARKER}\n\na log group")
    assert issues.keep(FOUND) == address
    assert github.writes == ["POST /issues"]
    assert issues.keep(Notice("drift dev", "dev has drifted", "an alarm")) == address
    assert issue["body"] == f"{MARKER}\n\nan alarm"
    assert issues.keep(NOTHING) is None
    assert issue["state"] == "closed"
    assert [each["body"] for each in github.comments] == ["Nothing is left of this."]
    assert issues.keep(FOUND) not in (None, address)


def test_each_topic_has_an_issue_of_its_own(github: State) -> None:
    issues.keep(FOUND)
    issues.keep(Notice("drift prod", "prod has drifted", "a log group"))
    issues.keep(NOTHING)
    assert [each["state"] for each in github.issues.values()] == ["closed", "open"]


def test_one_issue_is_found_among_many(github: State) -> None:
    issues.keep(FOUND)
    for _ in range(101):
        github.add_issue("something else")
    issues.keep(FOUND)
    assert github.writes == ["POST /issues"]


def test_another_issue_is_neither_rewritten_nor_closed(github: State) -> None:
    for author, body in (
        ("ada", f"{MARKER}\n\nmine"),
        ("dependabot[bot]", f"{MARKER}\n\nmine"),
        (BOT, f"it says {MARKER}"),
        (BOT, None),
    ):
        github.add_issue(body, author)
    before = deepcopy(github.issues)
    issues.keep(FOUND)
    issues.keep(NOTHING)
    assert {number: github.issues[number] for number in before} == before
    assert github.writes == ["POST /issues", "POST /issues/5/comments", "PATCH /issues/5"]


def test_a_repository_without_issues_is_an_error(github: State) -> None:
    github.has_issues = False
    with pytest.raises(CommandError, match=r"GitHub could not be asked for the issue on drift dev.*disabled"):
        issues.keep(FOUND)


@pytest.mark.usefixtures("github")
def test_where_github_can_not_be_asked_that_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(State()) as gone:
        pass
    monkeypatch.setenv("GITHUB_API_URL", gone.url)
    with pytest.raises(CommandError, match="GitHub could not be asked for the issue on drift dev"):
        issues.keep(FOUND)


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_API_URL", "GITHUB_REPOSITORY"])
def test_outside_a_workflow_the_missing_variable_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")
    with pytest.raises(UsageError, match=f"{name} is not set"):
        issues.keep(FOUND)
