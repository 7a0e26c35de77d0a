"""A teardown: what it refuses while executions run, with nothing changed, and what it removes, in which order."""

import boto3
import pytest
from botocore.exceptions import ClientError

from infra import naming
from infra.aws import session
from infra.aws.leftovers import LOGICAL_ID, STACK_ID
from infra.aws.target import Target
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.pipeline import teardown
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW, PREVIEW_OF_TWO, PROD, environment

BILLING, REFUNDS, PLATFORM = "acme-dev-billing", "acme-dev-refunds", "acme-platform-dev"
PROVIDER = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:some"
LOG_GROUP = "arn:aws:logs:eu-west-1:111111111111:log-group:some"


def platform(aws: FakeAws, of: Environment) -> None:
    """Let there be the platform of an environment, with nothing on it."""
    outputs = {"CapacityProviderArn": PROVIDER}
    aws.formation.stack(naming.platform_stack(of), naming.tags(of), outputs=outputs)
    aws.lambda_.on_provider[PROVIDER] = []


def function(aws: FakeAws, name: str, tags: dict[str, str] | None = None) -> None:
    """Let there be a function with two versions on that platform, and its stack if it has tags."""
    aws.lambda_.function(name, "1", "2")
    aws.lambda_.on_provider[PROVIDER] += [f"{aws.lambda_.arn_of(name)}:{version}" for version in ("1", "2")]
    if tags is not None:
        aws.formation.stack(name, tags)


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with all of dev, and one execution that runs."""
    aws = FakeAws()
    platform(aws, DEV)
    function(aws, BILLING, naming.tags(DEV))
    aws.lambda_.execution(BILLING, "run-1")
    return aws


def torn_down(aws: FakeAws, *options: str, on: Environment = DEV, running: str = "stop") -> Report:
    """Remove an environment on consent. Unless told otherwise, in the way that spares nothing."""
    there = target(aws, on)
    return run(teardown, there, "--confirm", there.name, "--running", running, *options)


def changed(aws: FakeAws) -> set[str]:
    """Return the operations that changed something."""
    return {operation for operation, _ in aws.calls if not operation.startswith(("Get", "List", "Describe"))}


def deleted(aws: FakeAws) -> list[str]:
    return [each["StackName"] for each in aws.asked("DeleteStack")]


@pytest.mark.parametrize("confirmed", ["", "dev", PLATFORM, BILLING, "acme-prod", "ACME-DEV", "acme-dev "])
def test_another_confirmation_than_its_name_is_refused(confirmed: str, aws: FakeAws) -> None:
    with pytest.raises(UsageError, match=r"takes --confirm acme-dev$"):
        torn_down(aws, "--confirm", confirmed)
    assert aws.calls == []


@pytest.mark.parametrize("on", [DEV, PROD], ids=lambda on: on.name)
def test_a_workflow_of_another_branch_is_refused(
    on: Environment, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/feature")
    with pytest.raises(UsageError, match=f"{on.name} is removed by a workflow of refs/heads/main alone"):
        torn_down(aws, on=on)
    with pytest.raises(UsageError, match="refs/heads/main alone"):
        torn_down(aws, "--dry-run", on=on)
    assert aws.calls == []


@pytest.mark.parametrize("stack", [BILLING, PLATFORM])
@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"EnableTerminationProtection": True}, r"protection.termination_protection = false in environments/dev\.toml"),
        ({"StackStatus": "UPDATE_IN_PROGRESS"}, "is UPDATE_IN_PROGRESS: somebody deploys it"),
        ({"StackStatus": "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"}, "somebody deploys it"),
        ({"Tags": []}, "was not made by this project"),
        ({"Tags": [{"Key": "environment", "Value": "dev"}]}, "was not made by this project"),
        ({"Tags": [{"Key": key, "Value": value} for key, value in naming.tags(PROD).items()]}, "should be"),
    ],
)
def test_either_stack_may_forbid_it_and_then_nothing_is_touched(
    stack: str, state: dict[str, object], said: str, aws: FakeAws
) -> None:
    aws.formation.stacks[stack] |= state
    with pytest.raises(CommandError, match=rf"Nothing was removed:\n{stack} .*{said}"):
        torn_down(aws)
    assert changed(aws) == set()


def test_a_platform_that_somebody_elses_function_uses_keeps_its_own_functions_as_well(aws: FakeAws) -> None:
    function(aws, "guest")
    with pytest.raises(CommandError, match=f"{PLATFORM} is used by guest; remove that first"):
        torn_down(aws)
    assert changed(aws) == set()


@pytest.mark.parametrize("tags", [naming.tags(PREVIEW, 7), {}], ids=["ours", "of somebody else"])
@pytest.mark.parametrize("has_function", [True, False])
def test_a_platform_that_a_preview_uses_stays_even_before_that_has_a_function(
    has_function: bool, tags: dict[str, str]
) -> None:
    aws, name = FakeAws(), "acme-pr-7-billing"
    platform(aws, PREVIEW)
    if has_function:
        function(aws, name, tags)
    else:
        aws.formation.stack(name, tags)
    with pytest.raises(CommandError, match=f"acme-platform-preview is used by {name}"):
        torn_down(aws, on=PREVIEW)
    assert changed(aws) == set()


@pytest.mark.parametrize("operation", ["DescribeStacks", "ListFunctionVersionsByCapacityProvider"])
def test_what_may_not_be_read_is_not_taken_for_gone(operation: str, aws: FakeAws) -> None:
    aws.deny(operation)
    with pytest.raises(ClientError, match=f"no {operation}"):
        torn_down(aws)
    assert changed(aws) == set()


@pytest.mark.parametrize("status", ["RUNNING", "PAUSING", "PAUSED"])
def test_executions_that_have_not_ended_refuse_it_unless_told_otherwise(status: str, aws: FakeAws) -> None:
    aws.lambda_.functions[BILLING].executions[0].status = status
    with pytest.raises(CommandError, match=f"run-1 on version 1: {status}"):
        run(teardown, target(aws, DEV), "--confirm", "acme-dev")
    assert changed(aws) == set()


def test_executions_that_do_not_end_in_time_leave_all_as_it_was(aws: FakeAws) -> None:
    with pytest.raises(CommandError, match="run-1 on version 1: RUNNING"):
        torn_down(aws, "--deadline", "60", running="wait")
    assert (deleted(aws), aws.lambda_.functions[BILLING].aliases.keys()) == ([], {naming.ALIAS})


def test_a_dry_run_tells_all_and_changes_nothing(aws: FakeAws) -> None:
    aws.formation.stacks[PLATFORM]["EnableTerminationProtection"] = True
    report = run(teardown, target(aws, DEV), "--dry-run")
    lines = report.markdown.split("\n")
    assert report.lines == lines
    assert lines[:3] == [
        f"To be removed: {BILLING}, UPDATE_COMPLETE",
        f"To be removed: {PLATFORM}, UPDATE_COMPLETE",
        "  run-1 on version 1: RUNNING, started 0 s ago",
    ]
    (refusal,) = lines[3:]
    assert refusal.startswith(f"Refused: {PLATFORM} has termination protection")
    refusals = [refusal.removeprefix("Refused: ")]
    assert report.facts == {"stacks": [BILLING, PLATFORM], "refusals": refusals, "running": 1, "removed": False}
    assert changed(aws) == set()


def test_executions_are_waited_for_and_then_all_goes_the_function_first(aws: FakeAws) -> None:
    execution = aws.lambda_.functions[BILLING].executions[0]
    aws.clock.after(60, lambda: setattr(execution, "status", "SUCCEEDED"))
    assert torn_down(aws, running="wait").lines == [f"{BILLING} and {PLATFORM} gone"]
    assert (execution.status, deleted(aws), aws.formation.stacks) == ("SUCCEEDED", [BILLING, PLATFORM], {})


def test_executions_are_stopped_on_consent(aws: FakeAws) -> None:
    report = torn_down(aws)
    assert report.lines == [f"{BILLING} and {PLATFORM} gone; 1 execution was stopped"]
    assert report.facts == {"removed": True, "stopped": 1, "retained": []}


def test_a_preview_goes_alone_from_any_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
    aws, name = FakeAws(), "acme-pr-7-billing"
    platform(aws, PREVIEW)
    for number in (7, 8):
        function(aws, f"acme-pr-{number}-billing", naming.tags(PREVIEW, number))
    run(teardown, target(aws, PREVIEW, 7), "--confirm", "acme-pr-7")
    assert deleted(aws) == [name]


def test_a_function_that_could_not_be_deleted_is_said_to_be_closed_and_the_next_teardown_goes_on(aws: FakeAws) -> None:
    aws.formation.undeletable[BILLING] = "it is used"
    with pytest.raises(CommandError, match=r"it is used\n.*taking no new executions: acme-dev-billing.*`drain --open`"):
        torn_down(aws)
    assert (deleted(aws), aws.lambda_.functions[BILLING].aliases.keys()) == ([BILLING], {naming.CLOSED_ALIAS})
    aws.deny("DeleteStack")
    with pytest.raises(CommandError, match=r"no DeleteStack\n.*`drain --open`"):
        torn_down(aws)
    aws.formation.undeletable = {}
    torn_down(aws)
    assert aws.formation.stacks == {}


def test_a_stack_that_could_not_be_deleted_after_its_function_is_not_said_to_be_closed(aws: FakeAws) -> None:
    aws.formation.undeletable[BILLING] = "it is used"
    aws.on("DeleteStack", lambda: aws.lambda_.forget(BILLING))
    with pytest.raises(CommandError, match=f"{BILLING} could not be deleted: [^\n]*\\Z"):
        torn_down(aws)


def test_a_platform_that_somebody_begins_to_use_meanwhile_stays(aws: FakeAws) -> None:
    aws.on("DeleteStack", lambda: function(aws, "guest"))
    with pytest.raises(CommandError, match=f"{PLATFORM} is used by guest"):
        torn_down(aws)
    assert deleted(aws) == [BILLING]


def test_a_platform_that_could_not_be_deleted_is_named_and_the_next_teardown_goes_on(aws: FakeAws) -> None:
    aws.formation.undeletable[PLATFORM] = "it is used"
    with pytest.raises(CommandError, match=f"{PLATFORM} could not be deleted: AWS::SSM::Parameter Only: it is used"):
        torn_down(aws)
    aws.formation.undeletable = {}
    # Somebody else may have removed the capacity provider by hand.
    del aws.lambda_.on_provider[PROVIDER]
    assert torn_down(aws).lines == [f"{PLATFORM} gone"]


def test_a_stack_that_failed_to_be_made_has_no_function_to_drain() -> None:
    aws = FakeAws()
    aws.formation.stack(BILLING, naming.tags(DEV), "ROLLBACK_COMPLETE")
    assert run(teardown, target(aws, DEV), "--dry-run").facts["running"] == 0
    assert torn_down(aws, running="refuse").lines == [f"{BILLING} gone"]


def test_what_never_was_is_gone() -> None:
    aws = FakeAws()
    assert run(teardown, target(aws, DEV), "--dry-run").lines == ["There is nothing of acme-dev to remove"]
    report = torn_down(aws)
    assert report.lines == ["There is nothing of acme-dev: nothing was left to remove"]
    assert report.facts["removed"] is False


def test_it_removes_in_the_environments_region_whatever_the_callers_is(monkeypatch: pytest.MonkeyPatch) -> None:
    there = environment(region="us-east-1", network={"zones": ["us-east-1a"]})
    aws = FakeAws(region=there.region)
    aws.formation.stack(BILLING, naming.tags(DEV))
    aws.formation.stack(PLATFORM, naming.tags(DEV))

    def opened(region_name: str = "eu-west-1") -> boto3.Session:
        return aws.session(region_name)

    monkeypatch.setattr(session.boto3, "Session", opened)
    assert run(teardown, Target(there, clock=aws.clock), "--confirm", "acme-dev").facts["removed"]
    assert deleted(aws) == [BILLING, PLATFORM]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_left_with_the_tags_is_named_and_keeps_it_red(is_there: bool, aws: FakeAws) -> None:
    if not is_there:
        aws.formation.stacks = {}
    aws.tagged = [(LOG_GROUP, naming.tags(DEV))]
    with pytest.raises(CommandError, match=f"remove it by hand:\n  {LOG_GROUP}"):
        torn_down(aws)
    assert aws.formation.stacks == {}


def test_what_the_template_retains_is_told_even_once_cloudformation_has_forgotten_the_stack() -> None:
    aws = FakeAws()
    stack_id = aws.formation.stack("acme-prod-billing", naming.tags(PROD))["StackId"]
    aws.tagged = [(LOG_GROUP, naming.tags(PROD) | {STACK_ID: stack_id, LOGICAL_ID: "Logs"})]
    skipped = {"LogicalResourceId": "Logs", "PhysicalResourceId": "some", "ResourceStatus": "DELETE_SKIPPED"}
    aws.formation.events[stack_id] = [skipped]
    delete = f"aws logs delete-log-group --log-group-name some --region {PROD.region}"
    told = f"Retained, as the template says: log group some; delete it with `{delete}`"
    assert told in torn_down(aws, on=PROD).markdown
    del aws.formation.events[stack_id]
    report = torn_down(aws, on=PROD)
    assert "nothing was left to remove" in report.markdown
    assert (told in report.markdown, report.facts["retained"]) == (True, [LOG_GROUP])


@pytest.fixture
def of_two(aws: FakeAws) -> FakeAws:
    """The same with a second function, on which nothing runs, and which is deployed by another checkout."""
    function(aws, REFUNDS, naming.tags(DEV))
    return aws


def is_open(aws: FakeAws, name: str) -> bool:
    return naming.ALIAS in aws.lambda_.functions[name].aliases


@pytest.mark.parametrize("on", [DEV, DEV_OF_TWO], ids=["this checkout lacks one", "this checkout has both"])
def test_all_functions_go_before_the_platform_whatever_the_checkout_has(on: Environment, of_two: FakeAws) -> None:
    report = torn_down(of_two, on=on)
    assert report.lines == [f"{BILLING} and {REFUNDS} and {PLATFORM} gone; 1 execution was stopped"]
    assert (deleted(of_two), of_two.formation.stacks) == ([BILLING, REFUNDS, PLATFORM], {})


@pytest.mark.parametrize("busy", [BILLING, REFUNDS])
@pytest.mark.parametrize("running", ["refuse", "wait"])
def test_executions_of_one_function_keep_all_and_all_take_new_ones(running: str, busy: str, of_two: FakeAws) -> None:
    of_two.lambda_.functions[BILLING].executions.clear()
    of_two.lambda_.execution(busy, "run-2", "PAUSED")
    with pytest.raises(CommandError, match="run-2 on version 1: PAUSED"):
        torn_down(of_two, running=running)
    assert deleted(of_two) == []
    assert is_open(of_two, BILLING)
    assert is_open(of_two, REFUNDS)


def test_a_stack_of_somebody_else_that_is_named_like_a_function_keeps_all(of_two: FakeAws) -> None:
    of_two.formation.stack("acme-dev-other", {"project": "other"})
    with pytest.raises(CommandError, match="Nothing was removed:\nacme-dev-other was not made by this project"):
        torn_down(of_two)
    assert changed(of_two) == set()


def test_a_dry_run_tells_of_which_function_executions_are(of_two: FakeAws) -> None:
    of_two.lambda_.execution(REFUNDS, "run-2", "PAUSED", version="2")
    report = run(teardown, target(of_two, DEV_OF_TWO), "--dry-run")
    assert report.lines == [
        f"To be removed: {BILLING}, UPDATE_COMPLETE",
        f"To be removed: {REFUNDS}, UPDATE_COMPLETE",
        f"To be removed: {PLATFORM}, UPDATE_COMPLETE",
        f"  {BILLING}: run-1 on version 1: RUNNING, started 0 s ago",
        f"  {REFUNDS}: run-2 on version 2: PAUSED, started 0 s ago",
    ]
    assert report.facts["running"] == 2


def test_one_function_goes_alone_on_its_own_consent(of_two: FakeAws) -> None:
    on = target(of_two, DEV_OF_TWO, only="refunds")
    with pytest.raises(UsageError, match=f"takes --confirm {REFUNDS}"):
        run(teardown, on, "--confirm", "acme-dev")
    # What the others have carries the same tags, and is not left.
    of_two.tagged = [
        (f"{LOG_GROUP}-{name}", naming.tags(DEV) | {STACK_ID: of_two.formation.stacks[name]["StackId"]})
        for name in (BILLING, PLATFORM)
    ]
    assert run(teardown, on, "--confirm", REFUNDS).lines == [f"{REFUNDS} gone"]
    assert deleted(of_two) == [REFUNDS]
    assert run(teardown, on, "--confirm", REFUNDS).lines == [
        f"There is nothing of {REFUNDS}: nothing was left to remove"
    ]
    assert is_open(of_two, BILLING)


def test_what_is_left_of_one_function_is_named(of_two: FakeAws) -> None:
    tags = naming.tags(DEV) | {STACK_ID: of_two.formation.stacks[REFUNDS]["StackId"], LOGICAL_ID: "Logs"}
    of_two.tagged = [(LOG_GROUP, tags)]
    with pytest.raises(CommandError, match=f"remove it by hand:\n  {LOG_GROUP}"):
        run(teardown, target(of_two, DEV_OF_TWO, only="refunds"), "--confirm", REFUNDS)


def test_a_function_of_the_platform_of_previews_is_that_of_a_pull_request(of_two: FakeAws) -> None:
    with pytest.raises(UsageError, match="add --pull-request N"):
        run(teardown, target(of_two, PREVIEW, only="refunds"), "--dry-run")


def test_a_preview_goes_with_all_its_functions() -> None:
    aws, names = FakeAws(), ["acme-pr-7-billing", "acme-pr-7-refunds"]
    platform(aws, PREVIEW)
    for name in names:
        function(aws, name, naming.tags(PREVIEW, 7))
    function(aws, "acme-pr-77-billing", naming.tags(PREVIEW, 77))
    run(teardown, target(aws, PREVIEW_OF_TWO, 7), "--confirm", "acme-pr-7")
    assert deleted(aws) == names


def test_where_one_of_several_could_not_be_deleted_the_others_go_and_the_platform_stays(of_two: FakeAws) -> None:
    of_two.formation.undeletable[BILLING] = "it is used"
    with pytest.raises(CommandError, match=f"it is used\nStill there, and taking no new executions: {BILLING}. "):
        torn_down(of_two)
    assert set(of_two.formation.stacks) == {BILLING, PLATFORM}
