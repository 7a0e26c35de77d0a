"""The state of a pull request, what it changes, and our one comment on it."""

import pytest

from infra.errors import CommandError
from infra.github import pull_requests
from infra.github.pull_requests import UnknownPullRequestError
from tests.github.state import BOT, State

MARKER = "<!-- ours -->"


def test_the_state_is_githubs(github: State) -> None:
    github.add_pull(7)
    github.add_pull(8, "closed")
    assert [pull_requests.state(number) for number in (7, 8)] == ["open", "closed"]


def test_that_there_is_none_is_told_from_no_answer(github: State) -> None:
    github.refuses["GET /pulls/9"] = 401
    with pytest.raises(UnknownPullRequestError, match="no pull request 10"):
        pull_requests.state(10)
    with pytest.raises(CommandError, match="could not be asked for pull request 9") as refused:
        pull_requests.state(9)
    assert not isinstance(refused.value, UnknownPullRequestError)


def test_the_files_that_it_changes_are_githubs_on_every_page(github: State) -> None:
    files = [f"file-{number}" for number in range(101)]
    github.add_pull(7).files.extend(files)
    assert pull_requests.changed_files(7) == files


def test_our_comment_is_made_once_and_updated_from_then_on(github: State) -> None:
    github.add_pull(7)
    addresses = {pull_requests.keep_comment(7, MARKER, f"{MARKER} version {version}") for version in ("1", "2")}
    (comment,) = github.comments_of(7)
    assert (comment["body"], comment["edits"]) == (f"{MARKER} version 2", 1)
    assert len(addresses) == 1
    assert github.writes == ["POST /issues/7/comments", "PATCH /issues/comments/1"]


@pytest.mark.parametrize(
    ("author", "body"),
    [("ada", f"{MARKER} mine"), ("dependabot[bot]", f"{MARKER} mine"), (BOT, f"it says {MARKER}")],
    ids=["a person's", "another bot's", "of ours on something else"],
)
def test_another_comment_is_not_rewritten(author: str, body: str, github: State) -> None:
    github.add_pull(7)
    github.add_comment(7, body, author)
    pull_requests.keep_comment(7, MARKER, f"{MARKER} version 1")
    other, ours = github.comments_of(7)
    assert (other["body"], other["edits"]) == (body, 0)
    assert ours["body"] == f"{MARKER} version 1"
