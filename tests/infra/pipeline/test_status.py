"""One screen: what it says of environments that may be read, of those that may not, and of previews."""

from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest
from botocore.exceptions import ClientError

from infra import naming
from infra import project as projects
from infra.console.report import Report
from infra.environment import Environment
from infra.pipeline import status
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.base import AwsError
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW, PREVIEW_OF_TWO, PROD, PROJECT, environment

NAME, REFUNDS, PLATFORM = "acme-dev-billing", "acme-dev-refunds", "acme-platform-dev"
PROVIDER = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:provider"
WIDTH = 120


@pytest.fixture
def aws() -> FakeAws:
    """An AWS that all environments share. Everything in dev was deployed a day ago, and runs."""
    aws = FakeAws()
    aws.formation.stack(PLATFORM, naming.tags(DEV), outputs={"CapacityProviderArn": PROVIDER})
    aws.lambda_.on_provider[PROVIDER] = [f"{aws.lambda_.arn_of(NAME)}:{number}" for number in (11, 12, 13)]
    drift = {"StackDriftStatus": "DRIFTED", "LastCheckTimestamp": aws.clock.now() - timedelta(minutes=5)}
    moments = {"LastUpdatedTime": aws.clock.now() - timedelta(hours=3), "DriftInformation": drift}
    outputs = {"Commit": "c" * 40}
    aws.formation.stack(NAME, naming.tags(DEV), "UPDATE_ROLLBACK_COMPLETE", outputs=outputs, **moments)
    aws.lambda_.function(NAME, "11", "12", "13", live="12").versions["11"]["least"] = 1
    return aws


@pytest.fixture
def of_two(aws: FakeAws) -> FakeAws:
    """The same with a second function, of a later commit."""
    aws.formation.stack(REFUNDS, naming.tags(DEV), outputs={"Commit": "d" * 40})
    aws.lambda_.function(REFUNDS, "5")
    return aws


def start(aws: FakeAws, name: str, status: str, minutes: int) -> None:
    aws.lambda_.execution(NAME, name, status, "12").started -= timedelta(minutes=minutes)


def shown(aws: FakeAws, on: Environment = DEV) -> Report:
    return run(status, target(aws, on))


def rows(report: Report) -> list[str]:
    screen = told(report, WIDTH)
    assert max(map(len, screen.splitlines())) <= WIDTH
    return [" ".join(line.split()) for line in screen.splitlines()]


def test_an_environment_is_read_from_its_stacks_and_its_function(aws: FakeAws) -> None:
    start(aws, "run-1", "RUNNING", 2)
    start(aws, "run-2", "PAUSED", 12)
    start(aws, "run-3", "SUCCEEDED", 20)
    now = aws.clock.now()
    dev = facts(shown(aws))["environments"][0]
    assert dev == {
        "environment": "dev",
        "refusal": None,
        "stacks": [
            {
                "name": NAME,
                "folder": "billing",
                "status": "UPDATE_ROLLBACK_COMPLETE",
                "commit": "c" * 40,
                "deployed": now - timedelta(hours=3),
                "drift": "DRIFTED",
                "drift_checked": now - timedelta(minutes=5),
            },
            {
                "name": PLATFORM,
                "folder": None,
                "status": "UPDATE_COMPLETE",
                "commit": None,
                "deployed": now - timedelta(days=1),
                "drift": "NOT_CHECKED",
                "drift_checked": None,
            },
        ],
        "functions": [
            {
                "name": NAME,
                "folder": "billing",
                "in_checkout": True,
                "live": "12",
                "asleep": False,
                "closed": False,
                "running": 2,
                "oldest": now - timedelta(minutes=12),
                "retained": ["13", "11"],
                "retained_environments": 4,
                "smoke": None,
            }
        ],
        "versions_on_provider": 3,
        "room": None,
        "previews": [],
    }


def test_a_person_reads_it_on_one_screen_with_where_to_read_on(aws: FakeAws) -> None:
    start(aws, "smoke-1", "RUNNING", 12)
    report = shown(aws)
    assert facts(report)["other_accounts"] == {"local": "000000000000"}
    assert rows(report) == [
        "dev prod preview",
        "commit ccccccc not deployed not deployed",
        "billing UPDATE_ROLLBACK_COMPLETE, 3 h ago",
        "drift of billing DRIFTED, 5 min ago",
        "the platform UPDATE_COMPLETE, 1 day ago",
        "drift of the platform NOT_CHECKED",
        "version 12 live",
        "running 1, oldest 12 min ago",
        "retained 13, 11 (environments: 4)",
        "last smoke execution RUNNING, 12 min ago",
        "on the provider 3 of 100 versions",
        "",
        "For local run `status --environment local` with credentials of account 000000000000",
    ]


def test_an_environment_of_another_account_is_told_where_to_read(aws: FakeAws, tmp_path: Path) -> None:
    root = copytree(PROJECT.root, tmp_path / "tree")
    file = root / "environments" / "prod.toml"
    file.write_text(file.read_text().replace(DEV.account, "222222222222"))
    report = shown(aws, environment(project=projects.load(root)))
    assert facts(report)["other_accounts"] == {"prod": "222222222222", "local": "000000000000"}
    assert rows(report)[0] == "dev preview"
    assert "For prod run `status --environment prod` with credentials of account 222222222222" in rows(report)


def test_the_newest_smoke_execution_counts_and_no_other(aws: FakeAws) -> None:
    names = ["run-9", "my-smoke-3", "smoke-2", "smoke-1"]
    for minutes, name in enumerate(names):
        start(aws, name, "FAILED", minutes)
    smoke = facts(shown(aws))["environments"][0]["functions"][0]["smoke"]
    started = aws.clock.now() - timedelta(minutes=2)
    assert smoke == {"name": "smoke-2", "status": "FAILED", "version": "12", "started": started}


def refuse_prod(aws: FakeAws, code: str) -> None:
    """Let the second environment that is read, prod, be refused: the stacks that there are fit a page for each."""

    def refuse() -> None:
        raise AwsError(code)

    aws.on("ListStacks", refuse, call=2)


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_another_environment_that_may_not_be_read_is_told_in_its_column(code: str, aws: FakeAws) -> None:
    refuse_prod(aws, code)
    report = shown(aws)
    assert [each["refusal"] for each in facts(report)["environments"]] == [
        None,
        "not for these credentials to read",
        None,
    ]
    assert "For prod run `status --environment prod` with credentials that may read it" in rows(report)


def test_another_failure_than_a_refusal_is_not_hidden(aws: FakeAws) -> None:
    refuse_prod(aws, "Throttling")
    with pytest.raises(ClientError, match="Throttling"):
        shown(aws)


def test_the_environment_that_was_asked_for_must_be_readable(aws: FakeAws) -> None:
    aws.deny("DescribeStacks", "AccessDenied")
    with pytest.raises(ClientError):
        shown(aws)


def preview(aws: FakeAws, number: int, days: int, *versions: str, function: str = "billing") -> None:
    """Let there be a function of a preview that was made some days ago."""
    name = naming.function(PREVIEW, function, number)
    stack = aws.formation.stack(name, naming.tags(PREVIEW, number), outputs={"Commit": "d" * 40})
    stack |= {"CreationTime": aws.clock.now() - timedelta(days=days), "LastUpdatedTime": aws.clock.now()}
    if versions:
        aws.lambda_.function(name, *versions)


def test_previews_are_read_that_are_ours_and_shown_with_what_is_left_to_them(aws: FakeAws) -> None:
    preview(aws, 7, 2, "1")
    preview(aws, 8, 15)
    aws.formation.stack("acme-pr-9-billing", {})
    report = shown(aws, PREVIEW)
    assert "preview of commit age expires stack version running" in rows(report)
    assert "#7 ddddddd 2 days in 12 days UPDATE_COMPLETE 1 live 0" in rows(report)
    assert "#8 ddddddd 15 days due UPDATE_COMPLETE none" in rows(report)
    host = facts(report)["environments"][2]
    assert [(each["pull_request"], each["expires"]) for each in host["previews"]] == [
        (7, aws.clock.now() + timedelta(days=12)),
        (8, aws.clock.now() - timedelta(days=1)),
    ]
    assert host["functions"] == []
    # The role that reads may not describe a stack that is never there.
    assert {"StackName": "acme-preview-billing"} not in aws.asked("DescribeStacks")


def test_a_preview_of_several_functions_has_a_row_for_each(aws: FakeAws) -> None:
    preview(aws, 7, 2, "1")
    preview(aws, 7, 1, "2", function="refunds")
    preview(aws, 8, 1, "3", function="refunds")
    found = rows(shown(aws, PREVIEW_OF_TWO))
    start = found.index("preview of commit age expires function stack version running")
    assert found[start + 1 : start + 4] == [
        "#7 ddddddd 2 days in 12 days billing UPDATE_COMPLETE 1 live 0",
        "#7 ddddddd 2 days in 12 days refunds UPDATE_COMPLETE 2 live 0",
        "#8 ddddddd 1 day in 13 days refunds UPDATE_COMPLETE 3 live 0",
    ]


def test_what_sleeps_is_told(aws: FakeAws) -> None:
    versions = aws.lambda_.functions[NAME].versions
    for number in ("11", "13"):
        versions[number].update(least=0, most=0)
    assert "retained 13, 11 (asleep)" in rows(shown(aws))
    preview(aws, 7, 2, "1")
    aws.lambda_.functions[naming.function(PREVIEW, "billing", 7)].versions["1"].update(least=0, most=0)
    assert "#7 ddddddd 2 days in 12 days UPDATE_COMPLETE 1 live, asleep 0" in rows(shown(aws, PREVIEW))


def test_the_platform_below_previews_tells_how_many_more_there_is_room_for(aws: FakeAws) -> None:
    outputs = {"CapacityProviderArn": f"{PROVIDER}-2"}
    aws.formation.stack(naming.platform_stack(PREVIEW), naming.tags(PREVIEW), outputs=outputs)
    aws.lambda_.on_provider[f"{PROVIDER}-2"] = []
    # Of 200 vCPUs 8 are headroom and 8 the second version of the one that is deployed; each has 8.
    assert facts(shown(aws, PREVIEW))["environments"][2]["room"] == 23
    assert "room for 23 previews awake" in rows(shown(aws, PREVIEW))


def test_nothing_deployed_and_a_closed_function_are_told_too(aws: FakeAws) -> None:
    target(aws, DEV).function("billing").close()
    assert "version closed by a drain" in rows(shown(aws))
    aws.lambda_.forget(NAME)
    aws.formation.stacks.clear()
    assert rows(shown(aws))[:2] == ["dev prod preview", "commit not deployed not deployed not deployed"]


def test_of_several_functions_each_has_rows_of_its_own(of_two: FakeAws) -> None:
    start(of_two, "smoke-1", "SUCCEEDED", 12)
    assert rows(shown(of_two, DEV_OF_TWO))[1:-2] == [
        "commit ccccccc, ddddddd not deployed not deployed",
        "billing UPDATE_ROLLBACK_COMPLETE, 3 h ago",
        "drift of billing DRIFTED, 5 min ago",
        "refunds UPDATE_COMPLETE, 1 day ago",
        "drift of refunds NOT_CHECKED",
        "the platform UPDATE_COMPLETE, 1 day ago",
        "drift of the platform NOT_CHECKED",
        "version of billing 12 live",
        "running of billing 0",
        "retained of billing 13, 11 (environments: 4)",
        "last smoke execution of billing SUCCEEDED, 12 min ago",
        "version of refunds 5 live",
        "running of refunds 0",
        "retained of refunds none",
        "last smoke execution of refunds none",
        "on the provider 3 of 100 versions",
    ]


def test_two_environments_with_one_function_each_are_told_apart_by_its_name(aws: FakeAws) -> None:
    aws.formation.stack("acme-prod-refunds", naming.tags(PROD))
    aws.lambda_.function("acme-prod-refunds", "5")
    found = rows(shown(aws))
    assert "version of billing 12 live" in found
    assert "version of refunds 5 live" in found


def test_a_function_that_is_deployed_and_not_in_the_checkout_is_told_of(of_two: FakeAws) -> None:
    line = f"{REFUNDS} is deployed, and this checkout has no functions/refunds"
    report = shown(of_two)
    assert line in rows(report)
    assert [each["in_checkout"] for each in facts(report)["environments"][0]["functions"]] == [True, False]
    assert line not in rows(shown(of_two, DEV_OF_TWO))


def test_a_stack_of_somebody_else_is_not_shown(aws: FakeAws) -> None:
    aws.formation.stack(REFUNDS, {"project": "other"})
    aws.lambda_.function(REFUNDS, "5")
    assert [each["name"] for each in facts(shown(aws))["environments"][0]["functions"]] == [NAME]
