"""The part of GitHub's API that the jobs use, asked as they ask it."""

import pytest
from github import Auth, Github
from github.GithubException import GithubException
from github.Repository import Repository

from tests.github.state import State


def repository(github: State, permissions: str = "issues=write,pull-requests=write") -> Repository:
    client = Github(base_url=github.url, auth=Auth.Token(permissions), retry=None, seconds_between_writes=0)
    return client.get_repo(github.repository)


def test_an_issue_is_opened_found_edited_commented_on_and_closed(github: State) -> None:
    github.add_pull(1)
    found = repository(github, "issues=write")
    issue = found.create_issue(title="Drift", body="of dev", labels=["drift"])
    assert issue.number == 2
    issue.edit(body="of dev and prod")
    issue.create_comment("It goes on.")
    (open_one,) = found.get_issues(state="open", labels=["drift"])
    assert (open_one.body, open_one.user.login) == ("of dev and prod", "github-actions[bot]")
    assert [comment.body for comment in open_one.get_comments()] == ["It goes on."]
    open_one.edit(state="closed")
    assert list(found.get_issues(state="open")) == []
    assert github.writes == ["POST /issues", "PATCH /issues/2", "POST /issues/2/comments", "PATCH /issues/2"]


def test_a_comment_is_edited_in_place_and_another_account_s_is_not(github: State) -> None:
    pull = github.add_pull(7)
    github.add_comment(7, "theirs", author="renovate[bot]")
    ours = repository(github, "pull-requests=write").get_pull(pull.number).create_issue_comment("first")
    ours.edit("second")
    theirs, _ = repository(github).get_pull(7).get_issue_comments()
    assert (theirs.user.login, theirs.user.type) == ("renovate[bot]", "Bot")
    with pytest.raises(GithubException, match="somebody else wrote it"):
        theirs.edit("ours")
    assert [(each["body"], each["edits"]) for each in github.comments_of(7)] == [("theirs", 0), ("second", 1)]


def test_open_pull_requests_and_the_files_of_each_are_listed(github: State) -> None:
    github.add_pull(1).files.append("README.md")
    github.add_pull(2, "closed")
    (found,) = repository(github, "pull-requests=read").get_pulls(state="open")
    assert [file.filename for file in found.get_files()] == ["README.md"]


def test_a_long_list_comes_in_pages_the_newest_first(github: State) -> None:
    numbers = [github.add_issue(f"issue {count}")["number"] for count in range(31)]
    assert [issue.number for issue in repository(github).get_issues()] == numbers[::-1]
    assert len(repository(github).get_issues().get_page(0)) == 30


def test_a_token_without_the_permission_is_refused(github: State) -> None:
    github.add_pull(1)
    with pytest.raises(GithubException, match="Resource not accessible"):
        repository(github, "pull-requests=read").get_pull(1).create_issue_comment("no")
    with pytest.raises(GithubException, match="Resource not accessible"):
        repository(github, "contents=read").get_pull(1)


def test_what_does_not_exist_is_too_long_or_shall_be_refused_is(github: State) -> None:
    found = repository(github)
    github.refuses["GET /pulls/8"] = 401
    for status, ask in (
        (404, lambda: found.get_pull(9)),
        (401, lambda: found.get_pull(8)),
        (422, lambda: found.create_issue(title="Long", body="x" * 65_537)),
    ):
        with pytest.raises(GithubException) as refused:
            ask()
        assert refused.value.status == status


def test_without_issues_there_is_still_a_comment_on_a_pull_request(github: State) -> None:
    github.add_pull(7)
    github.has_issues = False
    with pytest.raises(GithubException, match="410"):
        repository(github).create_issue(title="Drift")
    assert repository(github).get_pull(7).create_issue_comment("It works.").body == "It works."
