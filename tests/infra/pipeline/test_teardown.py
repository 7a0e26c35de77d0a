"""Every guard of a teardown: what it refuses, before anything is removed."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import WaiterError

from infra import naming
from infra.aws import stack
from infra.aws.stack import describe
from infra.environment import load
from infra.errors import CommandError
from infra.local.aws import LocalAws
from infra.pipeline import drain, teardown
from infra.pipeline.__main__ import main

PREVIEW, DEV = load("preview"), load("dev")
ACCOUNT, REGION = DEV.account, DEV.region
SOON: Any = {"Delay": 0.05}

ROLE = f"arn:aws:iam::{ACCOUNT}:role/some"
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1"}}


def provider(name: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::CapacityProvider",
        "Properties": {
            "CapacityProviderName": name,
            "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            "PermissionsConfig": {"CapacityProviderOperatorRoleArn": ROLE},
        },
    }


def function(name: str, provider: str) -> dict[str, Any]:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:{provider}"
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": ROLE,
            "Code": {"ZipFile": ""},
            "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": arn}},
        },
    }


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("teardown")) as started:
        yield started


@pytest.fixture
def session(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    for key, value in aws.environ(ACCOUNT, REGION).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(stack, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(drain, "SETTLES_WITHIN_SECONDS", 0)
    return aws.session(ACCOUNT, REGION)


@pytest.fixture
def deploy(session: boto3.Session) -> Iterator[Callable[..., None]]:
    """Makes a stack, as small as one can be."""
    client = session.client("cloudformation")
    made: list[str] = []

    def create(name: str, tags: dict[str, str], resource: dict[str, Any], **outputs: Any) -> None:
        template = {"Resources": {"Only": resource}, "Outputs": {key: {"Value": text} for key, text in outputs.items()}}
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        client.create_stack(StackName=name, TemplateBody=json.dumps(template), Tags=cast("Any", listed))
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=SOON)
        made.append(name)

    yield create
    for name in reversed(made):
        client.delete_stack(StackName=name)
        client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=SOON)


@pytest.fixture
def platform(deploy: Callable[..., None]) -> Callable[[str], None]:
    """Makes the platform of an environment."""

    def create(environment: str) -> None:
        name = naming.platform_stack(environment)
        arn = {"Fn::GetAtt": ["Only", "Arn"]}
        deploy(name, naming.tags(environment), provider(name), CapacityProviderArn=arn)

    return create


def nobody(*_: object) -> list[str]:
    """Say that nobody else uses a platform."""
    return []


def refusal(capsys: pytest.CaptureFixture[str], code: int, environment: str, *options: str) -> str:
    """Try a teardown that is refused with this exit code, and return what it says."""
    assert main(["teardown", "--environment", environment, *options]) == code
    return capsys.readouterr().err


@pytest.mark.parametrize("confirmed", ["", "dev", "platform-dev", "orders-prod", "ORDERS-DEV", "orders-dev "])
def test_another_confirmation_than_the_first_stacks_name(
    confirmed: str, session: boto3.Session, deploy: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy("orders-dev", naming.tags("dev"), PARAMETER)
    assert "takes --confirm orders-dev" in refusal(capsys, 2, "dev", "--confirm", confirmed)
    assert describe(session, "orders-dev")


def test_an_environment_that_has_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert "staging" in refusal(capsys, 2, "staging", "--confirm", "orders-staging")


def test_credentials_of_another_account(
    aws: LocalAws, session: boto3.Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert session
    for key, value in aws.environ("222222222222", REGION).items():
        monkeypatch.setenv(key, value)
    assert "of account 222222222222" in refusal(capsys, 2, "dev", "--confirm", "orders-dev")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_workflow_of_another_branch(
    environment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/feature")
    said = refusal(capsys, 2, environment, "--confirm", f"orders-{environment}")
    assert f"{environment} is removed by a workflow of refs/heads/main alone" in said


def test_a_pull_request_where_there_are_no_previews(capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, 2, "dev", "--pull-request", "7", "--confirm", "orders-pr-7")
    assert "preview_days in environments/dev.toml" in said


def test_termination_protection_of_either_stack(
    session: boto3.Session, deploy: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy("orders-dev", naming.tags("dev"), PARAMETER)
    client = session.client("cloudformation")
    client.update_termination_protection(StackName="orders-dev", EnableTerminationProtection=True)
    said = refusal(capsys, 1, "dev", "--confirm", "orders-dev")
    assert "orders-dev has termination protection: set protection.termination_protection = false in" in said
    assert describe(session, "orders-dev")
    client.update_termination_protection(StackName="orders-dev", EnableTerminationProtection=False)


def test_a_platform_that_a_preview_uses(
    session: boto3.Session,
    deploy: Callable[..., None],
    platform: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform("preview")
    deploy("orders-pr-7", naming.tags("preview", 7), function("orders-pr-7", "platform-preview"))
    said = refusal(capsys, 1, "preview", "--confirm", "platform-preview")
    assert "platform-preview is used by orders-pr-7; remove that first" in said
    assert describe(session, "platform-preview")


def test_a_platform_whose_preview_has_no_function_yet(
    deploy: Callable[..., None], platform: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    platform("preview")
    deploy("orders-pr-8", naming.tags("preview", 8), PARAMETER)
    assert "used by orders-pr-8" in refusal(capsys, 1, "preview", "--confirm", "platform-preview")


def test_a_platform_that_a_function_of_somebody_else_uses_keeps_the_orders_stack_as_well(
    session: boto3.Session,
    deploy: Callable[..., None],
    platform: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform("dev")
    deploy("orders-dev", naming.tags("dev"), function("orders-dev", "platform-dev"))
    deploy("guest", {}, function("guest", "platform-dev"))
    assert "platform-dev is used by guest" in refusal(capsys, 1, "dev", "--confirm", "orders-dev")
    assert describe(session, "orders-dev")
    session.client("cloudformation").delete_stack(StackName="guest")
    assert main(["teardown", "--environment", "dev", "--confirm", "orders-dev"]) == 0
    assert not describe(session, "platform-dev")


def test_a_platform_whose_capacity_provider_is_gone_already(
    session: boto3.Session, deploy: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    gone = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:gone"
    deploy("platform-dev", naming.tags("dev"), PARAMETER, CapacityProviderArn=gone)
    assert main(["teardown", "--environment", "dev", "--confirm", "orders-dev"]) == 0
    assert not describe(session, "platform-dev")
    assert "platform-dev gone" in capsys.readouterr().out


def test_a_function_that_could_not_be_deleted_is_said_to_be_closed(
    session: boto3.Session,
    deploy: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deploy("orders-dev", naming.tags("dev"), PARAMETER)
    monkeypatch.setattr(teardown, "is_closed", Mock(return_value=True))
    monkeypatch.setattr(teardown, "delete", Mock(side_effect=CommandError("it could not be deleted")))
    said = refusal(capsys, 1, "dev", "--confirm", "orders-dev")
    assert "it could not be deleted" in said
    assert "`drain --open`" in said
    assert describe(session, "orders-dev")


def test_a_platform_that_somebody_begins_to_use_meanwhile(
    session: boto3.Session,
    deploy: Callable[..., None],
    platform: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform("dev")
    deploy("orders-dev", naming.tags("dev"), function("orders-dev", "platform-dev"))
    monkeypatch.setattr(teardown, "_users", Mock(side_effect=[[], ["platform-dev is used by guest"]]))
    assert "platform-dev is used by guest" in refusal(capsys, 1, "dev", "--confirm", "orders-dev")
    assert not describe(session, "orders-dev")
    assert describe(session, "platform-dev")


def test_a_stack_that_somebody_deploys(
    session: boto3.Session,
    deploy: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deploy("orders-dev", naming.tags("dev"), PARAMETER)
    found = describe(session, "orders-dev")
    assert found
    changing = {**found, "StackStatus": "UPDATE_IN_PROGRESS"}
    monkeypatch.setattr(teardown, "describe", Mock(side_effect=[changing, None]))
    assert "orders-dev is UPDATE_IN_PROGRESS" in refusal(capsys, 1, "dev", "--confirm", "orders-dev")
    assert describe(session, "orders-dev")


@pytest.mark.parametrize("tags", [{}, naming.tags("prod"), {"environment": "dev"}])
def test_a_stack_of_that_name_that_is_not_ours(
    tags: dict[str, str], session: boto3.Session, deploy: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy("orders-dev", tags, PARAMETER)
    assert "orders-dev was not made by this project" in refusal(capsys, 1, "dev", "--confirm", "orders-dev")
    assert describe(session, "orders-dev")


def test_a_stack_that_failed_to_be_made_goes_without_a_drain(
    session: boto3.Session, platform: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    platform("preview")
    client = session.client("cloudformation")
    template = {"Resources": {"OfATakenName": provider("platform-preview")}}
    tags: Any = [{"Key": key, "Value": value} for key, value in naming.tags("dev").items()]
    client.create_stack(StackName="orders-dev", TemplateBody=json.dumps(template), Tags=tags)
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        client.get_waiter("stack_create_complete").wait(StackName="orders-dev", WaiterConfig=SOON)
    assert main(["teardown", "--environment", "dev", "--dry-run"]) == 0
    assert "ROLLBACK_COMPLETE" in capsys.readouterr().out
    assert main(["teardown", "--environment", "dev", "--confirm", "orders-dev"]) == 0
    assert not describe(session, "orders-dev")


def test_what_could_not_be_deleted_is_named_and_the_next_teardown_goes_on(
    session: boto3.Session,
    deploy: Callable[..., None],
    platform: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform("dev")
    deploy("orders-dev", naming.tags("dev"), PARAMETER)
    deploy("guest", {}, function("guest", "platform-dev"))
    with monkeypatch.context() as patch:
        # Somebody begins to use the platform after the last look.
        patch.setattr("infra.pipeline.teardown._users", nobody)
        said = refusal(capsys, 1, "dev", "--confirm", "orders-dev")
    assert "platform-dev could not be deleted: AWS::Lambda::CapacityProvider Only: " in said
    assert not describe(session, "orders-dev")
    session.client("cloudformation").delete_stack(StackName="guest")
    assert main(["teardown", "--environment", "dev", "--dry-run"]) == 0
    assert "platform-dev, DELETE_FAILED" in capsys.readouterr().out
    assert main(["teardown", "--environment", "dev", "--confirm", "orders-dev"]) == 0
    assert not describe(session, "platform-dev")
