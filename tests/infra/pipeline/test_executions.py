"""What runs where, as it is counted and drawn."""

from datetime import timedelta

import pytest

from infra import naming
from infra.aws.execution import ENDED, NOT_ENDED
from infra.environment import Environment
from infra.pipeline import executions
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, PREVIEW

NAME = naming.orders_stack("dev")
WIDTH = 100


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function of versions 10, 9 and 8, of which 9 is live."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "8", "9", "10", live="9")
    return aws


def order(aws: FakeAws, version: str, status: str, minutes: int = 0, name: str = "order-1") -> None:
    aws.lambda_.execution(NAME, name, status, version).started -= timedelta(minutes=minutes)


def test_executions_are_counted_by_version_and_status(aws: FakeAws) -> None:
    order(aws, "9", "RUNNING", 1, "a-young-one")
    order(aws, "9", "PAUSED", 40, "the-oldest")
    order(aws, "9", "SUCCEEDED", 50)
    order(aws, "8", "PAUSING", 5, "pausing")
    order(aws, "8", "DELETING", 60)
    order(aws, "2", "FAILED", 70)
    order(aws, "$LATEST.PUBLISHED", "SUCCEEDED", 80)
    (function,) = facts(run(executions, target(aws, DEV)))["functions"]
    assert (function["function"], function["closed"]) == (NAME, False)
    counted = {each["version"]: dict(each["executions"]) for each in function["versions"]}
    assert list(counted.items()) == [
        ("10", {}),
        ("9", {"RUNNING": 1, "PAUSED": 1, "SUCCEEDED": 1}),
        ("8", {"PAUSING": 1, "DELETING": 1}),
        ("2", {"FAILED": 1}),
        ("$LATEST.PUBLISHED", {"SUCCEEDED": 1}),
    ]
    assert [each["version"] for each in function["versions"] if each["live"]] == ["9"]
    oldest = [each["oldest"] and each["oldest"]["name"] for each in function["versions"]]
    assert oldest == [None, "the-oldest", "pausing", None, None]


def test_a_person_reads_a_table_of_the_statuses_that_occur(aws: FakeAws) -> None:
    order(aws, "9", "RUNNING", 12, "order-7")
    order(aws, "8", "SUCCEEDED", 30)
    lines = [" ".join(line.split()) for line in told(run(executions, target(aws, DEV))).splitlines()]
    assert lines == [
        "",
        NAME,
        "version RUNNING SUCCEEDED",
        "10",
        "9 live 1",
        "8 1",
        "The oldest that has not ended:",
        "order-7 on version 9: RUNNING, started 12 min ago",
    ]


def test_the_widest_table_fits_100_columns(aws: FakeAws) -> None:
    for status in (*NOT_ENDED, *ENDED):
        order(aws, "9", status)
    screen = told(run(executions, target(aws, DEV)), WIDTH)
    assert all(status in screen for status in (*NOT_ENDED, *ENDED))
    assert max(map(len, screen.splitlines())) <= WIDTH


def test_a_closed_function_says_so(aws: FakeAws) -> None:
    target(aws, DEV).function.close()
    report = run(executions, target(aws, DEV))
    (function,) = facts(report)["functions"]
    assert function["closed"]
    assert not any(each["live"] for each in function["versions"])
    assert f"{NAME}, closed by a drain" in told(report)


def test_of_the_environment_of_previews_those_that_are_ours_are_shown() -> None:
    aws = FakeAws()
    for number, tags in ((7, naming.tags("preview", 7)), (8, {}), (12, naming.tags("preview", 12))):
        name = naming.orders_stack("preview", number)
        aws.formation.stack(name, tags)
        aws.lambda_.function(name, "1")
    shown = [each["function"] for each in facts(run(executions, target(aws, PREVIEW)))["functions"]]
    assert shown == ["orders-pr-7", "orders-pr-12"]
    (one,) = facts(run(executions, target(aws, PREVIEW, 7)))["functions"]
    assert one["function"] == "orders-pr-7"
    assert facts(run(executions, target(aws, PREVIEW, 8)))["functions"] == []


@pytest.mark.parametrize(
    ("environment", "pull_request", "said"),
    [
        (DEV, None, f"There is no function {NAME}"),
        (PREVIEW, None, "preview has no preview"),
        (PREVIEW, 7, "There is no function orders-pr-7"),
    ],
)
def test_where_there_is_no_function_it_says_so(environment: Environment, pull_request: int | None, said: str) -> None:
    report = run(executions, target(FakeAws(), environment, pull_request))
    assert facts(report) == {"functions": []}
    assert told(report) == f"{said}\n"
