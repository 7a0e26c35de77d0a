"""Pull requests: their state, what they change, and our one comment on each."""

from github.GithubException import UnknownObjectException

from infra.errors import CommandError
from infra.github.client import asking, is_ours, repository


class UnknownPullRequestError(CommandError):
    """GitHub has no pull request of that number."""


def state(number: int) -> str:
    """Ask GitHub for the state of a pull request: open or closed.

    Raises:
        UsageError: a variable is missing.
        UnknownPullRequestError: GitHub has none of that number.
        CommandError: GitHub can't be asked.
    """
    with asking(f"pull request {number}"):
        try:
            return repository().get_pull(number).state
        except UnknownObjectException as error:
            raise UnknownPullRequestError(f"GitHub has no pull request {number}") from error


def changed_files(number: int) -> list[str]:
    """Ask GitHub which files a pull request changes.

    Raises:
        UsageError: a variable is missing.
        CommandError: GitHub can't be asked.
    """
    with asking(f"the files of pull request {number}"):
        return [file.filename for file in repository().get_pull(number).get_files()]


def keep_comment(number: int, marker: str, body: str) -> str:
    """Update our comment on a pull request, or make it, and return its address.

    Raises:
        UsageError: a variable is missing.
        CommandError: GitHub can't be asked.
    """
    with asking(f"the comments of pull request {number}"):
        issue = repository().get_issue(number)
        for comment in issue.get_comments():
            if is_ours(comment.user, comment.body, marker):
                comment.edit(body)
                return comment.html_url
        return issue.create_comment(body).html_url
