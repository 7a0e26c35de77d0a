"""One screen: what it says of environments that may be read, of those that may not, and of previews."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from infra import naming
from infra.aws import previews, versions
from infra.aws.execution import Listed
from infra.aws.previews import Preview
from infra.console import age
from infra.environment import Environment, load
from infra.pipeline import status
from infra.pipeline.status import Function, PreviewStatus, Smoke, Stack, Status

DEV, PREVIEW = load("dev"), load("preview")
NOW = datetime.now(UTC)
WIDTH = 100

STACK = Stack("orders-dev", "UPDATE_ROLLBACK_COMPLETE", "0123456789", NOW - timedelta(hours=3), "IN_SYNC", NOW)
FUNCTION = Function("orders-dev", "12", False, 3, NOW - timedelta(minutes=12), ["11", "10"], 2)
SMOKE = Smoke("smoke-1", "SUCCEEDED", "12", NOW - timedelta(hours=2))
READ = Status("dev", None, [STACK, replace(STACK, name="platform-dev", drift="DRIFTED")], FUNCTION, SMOKE, 5)


def denied(code: str = "AccessDenied") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not authorized"}}, "DescribeStacks")


def run(environment: Environment, folder: Path) -> dict[str, Any]:
    parser = ArgumentParser()
    parser.set_defaults(json=False, report=folder / "report.json", verbose=False)
    status.add_arguments(parser)
    assert status.run(environment, parser.parse_args([])) == 0
    return json.loads((folder / "report.json").read_text())


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Status | Exception]:
    """What there is to see of each environment."""
    answers: dict[str, Status | Exception] = {}

    def look(environment: Environment) -> Status:
        answer = answers[environment.name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(status, "look", look)
    monkeypatch.setattr(age, "since", NOW.__sub__)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    return answers


def test_it_shows_all_environments_of_the_account_and_names_the_others(
    seen: dict[str, Status | Exception], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen |= {"dev": READ, "preview": Status("preview", None, [replace(STACK, name="platform-preview")])}
    facts = run(DEV, tmp_path)
    assert [each["environment"] for each in facts["environments"]] == ["dev", "preview"]
    assert facts["other_accounts"] == {"local": "000000000000", "prod": "222222222222"}
    told = capsys.readouterr().out
    for expected in (
        "0123456",
        "UPDATE_ROLLBACK_COMPLETE, 3 h ago",
        "DRIFTED, 0 s ago",
        "12 live",
        "3, oldest 12 min ago",
        "11, 10 (environments: 2)",
        "SUCCEEDED, 2 h ago",
        "5 of 100 versions",
        "For prod run `status --environment prod` with credentials of account 222222222222",
    ):
        assert expected in told
    assert max(map(len, told.splitlines())) <= WIDTH


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_another_environment_that_may_not_be_read_is_told_in_its_column(
    code: str, seen: dict[str, Status | Exception], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen |= {"dev": READ, "preview": denied(code)}
    facts = run(DEV, tmp_path)
    assert [each["refusal"] is None for each in facts["environments"]] == [True, False]
    told = capsys.readouterr().out
    assert "not for these credentials to read" in told
    assert "For preview run `status --environment preview` with credentials that may read it" in told


def test_the_environment_that_was_asked_for_must_be_readable(
    seen: dict[str, Status | Exception], tmp_path: Path
) -> None:
    seen |= {"dev": denied(), "preview": Status("preview")}
    with pytest.raises(ClientError):
        run(DEV, tmp_path)


def test_another_failure_than_a_refusal_is_not_hidden(seen: dict[str, Status | Exception], tmp_path: Path) -> None:
    seen |= {"dev": READ, "preview": denied("Throttling")}
    with pytest.raises(ClientError):
        run(DEV, tmp_path)


def test_previews_are_shown_with_what_is_left_to_them(
    seen: dict[str, Status | Exception], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def preview(number: int, days: int) -> PreviewStatus:
        created = NOW - timedelta(days=days)
        stack = replace(STACK, name=f"orders-pr-{number}")
        return PreviewStatus(number, created, created + timedelta(days=14), stack, FUNCTION)

    seen |= {"dev": READ, "preview": Status("preview", previews=[preview(7, 2), preview(8, 15)])}
    run(PREVIEW, tmp_path)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "#7 0123456 2 days in 12 days UPDATE_ROLLBACK_COMPLETE 12 live 3, oldest 12 min ago" in rows
    assert "#8 0123456 15 days due UPDATE_ROLLBACK_COMPLETE 12 live 3, oldest 12 min ago" in rows


def test_nothing_deployed_is_told_too(
    seen: dict[str, Status | Exception], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = replace(FUNCTION, live=None, closed=True, running=0, oldest=None, retained=[])
    seen |= {"dev": Status("dev"), "preview": Status("preview", stacks=[STACK], function=closed)}
    run(DEV, tmp_path)
    told = capsys.readouterr().out
    assert "not deployed" in told
    assert "closed by a drain" in told


class Account:
    """What AWS says of an account: stacks, and the same executions of every function, whose version 12 is live."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *stacks: dict[str, Any], executions: list[Listed]) -> None:
        self._stacks = {stack["StackName"]: stack for stack in stacks}
        self._executions = executions
        self.described: list[str] = []
        monkeypatch.setattr(status, "open_session", self._session)
        monkeypatch.setattr(status, "describe", self._describe)
        monkeypatch.setattr(status, "executions", self._of_function)
        monkeypatch.setattr(status, "running", self._of_function)
        monkeypatch.setattr(status, "live_version", answering("12"))
        monkeypatch.setattr(status, "is_closed", answering(False))
        monkeypatch.setattr(versions, "numbered", answering(["13", "12", "11"]))
        monkeypatch.setattr(versions, "floor", answering(2))
        monkeypatch.setattr(versions, "on_provider", answering(5))
        found = [Preview(int(name[-1]), cast("Any", self._stacks[name])) for name in self._stacks if "-pr-" in name]
        monkeypatch.setattr(previews, "find", answering(found))

    def client(self, service: str) -> str:
        """Stand in for a session as well, of which nothing but the name of a client is looked at."""
        return service

    def _session(self, _: Any) -> "Account":
        return self

    def _describe(self, _: Any, name: str) -> dict[str, Any] | None:
        self.described.append(name)
        return self._stacks.get(name)

    def _of_function(self, *_: Any) -> list[Listed]:
        return self._executions


def answering(answer: Any) -> Callable[..., Any]:
    def call(*_: object) -> Any:
        return answer

    return call


def described(name: str, tags: dict[str, str], **more: Any) -> dict[str, Any]:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"StackName": name, "StackStatus": "UPDATE_COMPLETE", "CreationTime": NOW, "Tags": listed, **more}


def execution(name: str, state: str = "SUCCEEDED") -> Listed:
    return Listed("arn", name, "12", state, NOW)


def test_an_environment_is_read_from_its_stacks_and_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    updated, checked = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    drift = {"StackDriftStatus": "DRIFTED", "LastCheckTimestamp": checked}
    orders = described("orders-dev", {"commit": "c" * 40}, LastUpdatedTime=updated, DriftInformation=drift)
    Account(monkeypatch, orders, described("platform-dev", {}), executions=[])
    assert status.look(DEV) == Status(
        environment="dev",
        stacks=[
            Stack("orders-dev", "UPDATE_COMPLETE", "c" * 40, updated, "DRIFTED", checked),
            Stack("platform-dev", "UPDATE_COMPLETE", None, NOW, "NOT_CHECKED", None),
        ],
        function=Function("orders-dev", "12", False, 0, None, ["13", "11"], 4),
        versions_on_provider=5,
    )


def test_the_newest_smoke_order_counts_and_no_other_order(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [("order-9", "RUNNING"), ("my-smoke-3", "RUNNING"), ("smoke-2", "FAILED"), ("smoke-1", "SUCCEEDED")]
    Account(monkeypatch, executions=[execution(*each) for each in names])
    assert status.look(DEV).smoke == Smoke("smoke-2", "FAILED", "12", NOW)


def test_a_platform_of_previews_is_read_with_those_that_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = [
        described("platform-preview", {}),
        described("orders-pr-7", naming.tags("preview", 7)),
        described("orders-pr-8", {}),
    ]
    account = Account(monkeypatch, *stacks, executions=[])
    found = status.look(PREVIEW)
    assert [(each.pull_request, each.expires) for each in found.previews] == [
        (7, NOW + timedelta(days=PREVIEW.preview_days))
    ]
    # The role that reads may not describe a stack that is never there.
    assert account.described == ["platform-preview"]
    assert found.function is None
