"""The part of GitHub's API that the jobs use, asked as they ask it."""

from collections.abc import Iterator

import pytest
from github import Auth, Github
from github.GithubException import GithubException
from github.Repository import Repository

from tests.rehearsal.events import REPOSITORY, Pull
from tests.rehearsal.server import State, serve


@pytest.fixture
def state() -> State:
    return State(pulls={1: Pull(1, "branch-1", "1" * 40, "A change")}, last=1)


@pytest.fixture
def url(state: State) -> Iterator[str]:
    with serve(state):
        yield state.url


def repository(url: str, permissions: str) -> Repository:
    client = Github(base_url=url, auth=Auth.Token(permissions), retry=None)
    return client.get_repo(REPOSITORY.full_name)


def test_an_issue_is_opened_found_edited_commented_on_and_closed(url: str) -> None:
    found = repository(url, "issues=write")
    issue = found.create_issue(title="Drift", body="of dev", labels=["drift"])
    assert issue.number == 2
    issue.edit(body="of dev and prod")
    issue.create_comment("It goes on.")
    (open_one,) = found.get_issues(state="open", labels=["drift"])
    assert (open_one.body, open_one.user.type) == ("of dev and prod", "Bot")
    assert [comment.body for comment in open_one.get_comments()] == ["It goes on."]
    open_one.edit(state="closed")
    assert list(found.get_issues(state="open")) == []


def test_a_comment_on_a_pull_request_is_edited_in_place(url: str, state: State) -> None:
    repository(url, "pull-requests=write").get_pull(1).create_issue_comment("first").edit("second")
    assert [(comment["body"], comment["edits"]) for comment in state.comments_of(1)] == [("second", 1)]


def test_open_pull_requests_are_listed(url: str, state: State) -> None:
    state.pulls[2] = Pull(2, "branch-2", "2" * 40, "Done", state="closed")
    assert [pull.number for pull in repository(url, "pull-requests=read").get_pulls(state="open")] == [1]


def test_the_files_that_a_pull_request_changes_are_listed(url: str, state: State) -> None:
    state.pulls[1].files.append("README.md")
    found = repository(url, "pull-requests=read").get_pull(1).get_files()
    assert [file.filename for file in found] == ["README.md"]


def test_a_token_without_the_permission_is_refused(url: str) -> None:
    with pytest.raises(GithubException, match="Resource not accessible"):
        repository(url, "pull-requests=read").get_pull(1).create_issue_comment("no")
    with pytest.raises(GithubException, match="Resource not accessible"):
        repository(url, "contents=read").get_pull(1)


def test_a_pull_request_that_does_not_exist_is_not_found(url: str) -> None:
    with pytest.raises(GithubException, match="404"):
        repository(url, "pull-requests=read").get_pull(9)
