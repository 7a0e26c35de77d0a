"""What of a deployment to a local AWS is left out, and which AWS it sees."""

import os
from pathlib import Path

import boto3
import pytest

from infra import naming
from infra.local.aws import LocalAws, RunningAws
from infra.local.deployment import PREPARED, is_prepared, using
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV

STACKS = (naming.access_stack(DEV), naming.toolkit_stack(DEV))


def test_this_process_sees_it_for_as_long_as_it_is_used(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-a-real-account")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    before = dict(os.environ)
    with using(local_aws, DEV) as on:
        accounts = [each.client("sts").get_caller_identity()["Account"] for each in (boto3.Session(), on.session)]
    assert accounts == [DEV.account, DEV.account]
    assert dict(os.environ) == before


def prepared(tmp_path: Path, preparation: str, *stacks: str) -> bool:
    aws = FakeAws()
    for name in stacks:
        aws.formation.stack(name, {})
    return is_prepared(target(aws, DEV), preparation, RunningAws("", tmp_path, tmp_path / "log"))


def test_an_account_is_prepared_once(tmp_path: Path) -> None:
    assert not prepared(tmp_path, "templates", *STACKS)
    (tmp_path / PREPARED).write_text("templates")
    assert prepared(tmp_path, "templates", *STACKS)


def test_it_is_prepared_again_with_other_templates(tmp_path: Path) -> None:
    (tmp_path / PREPARED).write_text("templates")
    assert not prepared(tmp_path, "other templates", *STACKS)


@pytest.mark.parametrize("left", STACKS)
def test_it_is_prepared_again_when_somebody_removed_a_stack(left: str, tmp_path: Path) -> None:
    (tmp_path / PREPARED).write_text("templates")
    assert not prepared(tmp_path, "templates", left)
