"""The check that stands before everything that touches an account: the right one, in the right region."""

import os
import socket
from pathlib import Path

import boto3
import pytest

from infra.aws import session as module
from infra.aws.session import open_session
from infra.aws.target import Target
from infra.errors import CommandError, UsageError
from infra.project import EXAMPLE_OWNER, Project
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.environments import PROJECT, REPOSITORY, environment

HERE = environment(region="us-east-1", network={"zones": ["us-east-1a"]})


def caller(monkeypatch: pytest.MonkeyPatch, account: str) -> FakeAws:
    """Let somebody call whose credentials are of this account, and whose own region is another."""
    aws = FakeAws(account, HERE.region)

    def opened(region_name: str = "eu-central-1") -> boto3.Session:
        return aws.session(region_name)

    monkeypatch.setattr(module.boto3, "Session", opened)
    return aws


def test_a_session_is_in_the_environments_region_whatever_the_callers_is(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = caller(monkeypatch, HERE.account)
    aws.formation.stack("some-stack", {})
    target = Target(HERE)
    assert target.session.region_name == HERE.region
    assert list(target.stacks.names()) == ["some-stack"]
    assert target.session is target.session
    assert aws.count("GetCallerIdentity") == 1


def test_credentials_of_another_account_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    caller(monkeypatch, "222222222222")
    said = f"account 222222222222, and environments/dev.toml says account = '{HERE.account}'"
    with pytest.raises(UsageError, match=said):
        open_session(HERE)


def test_credentials_that_are_refused_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    caller(monkeypatch, HERE.account).deny("GetCallerIdentity", "ExpiredToken")
    with pytest.raises(UsageError, match=r"dev: no usable AWS credentials: .*ExpiredToken"):
        open_session(HERE)


SSO = """
[profile sso]
sso_start_url = https://acme.example.com/start
sso_region = us-east-1
sso_account_id = 111111111111
sso_role_name = some
"""


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that has one profile, whose owner has not logged in."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (config := tmp_path / "config").write_text(SSO)
    variables = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    for name, value in (variables | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("profile", [None, "unknown", "sso"])
def test_missing_credentials_are_told_of_with_what_gives_them(
    profile: str | None, configured: pytest.MonkeyPatch
) -> None:
    if profile:
        configured.setenv("AWS_PROFILE", profile)
    with pytest.raises(UsageError, match="dev: no usable AWS credentials") as told:
        open_session(HERE)
    for remedy in (f"account {HERE.account}", "aws sso login", "aws configure", "AWS_PROFILE", "make local"):
        assert remedy in str(told.value)


@pytest.mark.parametrize("way", ["AWS_ENDPOINT_URL", "HTTPS_PROXY"])
def test_where_aws_can_not_be_reached_nothing_is_said_of_credentials(way: str, configured: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        configured.setenv(name, "some")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        configured.setenv(way, f"http://me:secret@127.0.0.1:{deaf.getsockname()[1]}")
        with pytest.raises(CommandError) as told:
            open_session(HERE)
    assert str(told.value).startswith("dev: AWS can't be reached: ")
    assert str(told.value).endswith(f"; {way} is set")
    assert "credentials" not in str(told.value)


def of_example() -> Project:
    """Return a project in which nobody has said yet whose repository it is."""
    return PROJECT.model_copy(update={"repository": REPOSITORY.model_copy(update={"owner": EXAMPLE_OWNER})})


def test_the_examples_owner_is_refused_for_a_real_account_before_any_call(monkeypatch: pytest.MonkeyPatch) -> None:
    real = "123456789012"
    aws = caller(monkeypatch, real)
    there = environment(project=of_example(), account=real)
    said = f"project.toml: repository.owner = '{EXAMPLE_OWNER}': {EXAMPLE_OWNER} is the example; say there whose "
    with pytest.raises(UsageError, match=f"{said}repository this is before anything touches account {real}"):
        open_session(there)
    assert aws.calls == []


@pytest.mark.parametrize("account", ["000000000000", "111111111111", "222222222222"])
def test_the_examples_owner_may_have_the_examples_accounts(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = caller(monkeypatch, account)
    there = environment(project=of_example(), account=account, region=HERE.region, network={"zones": ["us-east-1a"]})
    assert open_session(there).region_name == HERE.region
    assert aws.count("GetCallerIdentity") == 1


def test_another_owner_may_have_a_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    real = "123456789012"
    caller(monkeypatch, real)
    there = environment(account=real, region=HERE.region, network={"zones": ["us-east-1a"]})
    assert open_session(there).region_name == HERE.region
