"""The one place that opens an AWS session."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.environment import Environment
from infra.errors import UsageError


def open_session(environment: Environment) -> boto3.Session:
    """Open a session in the environment's region, on the caller's credentials.

    Raises:
        UsageError: there are no usable credentials, or they belong to another account than the environment's.
    """
    try:
        session = boto3.Session(region_name=environment.region)
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise UsageError(f"{environment.name}: no usable AWS credentials: {error}") from error
    if account != environment.account:
        raise UsageError(
            f"{environment.name}: these credentials are of account {account}, "
            f"and environments/{environment.name}.toml says account = {environment.account!r}"
        )
    return session
