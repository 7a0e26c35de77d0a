"""What runs where, as it is counted and drawn."""

from datetime import timedelta

import pytest

from infra import naming
from infra.aws.execution import ENDED, NOT_ENDED
from infra.environment import Environment
from infra.pipeline import executions
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, PREVIEW, PREVIEW_OF_TWO
from tests.infra.fakes.history import callback

NAME = "acme-dev-billing"
WIDTH = 100


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function of versions 10, 9 and 8, of which 9 is live."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "8", "9", "10", live="9")
    aws.formation.stack(NAME, naming.tags(DEV))
    return aws


def execution(aws: FakeAws, version: str, status: str, minutes: int = 0, name: str = "one") -> None:
    aws.lambda_.execution(NAME, name, status, version).started -= timedelta(minutes=minutes)


def test_executions_are_counted_by_version_and_status(aws: FakeAws) -> None:
    execution(aws, "9", "RUNNING", 1, "a-young-one")
    execution(aws, "9", "PAUSED", 40, "the-oldest")
    execution(aws, "9", "SUCCEEDED", 50)
    execution(aws, "8", "PAUSING", 5, "pausing")
    execution(aws, "8", "DELETING", 60)
    execution(aws, "2", "FAILED", 70)
    execution(aws, "$LATEST.PUBLISHED", "SUCCEEDED", 80)
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
    execution(aws, "9", "RUNNING", 12, "number-7")
    execution(aws, "8", "SUCCEEDED", 30)
    lines = [" ".join(line.split()) for line in told(run(executions, target(aws, DEV))).splitlines()]
    assert lines == [
        "",
        NAME,
        "version RUNNING SUCCEEDED",
        "10",
        "9 live 1",
        "8 1",
        "The oldest that has not ended:",
        "number-7 on version 9: RUNNING, started 12 min ago",
    ]


def test_the_widest_table_fits_100_columns(aws: FakeAws) -> None:
    for status in (*NOT_ENDED, *ENDED):
        execution(aws, "9", status)
    screen = told(run(executions, target(aws, DEV)), WIDTH)
    assert all(status in screen for status in (*NOT_ENDED, *ENDED))
    assert max(map(len, screen.splitlines())) <= WIDTH


def test_a_closed_function_says_so(aws: FakeAws) -> None:
    target(aws, DEV).function("billing").close()
    report = run(executions, target(aws, DEV))
    (function,) = facts(report)["functions"]
    assert function["closed"]
    assert not any(each["live"] for each in function["versions"])
    assert f"{NAME}, closed by a drain" in told(report)


def test_of_the_environment_of_previews_those_that_are_ours_are_shown() -> None:
    aws = FakeAws()
    for number, tags in ((7, naming.tags(PREVIEW, 7)), (8, {}), (12, naming.tags(PREVIEW, 12))):
        for function in ("billing", "refunds"):
            name = f"acme-pr-{number}-{function}"
            aws.formation.stack(name, tags)
            aws.lambda_.function(name, "1")

    def shown(pull_request: int | None = None, only: str | None = None) -> list[str]:
        on = target(aws, PREVIEW_OF_TWO, pull_request, only)
        return [each["function"] for each in facts(run(executions, on))["functions"]]

    assert shown() == ["acme-pr-7-billing", "acme-pr-7-refunds", "acme-pr-12-billing", "acme-pr-12-refunds"]
    assert shown(7) == ["acme-pr-7-billing", "acme-pr-7-refunds"]
    assert shown(8) == []
    assert shown(only="refunds") == ["acme-pr-7-refunds", "acme-pr-12-refunds"]
    assert shown(12, "billing") == ["acme-pr-12-billing"]


def test_each_function_that_is_deployed_is_shown_also_one_whose_folder_is_gone(aws: FakeAws) -> None:
    other = "acme-dev-refunds"
    aws.lambda_.function(other, "1")
    aws.formation.stack(other, naming.tags(DEV))
    execution(aws, "9", "RUNNING")
    report = run(executions, target(aws, DEV))
    assert [each["function"] for each in facts(report)["functions"]] == [NAME, other]
    lines = told(report).splitlines()
    assert lines.index(NAME) < lines.index("The oldest that has not ended:") < lines.index(other)
    (one,) = facts(run(executions, target(aws, DEV, only="refunds")))["functions"]
    assert one["function"] == other


@pytest.mark.parametrize(
    ("environment", "pull_request", "said"),
    [
        (DEV, None, "There is no function of acme-dev"),
        (PREVIEW, None, "preview has no preview"),
        (PREVIEW, 7, "There is no function of acme-pr-7"),
    ],
)
def test_where_there_is_no_function_it_says_so(environment: Environment, pull_request: int | None, said: str) -> None:
    report = run(executions, target(FakeAws(), environment, pull_request))
    assert facts(report) == {"functions": []}
    assert told(report) == f"{said}\n"


def test_who_waits_for_a_callback_is_shown_with_the_command_that_answers_it(aws: FakeAws) -> None:
    execution(aws, "9", "RUNNING", 12, "number-7")
    aws.lambda_.functions[NAME].executions[-1].events = [callback(0, "approval", "abc")]
    report = run(executions, target(aws, DEV))
    age, command = told(report).splitlines()[-2:]
    assert age.startswith("number-7 has waited for callback approval for 30 days; with credentials of its account:")
    assert command == "  python -m infra.pipeline callback succeed abc --environment dev --result null"
    assert facts(report)["functions"][0]["waits"] == [age, command]
