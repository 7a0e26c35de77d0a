from argparse import Namespace
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import boto3
import pytest

from infra.environment import Environment, load
from infra.errors import CommandError, UsageError
from infra.local.aws import LocalAws
from infra.pipeline import access
from infra.pipeline.access import has_foreign_provider

GITHUB = "https://token.actions.githubusercontent.com"


class Terminal:
    """What a person sees and types."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.ran: list[str] = []

    def cdk(self, arguments: Sequence[str], **_: Any) -> str:
        self.ran.append(arguments[0])
        return "[+] AWS::IAM::Role"

    def ask(self, question: str) -> str:
        assert self.ran == ["synth", "diff"]
        self.asked.append(question)
        return self.answer


@pytest.fixture
def account(local_aws: LocalAws) -> tuple[boto3.Session, str]:
    number = str(uuid4().int)[:12]
    return local_aws.session(number, "eu-west-1"), number


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, local_aws: LocalAws) -> Terminal:
    terminal = Terminal("n")
    environment = load("prod")
    session = local_aws.session(environment.account, environment.region)

    def open_session(_: Environment) -> boto3.Session:
        return session

    monkeypatch.setattr(access, "open_session", open_session)
    monkeypatch.setattr(access, "cdk", terminal.cdk)
    monkeypatch.setattr("builtins.input", terminal.ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    return terminal


def arguments(*, yes: bool = False) -> Namespace:
    return Namespace(yes=yes, json=True, report=None, verbose=False)


@pytest.mark.parametrize("answer", ["", "n", "no", "yeah"])
def test_nothing_is_deployed_without_a_yes(terminal: Terminal, answer: str) -> None:
    terminal.answer = answer
    with pytest.raises(CommandError, match="nothing was changed"):
        access.run(load("prod"), arguments())
    assert "deploy" not in terminal.ran


@pytest.mark.parametrize("answer", ["y", "Yes"])
def test_a_yes_deploys_what_was_shown(terminal: Terminal, answer: str, capfd: pytest.CaptureFixture[str]) -> None:
    terminal.answer = answer
    assert access.run(load("prod"), arguments()) == 0
    assert terminal.ran == ["synth", "diff", "deploy"]
    assert terminal.asked == ["Give example-org/orders on GitHub this access to account 222222222222? [y/N] "]
    printed = capfd.readouterr()
    assert "[+] AWS::IAM::Role" in printed.err
    assert '"orders-prod-deploy": "arn:aws:iam::222222222222:role/orders-prod-deploy"' in printed.out


def test_scripts_are_not_asked(terminal: Terminal) -> None:
    assert access.run(load("prod"), arguments(yes=True)) == 0
    assert terminal.ran == ["synth", "deploy"]
    assert not terminal.asked


def test_without_a_terminal_it_says_how_to_agree(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(UsageError, match="--yes"):
        access.run(load("prod"), arguments())
    assert not terminal.ran


def test_an_account_without_a_provider_gets_one(account: tuple[boto3.Session, str]) -> None:
    assert not has_foreign_provider(*account)


def test_a_provider_that_exists_is_taken(account: tuple[boto3.Session, str]) -> None:
    iam: Any = account[0].client("iam")
    iam.create_open_id_connect_provider(Url=GITHUB, ClientIDList=["sts.amazonaws.com"])
    assert has_foreign_provider(*account)


def test_a_provider_for_another_audience_is_refused(account: tuple[boto3.Session, str]) -> None:
    iam: Any = account[0].client("iam")
    iam.create_open_id_connect_provider(Url=GITHUB, ClientIDList=["https://github.com/example-org"])
    with pytest.raises(CommandError, match="add-client-id-to-open-id-connect-provider"):
        has_foreign_provider(*account)


def test_the_stacks_own_provider_stays_its_own(account: tuple[boto3.Session, str]) -> None:
    session, _ = account
    template = (
        '{"Resources": {"GitHub": {"Type": "AWS::IAM::OIDCProvider", "Properties": '
        f'{{"Url": "{GITHUB}", "ClientIdList": ["sts.amazonaws.com"]}}}}}}}}'
    )
    client = session.client("cloudformation")
    client.create_stack(StackName="access", TemplateBody=template)
    client.get_waiter("stack_create_complete").wait(StackName="access", WaiterConfig={"Delay": 1})
    assert not has_foreign_provider(*account)
