"""The one place that opens an AWS session."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.environment import Environment
from infra.errors import UsageError
from infra.project import EXAMPLE_OWNER


def open_session(environment: Environment) -> boto3.Session:
    """Open a session in the environment's region, on the caller's credentials.

    Raises:
        UsageError: there are no usable credentials, they belong to another account than the environment's, or nobody
            has said yet whose repository this is.
    """
    if environment.project.repository.is_example and not _is_example(environment.account):
        raise UsageError(
            f"project.toml: repository.owner = {EXAMPLE_OWNER!r}: {EXAMPLE_OWNER} is the example; say there whose "
            f"repository this is before anything touches account {environment.account}"
        )
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


def _is_example(account: str) -> bool:
    """Tell whether an account is of the examples, which nobody has: one digit, twelve times."""
    return len(set(account)) == 1
