"""GitHub's API, with the token and for the repository that a workflow's job has in its environment."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from github import Auth, Github
from github.GithubException import GithubException, UnknownObjectException
from github.Issue import Issue
from github.PullRequest import PullRequest
from github.Repository import Repository
from requests import RequestException

from infra.errors import CommandError, UsageError


@contextmanager
def asking(what: str) -> Generator[None]:
    """Let a refusal of GitHub, or its silence, be the error of a command.

    Raises:
        CommandError: GitHub can't be asked, or refuses.
    """
    try:
        yield
    # What PyGithub raises when GitHub refuses, and what its HTTP library does when there is no answer.
    except (GithubException, RequestException) as error:
        raise CommandError(f"GitHub could not be asked for {what}: {error}") from error


def issue(number: int) -> Issue:
    """Return a pull request as the issue that it is as well, for its comments. Nothing is asked of GitHub yet.

    Raises:
        UsageError: a variable is missing.
    """
    return _repository(lazy=True).get_issue(number)


def pull_request(number: int) -> PullRequest:
    """Ask GitHub for a pull request.

    Raises:
        UsageError: a variable is missing.
        UnknownPullRequestError: GitHub has none of that number.
        CommandError: GitHub can't be asked.
    """
    with asking(f"pull request {number}"):
        repository = _repository(lazy=False)
        try:
            return repository.get_pull(number)
        except UnknownObjectException as error:
            raise UnknownPullRequestError(f"GitHub has no pull request {number}") from error


class UnknownPullRequestError(CommandError):
    """GitHub has no pull request of that number."""


def changed_files(number: int) -> list[str]:
    """Ask GitHub which files a pull request changes.

    Raises:
        UsageError: a variable is missing.
        CommandError: GitHub can't be asked.
    """
    with asking(f"the files of pull request {number}"):
        return [file.filename for file in _repository(lazy=True).get_pull(number).get_files()]


def keep_issue(topic: str, title: str, body: str | None) -> str | None:
    """Keep one issue on a topic: open it or update it, and close it when there is nothing to say any more.

    Args:
        topic: what it is known by when it is looked for: a comment that GitHub does not show.
        title: the title of a new one.
        body: Markdown, or None for nothing.

    Returns:
        The address of the issue that is open now, if any.

    Raises:
        UsageError: a variable is missing.
        CommandError: GitHub can't be asked.
    """
    marker = f"<!-- orders {topic} -->"
    with asking(f"the issue on {topic}"):
        repository = _repository(lazy=False)
        # Anybody may write the marker; only what the token's own user wrote is ours to update.
        found = [each for each in repository.get_issues(state="open") if _is_ours(each, marker)]
        if body is None:
            return _close(found)
        text = f"{marker}\n\n{body}"
        if not found:
            return repository.create_issue(title=title, body=text).html_url
        if found[0].body != text:
            found[0].edit(body=text)
        return found[0].html_url


def _close(issues: list[Issue]) -> None:
    for issue in issues:
        issue.create_comment("Nothing is left of this.")
        issue.edit(state="closed")


def _is_ours(issue: Issue, marker: str) -> bool:
    return issue.user.type == "Bot" and (issue.body or "").startswith(marker)


def _repository(*, lazy: bool) -> Repository:
    token = Auth.Token(_variable("GITHUB_TOKEN"))
    client = Github(base_url=_variable("GITHUB_API_URL"), auth=token, lazy=lazy)
    return client.get_repo(_variable("GITHUB_REPOSITORY"))


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"{name} is not set; a workflow's job has it")
    return value
