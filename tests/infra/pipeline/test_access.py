"""What the access command shows and asks before it deploys, and whose identity provider it takes."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from infra import naming
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline import access
from infra.policies import trust
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import ACCOUNT, PREVIEW, PROJECT, environment

STACK = naming.access_stack(PREVIEW)
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
        self.sessions.append(session)
        return "[+] AWS::IAM::Role"

    def ask(self, question: str) -> str:
        assert list(self.ran) == ["synth", "diff"]
        self.asked.append(question)
        return self.answer


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(access, "cdk", terminal.cdk)
    monkeypatch.setattr("builtins.input", terminal.ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    return terminal


def accessed(aws: FakeAws, *options: str) -> Report:
    """Give access to the environment of previews."""
    return run(access, target(aws, PREVIEW), *options)


@pytest.mark.parametrize("answer", ["", "n", "no", "yeah"])
def test_nothing_is_deployed_without_a_yes(answer: str, aws: FakeAws, terminal: Terminal) -> None:
    terminal.answer = answer
    with pytest.raises(CommandError, match="nothing was changed"):
        accessed(aws)
    assert "deploy" not in terminal.ran


@pytest.mark.parametrize("answer", ["y", "Yes"])
def test_a_yes_deploys_what_was_shown(
    answer: str, aws: FakeAws, terminal: Terminal, capfd: pytest.CaptureFixture[str]
) -> None:
    terminal.answer = answer
    on = target(aws, PREVIEW)
    report = run(access, on)
    question = f"Give acme-inc/money on GitHub this access to preview in account {ACCOUNT}? [y/N] "
    assert terminal.asked == [question]
    assert "[+] AWS::IAM::Role" in capfd.readouterr().err
    synth, diff, deploy = (terminal.ran[each] for each in ("synth", "diff", "deploy"))
    assert synth[4:] == ["--context", "access=true", "--context", "environment=preview"]
    # With no session of its own it would find no stack, and show no change.
    assert terminal.sessions == [None, on.session, on.session]
    assert diff == ["diff", "--no-change-set", STACK, "--app", synth[3]]
    assert deploy == ["deploy", "--require-approval", "never", STACK, "--app", synth[3]]
    names = [f"acme-access-preview-{purpose}" for purpose in ("deploy", "read", "drift", "prune", "teardown")]
    roles = {name: f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in names}
    assert facts(report) == {"account": ACCOUNT, "repository": "acme-inc/money", "roles": roles}
    assert told(report).splitlines() == ["Workflows of acme-inc/money may assume:", *roles.values()]


def test_scripts_are_not_asked(aws: FakeAws, terminal: Terminal) -> None:
    accessed(aws, "--yes")
    assert list(terminal.ran) == ["synth", "deploy"]
    assert not terminal.asked


def test_without_a_terminal_it_says_how_to_agree(
    aws: FakeAws, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(UsageError, match="--yes"):
        accessed(aws)
    assert not terminal.ran
    assert not aws.calls


@pytest.mark.parametrize("owner", ["nobody", "somebody else", "the stack"])
def test_a_provider_is_made_unless_somebody_else_has_made_it(owner: str, aws: FakeAws, terminal: Terminal) -> None:
    # With resources of others, and on a second page.
    others = [{"LogicalResourceId": name, "ResourceType": "AWS::IAM::Role"} for name in ("One", "Two")]
    aws.formation.stack(STACK, {})
    aws.formation.resources[STACK] = [{**each, "PhysicalResourceId": "role"} for each in others]
    if owner != "nobody":
        aws.providers[PROVIDER] = [trust.AUDIENCE]
    if owner == "the stack":
        provider = {"LogicalResourceId": "GitHub", "ResourceType": "AWS::IAM::OIDCProvider"}
        aws.formation.resources[STACK].append({**provider, "PhysicalResourceId": PROVIDER})
    accessed(aws, "--yes")
    assert ("existing_provider=true" in terminal.ran["synth"]) is (owner == "somebody else")


def test_a_provider_for_another_audience_is_refused(aws: FakeAws, terminal: Terminal) -> None:
    aws.providers[PROVIDER] = ["https://github.com/somebody"]
    with pytest.raises(CommandError, match="add-client-id-to-open-id-connect-provider"):
        accessed(aws, "--yes")
    assert not terminal.ran


@pytest.fixture
def origin_said(
    aws: FakeAws, terminal: Terminal, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[[str | None], str]:
    """Gives access where git calls an address origin, and returns what is said."""

    def origin_said(address: str | None) -> str:
        git(tmp_path, "init", "--quiet")
        if address:
            git(tmp_path, "remote", "add", "origin", address)
        here = environment(project=PROJECT.model_copy(update={"root": tmp_path}))
        run(access, target(aws, here), "--yes")
        assert "deploy" in terminal.ran
        return capfd.readouterr().err

    return origin_said


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://github.com/somebody/shop.git", "somebody/shop"),
        ("https://token@github.com/somebody/shop", "somebody/shop"),
        ("git@github.com:somebody/shop.git", "somebody/shop"),
        ("ssh://git@github.com/somebody/shop.git", "somebody/shop"),
        ("ssh://git@ssh.github.com:443/somebody/my.shop.git", "somebody/my.shop"),
    ],
)
def test_another_origin_than_the_projects_repository_is_said(
    address: str, found: str, origin_said: Callable[[str | None], str]
) -> None:
    assert f"origin is {found}, and project.toml says acme-inc/money" in origin_said(address)


@pytest.mark.parametrize(
    "address", ["git@github.com:Acme-Inc/Money.git", "https://example.org/somebody/shop.git", "/srv/git/shop.git", None]
)
def test_of_the_same_origin_of_one_elsewhere_and_of_none_nothing_is_said(
    address: str | None, origin_said: Callable[[str | None], str]
) -> None:
    assert "origin is" not in origin_said(address)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run([shutil.which("git") or "git", *arguments], cwd=folder, check=True)
