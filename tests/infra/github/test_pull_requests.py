"""The state of a pull request, what it changes, and our one comment on it."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.errors import CommandError
from infra.github import pull_requests
from infra.github.pull_requests import UnknownPullRequestError
from tests.infra.pipeline.fake_github import BOT, REFUSED, GitHubState, fake_github

MARKER = "<!-- ours -->"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubState]:
    state = GitHubState({7: "open", 8: "closed", 9: REFUSED}, files=["README.md", "infra/app.py"])
    with fake_github(monkeypatch, state) as github:
        yield github


@pytest.mark.usefixtures("github")
def test_the_state_is_githubs() -> None:
    assert [pull_requests.state(number) for number in (7, 8)] == ["open", "closed"]


@pytest.mark.usefixtures("github")
def test_that_there_is_none_is_told_from_no_answer() -> None:
    with pytest.raises(UnknownPullRequestError, match="no pull request 10"):
        pull_requests.state(10)
    with pytest.raises(CommandError, match="could not be asked for pull request 9") as refused:
        pull_requests.state(9)
    assert not isinstance(refused.value, UnknownPullRequestError)


@pytest.mark.usefixtures("github")
def test_the_files_that_it_changes_are_githubs() -> None:
    assert pull_requests.changed_files(7) == ["README.md", "infra/app.py"]


def test_our_comment_is_made_once_and_updated_from_then_on(github: GitHubState) -> None:
    for version in ("1", "2"):
        assert pull_requests.keep_comment(7, MARKER, f"{MARKER} version {version}") == "made"
    assert [each["body"] for each in github.comments] == [f"{MARKER} version 2"]
    assert github.writes[0] == "POST /issues/7/comments"
    assert len(github.writes) == 2


@pytest.mark.parametrize(
    ("user", "body"),
    [
        ({"type": "User", "login": "ada"}, f"{MARKER} mine"),
        ({"type": "Bot", "login": "dependabot[bot]"}, f"{MARKER} mine"),
        (BOT, f"it says {MARKER}"),
    ],
    ids=["a person's", "another bot's", "of ours on something else"],
)
def test_another_comment_is_not_rewritten(user: dict[str, Any], body: str, github: GitHubState) -> None:
    other = {"id": 1, "user": user, "html_url": "other", "body": body}
    github.comments.append(other)
    pull_requests.keep_comment(7, MARKER, f"{MARKER} version 1")
    assert other["body"] == body
    assert len(github.comments) == 2
    assert github.comments[1]["body"] == f"{MARKER} version 1"
