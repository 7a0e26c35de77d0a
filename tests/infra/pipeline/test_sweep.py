"""Which previews go, decided on what CloudFormation and GitHub say, and what becomes of those that can't."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from infra import budgets, naming
from infra.aws import previews
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline import sweep
from tests.github.state import State
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV, PREVIEW, PREVIEW_OF_TWO

DAYS = PREVIEW.preview_days
JUST_NOW, YOUNG, OLD = timedelta(minutes=59), timedelta(hours=2), timedelta(days=DAYS, minutes=1)
REST = "UPDATE_COMPLETE"
TAGS = naming.tags(PREVIEW, 7)


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


def say(github: State, pulls: Mapping[int, str]) -> None:
    """Let GitHub know pull requests, by their states."""
    for number, state in pulls.items():
        github.add_pull(number, state)


def name(number: int, function: str = "billing") -> str:
    return naming.function(PREVIEW, function, number)


def deploy(aws: FakeAws, *numbers: int, function: str = "billing") -> None:
    """Let there be a function of previews, each with an execution that is paused."""
    for number in numbers:
        made = name(number, function)
        aws.formation.stack(made, naming.tags(PREVIEW, number))
        aws.lambda_.function(made, "1")
        aws.lambda_.execution(made, "run-1", "PAUSED")


def swept(aws: FakeAws, *options: str) -> Report:
    return run(sweep, target(aws, PREVIEW), *options)


def deleted(aws: FakeAws) -> list[str]:
    return [each["StackName"] for each in aws.asked("DeleteStack")]


@pytest.mark.parametrize(
    ("stack", "state", "expected"),
    [
        pytest.param((YOUNG, REST, TAGS), "closed", (True, "pull request 7 is closed"), id="closed or merged"),
        pytest.param((YOUNG, REST, TAGS), "open", (False, "is open, and it is 2 h old"), id="open and young"),
        pytest.param(
            (OLD, REST, TAGS), "open", (True, f"{DAYS} days old, and previews last {DAYS} days"), id="too old"
        ),
        pytest.param((YOUNG, REST, dict[str, str]()), "closed", (False, "none of ours"), id="without tags"),
        pytest.param((YOUNG, REST, naming.tags(PREVIEW)), "closed", (False, "none of ours"), id="without one tag"),
        pytest.param((YOUNG, REST, naming.tags(PREVIEW, 8)), "closed", (False, "none of ours"), id="of another"),
        pytest.param((YOUNG, "UPDATE_IN_PROGRESS", TAGS), "closed", (False, "UPDATE_IN_PROGRESS"), id="being deployed"),
        pytest.param((OLD, "CREATE_IN_PROGRESS", TAGS), "open", (False, "CREATE_IN_PROGRESS"), id="being made"),
        pytest.param((JUST_NOW, "REVIEW_IN_PROGRESS", TAGS), "closed", (False, "begins"), id="beginning"),
        pytest.param((YOUNG, "REVIEW_IN_PROGRESS", TAGS), "closed", (True, "is closed"), id="begun and given up"),
        pytest.param((YOUNG, "DELETE_FAILED", TAGS), "closed", (True, "is closed"), id="not deleted before"),
        pytest.param((YOUNG, "DELETE_IN_PROGRESS", TAGS), "closed", (True, "is closed"), id="being deleted"),
        pytest.param((YOUNG, "ROLLBACK_COMPLETE", TAGS), "closed", (True, "is closed"), id="never made"),
    ],
)
def test_it_is_decided_for_a_preview_that_is(
    stack: tuple[timedelta, str, dict[str, str]],
    state: str,
    expected: tuple[bool, str],
    aws: FakeAws,
    github: State,
) -> None:
    age, status, tags = stack
    # It was deployed again just now, which makes it no younger.
    moments = {"CreationTime": aws.clock.now() - age, "LastUpdatedTime": aws.clock.now()}
    aws.formation.stack(name(7), tags, status, **moments)
    github.add_pull(7, state)
    outcome = sweep.decide(previews.find(target(aws, PREVIEW))[0])
    assert (outcome.due, expected[1] in outcome.reason) == (expected[0], True), outcome.reason


def test_only_previews_that_are_due_go_each_once_and_nothing_else_does(aws: FakeAws, github: State) -> None:
    deploy(aws, 70, 12, 7)
    others = ("acme-pr-012-billing", f"my-{name(12)}", "acme-pr-12", "acme-platform-preview")
    for other in others:
        aws.formation.stack(other, TAGS)
    aws.formation.stack(name(9), {"project": "acme"})
    say(github, {7: "closed", 9: "closed", 12: "open", 70: "closed"})
    dry = swept(aws, "--dry-run")
    assert deleted(aws) == []
    report = swept(aws)
    assert deleted(aws) == [name(7), name(70)]
    assert set(aws.formation.stacks) == {*others, name(9), name(12)}
    lines = [
        ("acme-pr-7 would go", "acme-pr-7 is gone: pull request 7 is closed; 1 execution was stopped"),
        ("acme-pr-9 would stay", "acme-pr-9 stays: it is named like a preview, and its tags say"),
        ("acme-pr-12 would stay", "acme-pr-12 stays: pull request 12 is open, and it is 1 day old"),
        ("acme-pr-70 would go", "acme-pr-70 is gone: pull request 70 is closed; 1 execution was stopped"),
    ]
    for (planned, told), before, after in zip(lines, dry.lines, report.lines, strict=True):
        assert (str(before).startswith(planned), str(after).startswith(told)) == (True, True)
    assert (dry.code, report.code, report.facts["failed"]) == (0, 0, 0)
    for number in (9, 12):
        aws.formation.stacks.pop(name(number))
    assert swept(aws).lines == ["There is no preview"]


def test_its_executions_are_stopped_and_those_of_others_are_not(aws: FakeAws, github: State) -> None:
    deploy(aws, 7, 8)
    say(github, {7: "closed", 8: "open"})
    executions = [aws.lambda_.functions[name(number)].executions[0] for number in (7, 8)]
    swept(aws)
    assert [each.status for each in executions] == ["STOPPED", "PAUSED"]


def test_when_github_can_not_be_asked_for_one_of_them_none_goes(aws: FakeAws, github: State) -> None:
    deploy(aws, 7, 8)
    github.add_pull(7, "closed")
    github.refuses["GET /pulls/8"] = 401
    with pytest.raises(CommandError, match="could not be asked for pull request 8"):
        swept(aws)
    assert deleted(aws) == []


def test_a_pull_request_that_github_does_not_know_is_a_failure_of_that_preview_alone(
    aws: FakeAws, github: State
) -> None:
    deploy(aws, 7, 8)
    github.add_pull(8, "closed")
    report = swept(aws)
    assert (report.code, report.facts["failed"], deleted(aws)) == (1, 1, [name(8)])
    assert "GitHub has no pull request 7" in report.markdown


def failing(aws: FakeAws, how: str) -> None:
    """Let the removal of preview 7 fail."""
    stack = aws.formation.stacks[name(7)]
    if how == "AWS can not be reached":
        aws.on("ListDurableExecutionsByFunction", unreachable)
    elif how == "its executions may not be stopped":
        aws.deny("StopDurableExecution")
    elif how == "it can't be deleted":
        aws.formation.undeletable[name(7)] = "it is used"
    elif how == "it is protected":
        stack["EnableTerminationProtection"] = True
    elif how == "somebody deploys it meanwhile":
        aws.on("DescribeStacks", lambda: stack.update(StackStatus="UPDATE_IN_PROGRESS"), call=3)
    elif how == "its executions do not stop":
        aws.lambda_.functions[name(7)].executions[0].stops = False
    else:
        aws.tagged = [("arn:aws:logs:eu-west-1:111111111111:log-group:left", TAGS)]


def unreachable() -> None:
    raise EndpointConnectionError(endpoint_url="some")


@pytest.mark.parametrize(
    ("how", "said", "stays"),
    [
        ("AWS can not be reached", "Could not connect", True),
        ("its executions may not be stopped", "no StopDurableExecution", True),
        ("it can't be deleted", "AWS::SSM::Parameter Only: it is used", True),
        ("it is protected", "has termination protection", True),
        ("somebody deploys it meanwhile", "is UPDATE_IN_PROGRESS: somebody deploys it", True),
        ("its executions do not stop", "run-1 on version 1: PAUSED", True),
        ("something of it is left", "log-group:left", False),
    ],
)
def test_what_fails_is_told_and_hides_no_other(how: str, said: str, stays: bool, aws: FakeAws, github: State) -> None:
    deploy(aws, 7, 8)
    say(github, {7: "closed", 8: "closed"})
    failing(aws, how)
    report = swept(aws, "--issue")
    assert set(aws.formation.stacks) == ({name(7)} if stays else set())
    assert (report.code, report.facts["failed"]) == (1, 1)
    notice = report.notice
    assert notice
    assert notice.topic == "sweep"
    for text in (report.markdown, notice.body or ""):
        assert said in text
    assert "#7, `acme-pr-7`" in (notice.body or "")
    assert "acme-pr-8" not in (notice.body or "")


def test_an_issue_is_kept_on_request_alone_and_has_nothing_to_say_once_all_is_well(aws: FakeAws, github: State) -> None:
    deploy(aws, 7)
    assert swept(aws).notice is swept(aws, "--issue", "--dry-run").notice is None
    github.add_pull(7, "closed")
    notice = swept(aws, "--issue").notice
    assert notice
    assert notice.body is None


def test_after_its_time_is_over_no_further_removal_begins(aws: FakeAws, github: State) -> None:
    deploy(aws, 7, 8, 9)
    say(github, dict.fromkeys((7, 8, 9), "closed"))
    aws.formation.deletion_seconds = 0.8 * budgets.SWEEP
    report = swept(aws)
    assert deleted(aws) == [name(7), name(8)]
    assert list(report.lines)[2] == (
        "acme-pr-9 is due (pull request 9 is closed), and was not removed: there was no time left for it"
    )
    assert swept(aws).code == 0
    assert aws.formation.stacks == {}


def test_an_environment_without_previews_is_refused(aws: FakeAws) -> None:
    with pytest.raises(UsageError, match=r"preview_days in environments/dev\.toml"):
        run(sweep, target(aws, DEV))
    assert aws.calls == []


def test_a_preview_goes_with_all_its_functions_and_is_told_once(aws: FakeAws, github: State) -> None:
    deploy(aws, 7, 8)
    deploy(aws, 7, 8, function="refunds")
    say(github, {7: "closed", 8: "open"})
    report = run(sweep, target(aws, PREVIEW_OF_TWO))
    assert deleted(aws) == [name(7), name(7, "refunds")]
    assert report.lines == [
        "acme-pr-7 is gone: pull request 7 is closed; 2 executions were stopped",
        "acme-pr-8 stays: pull request 8 is open, and it is 1 day old",
    ]
    found: Any = report.facts["previews"]
    assert [(each["preview"], each["stacks"]) for each in found] == [
        ("acme-pr-7", [name(7), name(7, "refunds")]),
        ("acme-pr-8", [name(8), name(8, "refunds")]),
    ]


@pytest.mark.parametrize("function", ["billing", "refunds", "gone"])
def test_what_is_there_of_a_preview_goes_though_the_checkout_has_other_functions(
    function: str, aws: FakeAws, github: State
) -> None:
    deploy(aws, 7, function=function)
    github.add_pull(7, "closed")
    assert run(sweep, target(aws, PREVIEW_OF_TWO)).code == 0
    assert aws.formation.stacks == {}


@pytest.mark.parametrize(
    ("status", "reason"), [("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"), ("REVIEW_IN_PROGRESS", "begins")]
)
def test_one_function_that_is_being_deployed_keeps_its_preview(
    status: str, reason: str, aws: FakeAws, github: State
) -> None:
    deploy(aws, 7)
    aws.formation.stack(name(7, "refunds"), TAGS, status, CreationTime=aws.clock.now() - JUST_NOW)
    github.add_pull(7, "closed")
    report = run(sweep, target(aws, PREVIEW_OF_TWO))
    assert reason in report.markdown
    assert deleted(aws) == []


def test_a_preview_one_stack_of_which_is_of_somebody_else_stays(aws: FakeAws, github: State) -> None:
    deploy(aws, 7)
    aws.formation.stack(name(7, "refunds"), {"project": "other"})
    github.add_pull(7, "closed")
    assert "none of ours" in run(sweep, target(aws, PREVIEW_OF_TWO)).markdown
    assert deleted(aws) == []


def test_where_one_function_can_not_be_deleted_the_preview_is_a_failure_and_goes_the_next_time(
    aws: FakeAws, github: State
) -> None:
    deploy(aws, 7)
    deploy(aws, 7, function="refunds")
    github.add_pull(7, "closed")
    aws.formation.undeletable[name(7)] = "it is used"
    report = run(sweep, target(aws, PREVIEW_OF_TWO))
    assert (report.code, set(aws.formation.stacks)) == (1, {name(7)})
    aws.formation.undeletable = {}
    assert run(sweep, target(aws, PREVIEW_OF_TWO)).code == 0
    assert aws.formation.stacks == {}
