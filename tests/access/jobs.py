"""Jobs that are meant to assume roles, and the sessions that they get."""

from functools import cache
from typing import TYPE_CHECKING

import boto3

from infra.local.aws import LocalAws
from infra.policies.purposes import Purpose
from infra.repository import Repository
from tests.github.tokens import Claims, claims, encode

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

MAIN = "refs/heads/main"
PULL_REQUEST = "refs/pull/7/merge"
WORKFLOWS: dict[Purpose, str] = {
    "deploy": "environment.yml",
    "read": "diff.yml",
    "drift": "drift.yml",
    "prune": "prune.yml",
    "teardown": "remove.yml",
}
# The roles that jobs of pull requests assume; all others are main's own.
OF_PULL_REQUESTS: set[tuple[str, Purpose]] = {
    ("dev", "read"),
    ("preview", "deploy"),
    ("preview", "read"),
    ("preview", "teardown"),
    ("prod", "read"),
}


def issued(environment: str, purpose: Purpose, repository: Repository) -> Claims:
    """Return the claims of the job that is meant to assume the role of a purpose in an environment."""
    by_pull_request = (environment, purpose) in OF_PULL_REQUESTS
    return claims(
        repository,
        event="pull_request" if by_pull_request else "push",
        ref=PULL_REQUEST if by_pull_request else MAIN,
        workflow=WORKFLOWS[purpose],
        environment=environment if purpose == "deploy" else f"{environment}-{purpose}",
    )


def assume(aws: LocalAws, role: str, claims: Claims) -> dict[str, str]:
    """Assume a role as aws-actions/configure-aws-credentials does, and return the environment variables it sets."""
    credentials = _anonymous(aws).assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="gha-1", WebIdentityToken=encode(claims)
    )["Credentials"]
    return _variables(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])


def assume_further(aws: LocalAws, variables: dict[str, str], role: str) -> dict[str, str]:
    """Assume another role with the credentials of the first, as the CDK CLI does."""
    credentials = session(aws, variables).client("sts").assume_role(RoleArn=role, RoleSessionName="cdk")["Credentials"]
    return _variables(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])


def session(aws: LocalAws, variables: dict[str, str]) -> boto3.Session:
    key, secret, token = (variables[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    return aws.session_with(key, secret, token, "eu-west-1")


@cache
def _anonymous(aws: LocalAws) -> "STSClient":
    return aws.session_with("", "", None, "eu-west-1").client("sts")


def _variables(key: str, secret: str, token: str) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}
