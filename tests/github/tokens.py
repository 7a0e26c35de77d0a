"""Tokens as GitHub Actions issues them to jobs, but for their signature, which the local AWS does not check."""

import base64
import json
from zlib import crc32

from infra.project import Repository

Claims = dict[str, str]


def claims(  # noqa: PLR0913 - as many facts as there are
    repository: Repository,
    *,
    event: str,
    ref: str,
    workflow: str,
    environment: str = "",
    audience: str = "sts.amazonaws.com",
    actor: str = "somebody",
    sha: str = "0" * 40,
) -> Claims:
    """Return the claims of a job's token: they follow from event, ref, environment and workflow file.

    Args:
        repository: whose workflow it is.
        event: the name of what its run is for.
        ref: what its run is of.
        workflow: the name of the file that the job stands in, which may be one that another calls.
        environment: its GitHub environment, or an empty text.
        audience: what the job asked for.
        actor: who made it happen.
        sha: the commit that it runs on.
    """
    owner_id, repository_id = ids(repository)
    owner, name = repository.owner, repository.name
    if repository.subject_has_ids:
        owner, name = f"{owner}@{owner_id}", f"{name}@{repository_id}"
    by_event = "pull_request" if event == "pull_request" else f"ref:{ref}"
    found = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": audience,
        "sub": f"repo:{owner}/{name}:" + (f"environment:{environment}" if environment else by_event),
        "repository": repository.full_name,
        "repository_id": repository_id,
        "repository_owner": repository.owner,
        "repository_owner_id": owner_id,
        "ref": ref,
        "sha": sha,
        "job_workflow_ref": f"{repository.full_name}/.github/workflows/{workflow}@{ref}",
        "event_name": event,
        "actor": actor,
    }
    return found | ({"environment": environment} if environment else {})


def ids(repository: Repository) -> tuple[str, str]:
    """Return the ids of an owner and a repository as tokens have them: some, also where project.toml knows none."""
    owner_id = repository.owner_id or crc32(repository.owner.encode())
    return str(owner_id), str(repository.id or crc32(repository.full_name.encode()))


def encode(claims: Claims) -> str:
    """Write claims as a token."""
    parts = [json.dumps({"alg": "none"}), json.dumps(claims | {"exp": 4_000_000_000}), "unsigned"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
