"""Asks the token endpoint for a token, and assumes the role with it, as the job that this runs in."""

import json
import os
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError


class RefusedError(Exception):
    """The role was not assumed; the message says why."""


def main() -> int:
    """Leave the credentials to the job's next steps; 1 when they were refused."""
    try:
        variables = credentials(os.environ["ROLE"], os.environ["SESSION"], os.environ["REGION"])
        check_account(variables, os.environ["ACCOUNTS"].split(","))
    except RefusedError as error:
        print(f"::error::{error}")
        return 1
    with Path(os.environ["GITHUB_ENV"]).open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in variables.items())
    print(f"Assumed {os.environ['ROLE']}")
    return 0


def credentials(role: str, session_name: str, region: str) -> dict[str, str]:
    """Return the environment variables of the role's credentials, masked in whatever is printed from here on."""
    client = boto3.client("sts", region_name=region, config=Config(signature_version=UNSIGNED))
    try:
        answer = client.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName=session_name, WebIdentityToken=token()
        )
    except ClientError as error:
        reason = error.response["Error"].get("Message")
        raise RefusedError(f"AWS does not give this job {role.rpartition('/')[2]}: {reason}") from error
    found = answer["Credentials"]
    secrets = {"AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"], "AWS_SESSION_TOKEN": found["SessionToken"]}
    for secret in secrets.values():
        print(f"::add-mask::{secret}")
    plain = {"AWS_ACCESS_KEY_ID": found["AccessKeyId"], "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    return plain | secrets


def token() -> str:
    """Return the job's token; GitHub gives a job without the permission no address to ask at."""
    try:
        url, bearer = (os.environ[f"ACTIONS_ID_TOKEN_REQUEST_{name}"] for name in ("URL", "TOKEN"))
    except KeyError as error:
        raise RefusedError("this job may not ask for a token: it lacks the permission id-token: write") from error
    request = Request(f"{url}&audience=sts.amazonaws.com", headers={"Authorization": f"Bearer {bearer}"})  # noqa: S310
    with urlopen(request) as response:  # noqa: S310 - the address of the harness
        return json.load(response)["value"]


def check_account(variables: dict[str, str], allowed: list[str]) -> None:
    """Refuse credentials of an account that was not named."""
    client = boto3.client(
        "sts",
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables["AWS_SESSION_TOKEN"],
    )
    account = client.get_caller_identity()["Account"]
    if account not in allowed:
        raise RefusedError(f"the credentials are of account {account}, and allowed are {', '.join(allowed)}")


if __name__ == "__main__":
    sys.exit(main())
