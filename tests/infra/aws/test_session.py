"""The account check that stands before everything that touches an account."""

from unittest.mock import Mock

import pytest
from botocore.exceptions import NoCredentialsError

from infra.aws import session as module
from infra.aws.session import open_session
from infra.environment import load
from infra.errors import UsageError


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Mock:
    opened = Mock()
    monkeypatch.setattr(module.boto3, "Session", opened)
    return opened.return_value.client.return_value.get_caller_identity


def test_credentials_of_the_environment_s_account_open_a_session(identity: Mock) -> None:
    identity.return_value = {"Account": "111111111111"}
    assert open_session(load("dev")) is module.boto3.Session.return_value  # type: ignore[attr-defined] - it is a mock


def test_credentials_of_another_account_are_refused(identity: Mock) -> None:
    identity.return_value = {"Account": "222222222222"}
    with pytest.raises(
        UsageError, match=r"account 222222222222, and environments/dev.toml says account = '111111111111'"
    ):
        open_session(load("dev"))


def test_missing_credentials_are_told_of(identity: Mock) -> None:
    identity.side_effect = NoCredentialsError()
    with pytest.raises(UsageError, match="no usable AWS credentials"):
        open_session(load("dev"))
