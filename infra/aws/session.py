"""The one place that opens an AWS session."""

import os

import boto3
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.project import EXAMPLE_OWNER

# What lets boto3 reach AWS in another way than its own.
WAYS = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS")


def open_session(environment: Environment) -> boto3.Session:
    """Open a session in the environment's region, on the caller's credentials.

    Raises:
        UsageError: there are no usable credentials, they belong to another account than the environment's, or nobody
            has said yet whose repository this is.
        CommandError: AWS can't be reached, so nobody knows whether there are.
    """
    if environment.project.repository.is_example and not _is_example(environment.account):
        raise UsageError(
            f"project.toml: repository.owner = {EXAMPLE_OWNER!r}: {EXAMPLE_OWNER} is the example; say there whose "
            f"repository this is before anything touches account {environment.account}"
        )
    try:
        session = boto3.Session(region_name=environment.region)
        account = session.client("sts").get_caller_identity()["Account"]
    except (NoConnectionError, HTTPClientError) as error:
        # By their names alone: an address of a proxy may hold a password.
        ways = "".join(f"; {name} is set" for name in WAYS if os.environ.get(name))
        raise CommandError(f"{environment.name}: AWS can't be reached: {error}{ways}") from error
    except (BotoCoreError, ClientError) as error:
        raise UsageError(
            f"{environment.name}: no usable AWS credentials: {error}\n"
            f"Give those of account {environment.account}: `aws sso login` or `aws configure`, with `export "
            "AWS_PROFILE=...` where they are a profile's; those of the local AWS are what `make local` prints"
        ) from error
    if account != environment.account:
        raise UsageError(
            f"{environment.name}: these credentials are of account {account}, "
            f"and environments/{environment.name}.toml says account = {environment.account!r}"
        )
    return session


def _is_example(account: str) -> bool:
    """Tell whether an account is of the examples, which nobody has: one digit, twelve times."""
    return len(set(account)) == 1
