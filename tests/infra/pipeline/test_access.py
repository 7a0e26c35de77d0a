"""What the access command shows and asks before it deploys, and whose identity provider it takes."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.aws.target import Target
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline import access
from infra.policies import trust
from infra.policies.resources import toolkit_roles
from infra.project import EXAMPLE_OWNER
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import ACCOUNT, PROJECT, REGION, environment

PROVIDER = trust.provider_arn(ACCOUNT)
STACK = "acme-access-preview"


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
    return FakeAws()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(access, "cdk", terminal.cdk)
    monkeypatch.setattr("builtins.input", terminal.ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    return terminal


@pytest.fixture
def on(aws: FakeAws, tmp_path: Path) -> Target:
    """An environment of a project whose folder is no checkout."""
    project = PROJECT.model_copy(update={"root": tmp_path})
    return target(aws, environment("preview", project=project, preview_days=14))


def origin(folder: Path, address: str) -> None:
    """Make a folder a checkout with this origin."""
    for command in (["init", "--quiet"], ["remote", "add", "origin", address]):
        subprocess.run([shutil.which("git") or "git", *command], cwd=folder, check=True)


def accessed(on: Target, *options: str) -> Report:
    return run(access, on, *options)


@pytest.mark.parametrize("answer", ["", "n", "no", "yeah"])
def test_nothing_is_deployed_without_a_yes(answer: str, on: Target, terminal: Terminal) -> None:
    terminal.answer = answer
    with pytest.raises(CommandError, match="nothing was changed"):
        accessed(on)
    assert "deploy" not in terminal.ran


@pytest.mark.parametrize("answer", ["y", "Yes"])
def test_a_yes_deploys_what_was_shown(
    answer: str, on: Target, terminal: Terminal, capfd: pytest.CaptureFixture[str]
) -> None:
    terminal.answer = answer
    report = accessed(on)
    assert terminal.asked == [f"Give acme-inc/money on GitHub this access to preview in account {ACCOUNT}? [y/N] "]
    assert "[+] AWS::IAM::Role" in capfd.readouterr().err
    synth, diff, deploy = (terminal.ran[each] for each in ("synth", "diff", "deploy"))
    assert synth[4:] == ["--context", "access=true", "--context", "environment=preview"]
    # With no session of its own it would find no stack, and show no change.
    assert terminal.sessions == [None, REGION, REGION]
    assert diff == ["diff", "--no-change-set", STACK, "--app", synth[3]]
    assert deploy == ["deploy", "--method", "direct", "--require-approval", "never", STACK, "--app", synth[3]]
    roles = {
        f"{STACK}-{purpose}": f"arn:aws:iam::{ACCOUNT}:role/{STACK}-{purpose}"
        for purpose in ("deploy", "read", "drift", "prune", "teardown")
    }
    assert facts(report) == {"account": ACCOUNT, "repository": "acme-inc/money", "roles": roles, "to_attach": []}
    assert told(report).splitlines() == ["Workflows of acme-inc/money may assume:", *roles.values()]


def test_policies_that_came_since_the_bootstrap_are_given_by_another_one(
    aws: FakeAws, on: Target, terminal: Terminal
) -> None:
    assert terminal
    new, old = f"{STACK}-execution-2", f"{STACK}-execution"
    (role,) = toolkit_roles(on.environment, "cfn-exec")
    aws.attached[role.rpartition("/")[2]] = [old]
    aws.formation.stack(STACK, {})
    aws.formation.resources[STACK] = [
        {"LogicalResourceId": name, "ResourceType": "AWS::IAM::ManagedPolicy", "PhysicalResourceId": f"arn:x/{name}"}
        for name in (new, old, f"{STACK}-boundary")
    ]
    report = accessed(on, "--yes")
    assert facts(report)["to_attach"] == [new]
    assert f"CloudFormation has not got {new} yet: run `make bootstrap ENVIRONMENT=preview`" in told(report, 200)


def test_scripts_are_not_asked(on: Target, terminal: Terminal) -> None:
    accessed(on, "--yes")
    assert list(terminal.ran) == ["synth", "deploy"]
    assert terminal.sessions == [None, REGION]
    assert not terminal.asked


def test_without_a_terminal_it_says_how_to_agree(
    aws: FakeAws, on: Target, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(UsageError, match="--yes"):
        accessed(on)
    assert not terminal.ran
    assert not aws.calls


@pytest.mark.parametrize("owner", ["nobody", "somebody else", "another environment", "the stack"])
def test_a_provider_is_made_unless_somebody_else_has_made_it(
    owner: str, aws: FakeAws, on: Target, terminal: Terminal
) -> None:
    # With resources of others, and on a second page.
    others = [{"LogicalResourceId": name, "ResourceType": "AWS::IAM::Role"} for name in ("One", "Two")]
    for name in (STACK, "acme-access-dev"):
        aws.formation.stack(name, {})
        aws.formation.resources[name] = [{**each, "PhysicalResourceId": "role"} for each in others]
    if owner != "nobody":
        aws.providers[PROVIDER] = [trust.AUDIENCE]
    if made_by := {"the stack": STACK, "another environment": "acme-access-dev"}.get(owner):
        provider = {"LogicalResourceId": "GitHub", "ResourceType": "AWS::IAM::OIDCProvider"}
        aws.formation.resources[made_by].append({**provider, "PhysicalResourceId": PROVIDER})
    accessed(on, "--yes")
    assert ("existing_provider=true" in terminal.ran["synth"]) is (owner in ("somebody else", "another environment"))


def test_a_provider_for_another_audience_is_refused(aws: FakeAws, on: Target, terminal: Terminal) -> None:
    aws.providers[PROVIDER] = ["https://github.com/somebody"]
    with pytest.raises(CommandError, match="add-client-id-to-open-id-connect-provider"):
        accessed(on, "--yes")
    assert not terminal.ran


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/x",
        "https://github.com/acme/x.git",
        "https://somebody:token@github.com/acme/x/",
        "git@github.com:acme/x.git",
        "ssh://git@github.com/acme/x.git",
        "ssh://git@ssh.github.com:443/acme/x.git",
        "git://GitHub.com/acme/x",
    ],
)
@pytest.mark.parametrize("options", [(), ("--yes",)], ids=["asked", "not asked"])
def test_it_tells_before_anything_is_deployed_that_another_repository_gets_access(
    address: str, options: tuple[str, ...], on: Target, terminal: Terminal, capfd: pytest.CaptureFixture[str]
) -> None:
    origin(on.environment.project.root, address)
    terminal.answer = "y"
    accessed(on, *options)
    printed = capfd.readouterr()
    said = "origin is acme/x, and project.toml says acme-inc/money: its workflows get this access\n"
    assert said in printed.err.partition(f"Deploying {STACK}")[0]
    assert "origin" not in printed.out


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://github.com/acme-inc/money",
        "git@github.com:Acme-Inc/money.git",
        "https://example.org/acme/x",
        "https://notgithub.com/acme/x",
        "https://example.org/github.com/acme/x",
        "/srv/git/x.git",
    ],
)
def test_it_tells_of_no_origin_that_is_the_same_or_none_of_github(
    address: str, on: Target, terminal: Terminal, capfd: pytest.CaptureFixture[str]
) -> None:
    if address:
        origin(on.environment.project.root, address)
    accessed(on, "--yes")
    assert list(terminal.ran) == ["synth", "deploy"]
    assert "origin" not in capfd.readouterr().err


def test_a_real_account_gives_no_access_to_the_example(terminal: Terminal) -> None:
    repository = PROJECT.repository.model_copy(update={"owner": EXAMPLE_OWNER})
    example = PROJECT.model_copy(update={"repository": repository})
    with pytest.raises(UsageError, match=f"{EXAMPLE_OWNER} is the example"):
        accessed(Target(environment(project=example, account="123456789012")), "--yes")
    assert not terminal.ran
