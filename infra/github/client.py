"""The connection to GitHub's API, with the token and for the repository of the workflow's job that this runs in."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from github import Auth, Github
from github.GithubException import GithubException
from github.NamedUser import NamedUser
from github.Organization import Organization
from github.Repository import Repository
from requests import RequestException

from infra.errors import CommandError, UsageError

# Whose token a workflow's job has (GitHub Actions, automatic token authentication). Other apps are bots as well.
OURSELVES = "github-actions[bot]"


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


def repository() -> Repository:
    """Return the repository. GitHub is asked for what is read of it, and not before.

    Raises:
        UsageError: a variable is missing.
    """
    token = Auth.Token(_variable("GITHUB_TOKEN"))
    client = Github(base_url=_variable("GITHUB_API_URL"), auth=token, lazy=True, per_page=100)
    return client.get_repo(_variable("GITHUB_REPOSITORY"))


def is_ours(author: NamedUser | Organization, text: str | None, marker: str) -> bool:
    """Tell whether a comment or an issue is what a workflow of this repository wrote under a marker.

    Anybody may write the marker, and other apps are bots too; what is somebody else's is never changed.
    """
    return author.login == OURSELVES and (text or "").startswith(marker)


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"{name} is not set; a workflow's job has it")
    return value
