"""Tokens as GitHub Actions issues them, but for their signature, which the local AWS does not check."""

import base64
import json
from functools import cache
from typing import TYPE_CHECKING

import boto3

from infra.environment import load
from infra.local.aws import LocalAws
from infra.naming import Purpose

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

Claims = dict[str, str]

REPOSITORY = {
    "repository": "example-org/orders",
    "repository_id": "2002",
    "repository_owner": "example-org",
    "repository_owner_id": "1001",
}
WORKFLOWS = "example-org/orders/.github/workflows"
MAIN = "refs/heads/main"
PULL_REQUEST = "refs/pull/7/merge"


def issued(environment: str, purpose: Purpose) -> Claims:
    """Return the claims of the job that is meant to assume the role of a purpose in an environment."""
    by_pull_request = environment == "preview" or purpose == "read"
    ref = PULL_REQUEST if by_pull_request else MAIN
    workflow = {
        "deploy": "environment.yml",
        "read": "pull-request.yml",
        "prune": "prune.yml",
        "teardown": "remove.yml",
    }[purpose]
    name = environment if purpose == "deploy" else f"{environment}-{purpose}"
    return REPOSITORY | {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "sts.amazonaws.com",
        "sub": f"repo:example-org@1001/orders@2002:environment:{name}",
        "environment": name,
        "ref": ref,
        "job_workflow_ref": f"{WORKFLOWS}/{workflow}@{ref}",
        "event_name": "pull_request" if by_pull_request else "push",
        "actor": "somebody",
        "actor_id": "3003",
        "workflow": "Deploy",
    }


def role_arn(environment: str, purpose: Purpose) -> str:
    return f"arn:aws:iam::{load(environment).account}:role/orders-{environment}-{purpose}"


def encode(claims: Claims) -> str:
    """Write claims as a token."""
    parts = [json.dumps({"alg": "none"}), json.dumps(claims | {"exp": 4_000_000_000}), "unsigned"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


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
