"""One screen: what it says of environments that may be read, of those that may not, and of previews."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from infra import naming
from infra.aws import target as targets
from infra.console import age
from infra.console.report import Report
from infra.environment import Environment
from infra.pipeline import status
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.base import AwsError
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, PREVIEW, environment

NAME = naming.orders_stack("dev")
ELSEWHERE = environment("prod", account="222222222222")
KNOWN = {each.name: each for each in (DEV, PREVIEW, ELSEWHERE)}
WIDTH = 100


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """An AWS that dev and the previews share. Everything in dev was deployed a day ago, and runs."""
    aws = FakeAws()

    def of_account(_: str) -> list[Environment]:
        return [DEV, PREVIEW]

    def open_session(_: Environment) -> object:
        return aws.session()

    monkeypatch.setattr(status, "of_account", of_account)
    monkeypatch.setattr(status, "names", KNOWN.copy)
    monkeypatch.setattr(status, "load", KNOWN.get)
    monkeypatch.setattr(targets, "open_session", open_session)
    monkeypatch.setattr(age, "since", aws.clock.now().__sub__)
    provider = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:provider"
    aws.formation.stack("platform-dev", {}, outputs={"CapacityProviderArn": provider})
    aws.lambda_.on_provider[provider] = [f"{aws.lambda_.arn_of(NAME)}:{number}" for number in (11, 12, 13)]
    drift = {"StackDriftStatus": "DRIFTED", "LastCheckTimestamp": aws.clock.now() - timedelta(minutes=5)}
    updated = aws.clock.now() - timedelta(hours=3)
    aws.formation.stack(
        NAME, {"commit": "c" * 40}, "UPDATE_ROLLBACK_COMPLETE", LastUpdatedTime=updated, DriftInformation=drift
    )
    aws.lambda_.function(NAME, "11", "12", "13", live="12").versions["11"]["least"] = 1
    return aws


def order(aws: FakeAws, name: str, status: str, minutes: int) -> None:
    aws.lambda_.execution(NAME, name, status, "12").started -= timedelta(minutes=minutes)


def shown(aws: FakeAws, on: Environment = DEV) -> Report:
    return run(status, target(aws, on))


def rows(report: Report) -> list[str]:
    screen = told(report, WIDTH)
    assert max(map(len, screen.splitlines())) <= WIDTH
    return [" ".join(line.split()) for line in screen.splitlines()]


def test_an_environment_is_read_from_its_stacks_and_its_function(aws: FakeAws) -> None:
    order(aws, "order-1", "RUNNING", 2)
    order(aws, "order-2", "PAUSED", 12)
    order(aws, "order-3", "SUCCEEDED", 20)
    now = aws.clock.now()
    dev = facts(shown(aws))["environments"][0]
    assert dev == {
        "environment": "dev",
        "refusal": None,
        "stacks": [
            {
                "name": NAME,
                "status": "UPDATE_ROLLBACK_COMPLETE",
                "commit": "c" * 40,
                "deployed": now - timedelta(hours=3),
                "drift": "DRIFTED",
                "drift_checked": now - timedelta(minutes=5),
            },
            {
                "name": "platform-dev",
                "status": "UPDATE_COMPLETE",
                "commit": None,
                "deployed": now - timedelta(days=1),
                "drift": "NOT_CHECKED",
                "drift_checked": None,
            },
        ],
        "function": {
            "name": NAME,
            "live": "12",
            "closed": False,
            "running": 2,
            "oldest": now - timedelta(minutes=12),
            "retained": ["13", "11"],
            "retained_environments": 4,
        },
        "smoke": None,
        "versions_on_provider": 3,
        "previews": [],
    }


def test_a_person_reads_it_on_one_screen_with_where_to_read_on(aws: FakeAws) -> None:
    order(aws, "smoke-1", "RUNNING", 12)
    report = shown(aws)
    assert facts(report)["other_accounts"] == {"prod": "222222222222"}
    assert rows(report) == [
        "dev preview",
        "commit ccccccc not deployed",
        "orders UPDATE_ROLLBACK_COMPLETE, 3 h ago",
        "drift of orders DRIFTED, 5 min ago",
        "platform UPDATE_COMPLETE, 1 day ago",
        "drift of platform NOT_CHECKED",
        "version 12 live",
        "running 1, oldest 12 min ago",
        "retained 13, 11 (environments: 4)",
        "last smoke order RUNNING, 12 min ago",
        "on the provider 3 of 100 versions",
        "",
        "For prod run `status --environment prod` with credentials of account 222222222222",
    ]


def test_the_newest_smoke_order_counts_and_no_other_order(aws: FakeAws) -> None:
    names = ["order-9", "my-smoke-3", "smoke-2", "smoke-1"]
    for minutes, name in enumerate(names):
        order(aws, name, "FAILED", minutes)
    smoke = facts(shown(aws))["environments"][0]["smoke"]
    started = aws.clock.now() - timedelta(minutes=2)
    assert smoke == {"name": "smoke-2", "status": "FAILED", "version": "12", "started": started}


def refuse_preview(aws: FakeAws, code: str) -> None:
    """Let the second environment that is read, the previews', be refused: one has three stacks to look for."""

    def refuse() -> None:
        raise AwsError(code)

    aws.on("DescribeStacks", refuse, call=4)


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_another_environment_that_may_not_be_read_is_told_in_its_column(code: str, aws: FakeAws) -> None:
    refuse_preview(aws, code)
    report = shown(aws)
    assert [each["refusal"] for each in facts(report)["environments"]] == [None, "not for these credentials to read"]
    assert "For preview run `status --environment preview` with credentials that may read it" in rows(report)


def test_another_failure_than_a_refusal_is_not_hidden(aws: FakeAws) -> None:
    refuse_preview(aws, "Throttling")
    with pytest.raises(ClientError, match="Throttling"):
        shown(aws)


def test_the_environment_that_was_asked_for_must_be_readable(aws: FakeAws) -> None:
    aws.deny("DescribeStacks", "AccessDenied")
    with pytest.raises(ClientError):
        shown(aws)


def test_previews_are_read_that_are_ours_and_shown_with_what_is_left_to_them(aws: FakeAws) -> None:
    for number, days in ((7, 2), (8, 15)):
        name = naming.orders_stack("preview", number)
        stack = aws.formation.stack(name, naming.tags("preview", number) | {"commit": "d" * 40})
        stack["CreationTime"] = aws.clock.now() - timedelta(days=days)
        if number == 7:
            aws.lambda_.function(name, "1")
    aws.formation.stack(naming.orders_stack("preview", 9), {})
    report = shown(aws, PREVIEW)
    assert "#7 ddddddd 2 days in 12 days UPDATE_COMPLETE 1 live 0" in rows(report)
    assert "#8 ddddddd 15 days due UPDATE_COMPLETE none" in rows(report)
    preview = facts(report)["environments"][1]
    assert [(each["pull_request"], each["expires"]) for each in preview["previews"]] == [
        (7, aws.clock.now() + timedelta(days=12)),
        (8, aws.clock.now() - timedelta(days=1)),
    ]
    assert preview["function"] is preview["smoke"] is None
    # The role that reads may not describe a stack that is never there.
    assert {"StackName": naming.orders_stack("preview")} not in aws.asked("DescribeStacks")


def test_nothing_deployed_and_a_closed_function_are_told_too(aws: FakeAws) -> None:
    target(aws, DEV).function.close()
    assert "version closed by a drain" in rows(shown(aws))
    aws.lambda_.forget(NAME)
    aws.formation.stacks.clear()
    assert rows(shown(aws))[:2] == ["dev preview", "commit not deployed not deployed"]
