"""What the access command shows and asks before it deploys, and whose identity provider it takes."""

from collections.abc import Sequence
from typing import Any

import pytest
from infra.repository import Repository

from infra import naming
from infra.aws import target as targets
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.pipeline import access
from infra.policies import trust
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, told
from tests.infra.fakes.environments import ACCOUNT, PREVIEW, environment

FIRST = environment("dev", region="eu-central-1", network={"zones": ["eu-central-1a"]})
PROVIDER = trust.provider_arn(ACCOUNT)


class Terminal:
    """What a person sees and types, and what the CDK CLI is told."""

    def __init__(self) -> None:
        self.answer = "n"
        self.asked: list[str] = []
        self.ran: dict[str, list[str]] = {}
        self.sessions: list[Any] = []

    def cdk(self, arguments: Sequence[str], *, session: Any = None, **_: Any) -> str:
        self.ran[arguments[0]] = list(arguments)
        self.sessions.append(session and session.region_name)
        return "[+] AWS::IAM::Role"

    def ask(self, question: str) -> str:
        assert list(self.ran) == ["synth", "diff"]
        self.asked.append(question)
        return self.answer


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws(region=FIRST.region)


@pytest.fixture
def terminal(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()

    def of_account(_: str) -> list[Environment]:
        return [FIRST, PREVIEW]

    def open_session(environment: Environment) -> Any:
        return aws.session(environment.region)

    def repository() -> Repository:
        return Repository(owner="somebody", name="shop", owner_id=0, repository_id=0)

    monkeypatch.setattr(access, "of_account", of_account)
    monkeypatch.setattr(access, "load_repository", repository)
    monkeypatch.setattr(targets, "open_session", open_session)
    monkeypatch.setattr(access, "cdk", terminal.cdk)
    monkeypatch.setattr("builtins.input", terminal.ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    return terminal


def accessed(*options: str) -> Report:
    """Give access to the account of the previews, whose first environment is another, in another region."""
    return run(access, targets.Target(PREVIEW), *options)


@pytest.mark.parametrize("answer", ["", "n", "no", "yeah"])
def test_nothing_is_deployed_without_a_yes(answer: str, terminal: Terminal) -> None:
    terminal.answer = answer
    with pytest.raises(CommandError, match="nothing was changed"):
        accessed()
    assert "deploy" not in terminal.ran


@pytest.mark.parametrize("answer", ["y", "Yes"])
def test_a_yes_deploys_what_was_shown(answer: str, terminal: Terminal, capfd: pytest.CaptureFixture[str]) -> None:
    terminal.answer = answer
    report = accessed()
    assert terminal.asked == [f"Give somebody/shop on GitHub this access to account {ACCOUNT}? [y/N] "]
    assert "[+] AWS::IAM::Role" in capfd.readouterr().err
    synth, diff, deploy = (terminal.ran[each] for each in ("synth", "diff", "deploy"))
    assert synth[4:] == ["--context", "access=true", "--context", "environment=preview"]
    # With no session of its own it would find no stack, and show no change.
    assert terminal.sessions == [None, FIRST.region, FIRST.region]
    assert diff == ["diff", "--no-change-set", "access", "--app", synth[3]]
    assert deploy == ["deploy", "--require-approval", "never", "access", "--app", synth[3]]
    roles = {
        f"orders-{name}-{purpose}": f"arn:aws:iam::{ACCOUNT}:role/orders-{name}-{purpose}"
        for name in ("dev", "preview")
        for purpose in ("deploy", "read", "drift", "prune", "teardown")
    }
    assert facts(report) == {"account": ACCOUNT, "repository": "somebody/shop", "roles": roles}
    assert told(report).splitlines() == ["Workflows of somebody/shop may assume:", *roles.values()]


def test_scripts_are_not_asked_and_deploy_in_the_region_of_the_accounts_first_environment(terminal: Terminal) -> None:
    accessed("--yes")
    assert list(terminal.ran) == ["synth", "deploy"]
    assert terminal.sessions == [None, FIRST.region]
    assert not terminal.asked


def test_without_a_terminal_it_says_how_to_agree(
    aws: FakeAws, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(UsageError, match="--yes"):
        accessed()
    assert not terminal.ran
    assert not aws.calls


@pytest.mark.parametrize("owner", ["nobody", "somebody else", "the stack"])
def test_a_provider_is_made_unless_somebody_else_has_made_it(owner: str, aws: FakeAws, terminal: Terminal) -> None:
    # With resources of others, and on a second page.
    others = [{"LogicalResourceId": name, "ResourceType": "AWS::IAM::Role"} for name in ("One", "Two")]
    aws.formation.stack(naming.ACCESS_STACK, {})
    aws.formation.resources[naming.ACCESS_STACK] = [{**each, "PhysicalResourceId": "role"} for each in others]
    if owner != "nobody":
        aws.providers[PROVIDER] = [trust.AUDIENCE]
    if owner == "the stack":
        provider = {"LogicalResourceId": "GitHub", "ResourceType": "AWS::IAM::OIDCProvider"}
        aws.formation.resources[naming.ACCESS_STACK].append({**provider, "PhysicalResourceId": PROVIDER})
    accessed("--yes")
    assert ("existing_provider=true" in terminal.ran["synth"]) is (owner == "somebody else")


def test_a_provider_for_another_audience_is_refused(aws: FakeAws, terminal: Terminal) -> None:
    aws.providers[PROVIDER] = ["https://github.com/somebody"]
    with pytest.raises(CommandError, match="add-client-id-to-open-id-connect-provider"):
        accessed("--yes")
    assert not terminal.ran
