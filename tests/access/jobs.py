"""Jobs that are meant to assume roles, and the sessions that they get."""

from functools import cache
from typing import TYPE_CHECKING

import boto3

from infra.environment import Environment
from infra.local.aws import LocalAws
from infra.policies.purposes import Purpose
from tests.github.tokens import Claims, claims, encode
from tests.infra.fakes.environments import REGION

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


def issued(environment: Environment, purpose: Purpose) -> Claims:
    """Return the claims of the job that is meant to assume the role of a purpose in an environment."""
    of_preview = environment.hosts_previews and purpose in ("deploy", "teardown")
    by_pull_request = of_preview or purpose == "read"
    return claims(
        environment.project.repository,
        event="pull_request" if by_pull_request else "push",
        ref=PULL_REQUEST if by_pull_request else MAIN,
        workflow=WORKFLOWS[purpose],
        environment=environment.name if purpose == "deploy" else f"{environment.name}-{purpose}",
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


def session(aws: LocalAws, variables: dict[str, str], region: str = REGION) -> boto3.Session:
    key, secret, token = (variables[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    return aws.session_with(key, secret, token, region)


@cache
def _anonymous(aws: LocalAws) -> "STSClient":
    return aws.session_with("", "", None, REGION).client("sts")


def _variables(key: str, secret: str, token: str) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}
