"""What of a deployment to a local AWS is left out, and which AWS it sees."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra import naming
from infra.aws.target import Target
from infra.environment import load
from infra.errors import CommandError
from infra.local.aws import LocalAws, RunningAws
from infra.local.built import Built, build
from infra.local.deployment import PREPARED, is_prepared, prepare, prepare_new, using
from infra.pipeline import access
from infra.project import LOCAL
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


@pytest.fixture
def built(request: pytest.FixtureRequest) -> Built:
    """What this checkout deploys to a local AWS."""
    request.getfixturevalue("installed_dependencies")
    return build(load(LOCAL))


def described(target: Target) -> dict[str, Any]:
    """Return what CloudFormation tells of each stack: its parameters, tags, outputs and resources."""
    found: dict[str, Any] = {}
    for name in target.stacks.names():
        if stack := target.stacks.find(name):
            given = {each["ParameterKey"]: each["ParameterValue"] for each in stack.described["Parameters"]}
            made = {each["LogicalResourceId"]: each["ResourceType"] for each in target.stacks.resources(name)}
            found[name] = stack.status, given, stack.tags, stack.outputs, made
    return found


def test_a_new_account_is_prepared_as_the_commands_prepare_it(built: Built, tmp_path: Path) -> None:
    environment = load(LOCAL)
    with LocalAws.start(tmp_path / "new") as aws, using(aws, environment) as target:
        prepare_new(target, built)
        new = described(target)
    with LocalAws.start(tmp_path / "commands") as aws, using(aws, environment) as target:
        access.deploy(target, built.access)
        # By the commands, since one of the stacks is there.
        prepare(target, built, aws)
        assert is_prepared(target, built.preparation(), aws)
        assert new == described(target)


def test_what_can_not_be_prepared_is_told(built: Built, tmp_path: Path) -> None:
    resources = built.bootstrap["Resources"] | {"Wrong": {"Type": "Custom::Wrong", "Properties": {}}}
    wrong = replace(built, bootstrap=built.bootstrap | {"Resources": resources})
    with LocalAws.start(tmp_path) as aws, using(aws, load(LOCAL)) as target:
        with pytest.raises(CommandError, match=r"(?s)could not be made.*Wrong"):
            prepare(target, wrong, aws)
        assert not is_prepared(target, wrong.preparation(), aws)
