"""GitHub's API, with the token and for the repository that a workflow's job has in its environment."""

import os

from github import Auth, Github
from github.Issue import Issue
from github.PullRequest import PullRequest
from github.Repository import Repository

from infra.pipeline.errors import UsageError


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
        GithubException: GitHub can't be asked, or has no such pull request.
    """
    return _repository(lazy=False).get_pull(number)


def _repository(*, lazy: bool) -> Repository:
    token = Auth.Token(_variable("GITHUB_TOKEN"))
    client = Github(base_url=_variable("GITHUB_API_URL"), auth=token, lazy=lazy)
    return client.get_repo(_variable("GITHUB_REPOSITORY"))


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"{name} is not set; a workflow's job has it")
    return value
