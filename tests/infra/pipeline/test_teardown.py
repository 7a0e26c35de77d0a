"""A teardown: what it refuses while orders run, with nothing changed, and what it removes, in which order."""

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
from tests.infra.fakes.environments import DEV, PREVIEW, PROD, environment

ORDERS, PLATFORM = naming.orders_stack("dev"), naming.platform_stack("dev")
PROVIDER = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:some"
LOG_GROUP = "arn:aws:logs:eu-west-1:111111111111:log-group:some"


def platform(aws: FakeAws, name: str) -> None:
    """Let there be the platform of an environment, with nothing on it."""
    outputs = {"CapacityProviderArn": PROVIDER}
    aws.formation.stack(naming.platform_stack(name), naming.tags(name), outputs=outputs)
    aws.lambda_.on_provider[PROVIDER] = []


def function(aws: FakeAws, name: str, tags: dict[str, str] | None = None) -> None:
    """Let there be a function with two versions on that platform, and its stack if it has tags."""
    aws.lambda_.function(name, "1", "2")
    aws.lambda_.on_provider[PROVIDER] += [f"{aws.lambda_.arn_of(name)}:{version}" for version in ("1", "2")]
    if tags is not None:
        aws.formation.stack(name, tags)


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with all of dev, and one order that runs."""
    aws = FakeAws()
    platform(aws, "dev")
    function(aws, ORDERS, naming.tags("dev"))
    aws.lambda_.execution(ORDERS, "order-1")
    return aws


def torn_down(aws: FakeAws, *options: str, on: Environment = DEV, running: str = "stop") -> Report:
    """Remove an environment on consent. Unless told otherwise, in the way that spares nothing."""
    there = target(aws, on)
    return run(teardown, there, "--confirm", there.stack_names[-1], "--running", running, *options)


def changed(aws: FakeAws) -> set[str]:
    """Return the operations that changed something."""
    return {operation for operation, _ in aws.calls if not operation.startswith(("Get", "List", "Describe"))}


def deleted(aws: FakeAws) -> list[str]:
    return [each["StackName"] for each in aws.asked("DeleteStack")]


@pytest.mark.parametrize("confirmed", ["", "dev", PLATFORM, naming.orders_stack("prod"), ORDERS.upper(), f"{ORDERS} "])
def test_another_confirmation_than_the_first_stacks_name_is_refused(confirmed: str, aws: FakeAws) -> None:
    with pytest.raises(UsageError, match=f"takes --confirm {ORDERS}"):
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


@pytest.mark.parametrize("stack", [ORDERS, PLATFORM])
@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"EnableTerminationProtection": True}, r"protection.termination_protection = false in environments/dev\.toml"),
        ({"StackStatus": "UPDATE_IN_PROGRESS"}, "is UPDATE_IN_PROGRESS: somebody deploys it"),
        ({"StackStatus": "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"}, "somebody deploys it"),
        ({"Tags": []}, "was not made by this project"),
        ({"Tags": [{"Key": "environment", "Value": "dev"}]}, "was not made by this project"),
        ({"Tags": [{"Key": key, "Value": value} for key, value in naming.tags("prod").items()]}, "should be"),
    ],
)
def test_either_stack_may_forbid_it_and_then_nothing_is_touched(
    stack: str, state: dict[str, object], said: str, aws: FakeAws
) -> None:
    aws.formation.stacks[stack] |= state
    with pytest.raises(CommandError, match=rf"Nothing was removed:\n{stack} .*{said}"):
        torn_down(aws)
    assert changed(aws) == set()


def test_a_platform_that_somebody_elses_function_uses_keeps_the_orders_stack_as_well(aws: FakeAws) -> None:
    function(aws, "guest")
    with pytest.raises(CommandError, match=f"{PLATFORM} is used by guest; remove that first"):
        torn_down(aws)
    assert changed(aws) == set()


@pytest.mark.parametrize("tags", [naming.tags("preview", 7), {}], ids=["ours", "of somebody else"])
@pytest.mark.parametrize("has_function", [True, False])
def test_a_platform_that_a_preview_uses_stays_even_before_that_has_a_function(
    has_function: bool, tags: dict[str, str]
) -> None:
    aws, name = FakeAws(), naming.orders_stack("preview", 7)
    platform(aws, "preview")
    if has_function:
        function(aws, name, tags)
    else:
        aws.formation.stack(name, tags)
    with pytest.raises(CommandError, match=f"{naming.platform_stack('preview')} is used by {name}"):
        torn_down(aws, on=PREVIEW)
    assert changed(aws) == set()


@pytest.mark.parametrize("operation", ["DescribeStacks", "ListFunctionVersionsByCapacityProvider"])
def test_what_may_not_be_read_is_not_taken_for_gone(operation: str, aws: FakeAws) -> None:
    aws.deny(operation)
    with pytest.raises(ClientError, match=f"no {operation}"):
        torn_down(aws)
    assert changed(aws) == set()


@pytest.mark.parametrize("status", ["RUNNING", "PAUSING", "PAUSED"])
def test_orders_that_have_not_ended_refuse_it_unless_told_otherwise(status: str, aws: FakeAws) -> None:
    aws.lambda_.functions[ORDERS].executions[0].status = status
    with pytest.raises(CommandError, match=f"order-1 on version 1: {status}"):
        run(teardown, target(aws, DEV), "--confirm", ORDERS)
    assert changed(aws) == set()


def test_orders_that_do_not_end_in_time_leave_all_as_it_was(aws: FakeAws) -> None:
    with pytest.raises(CommandError, match="order-1 on version 1: RUNNING"):
        torn_down(aws, "--deadline", "60", running="wait")
    assert (deleted(aws), aws.lambda_.functions[ORDERS].aliases.keys()) == ([], {naming.ALIAS})


def test_a_dry_run_tells_all_and_changes_nothing(aws: FakeAws) -> None:
    aws.formation.stacks[PLATFORM]["EnableTerminationProtection"] = True
    report = run(teardown, target(aws, DEV), "--dry-run")
    lines = report.markdown.split("\n")
    assert report.lines == lines
    assert lines[:3] == [
        f"To be removed: {ORDERS}, UPDATE_COMPLETE",
        f"To be removed: {PLATFORM}, UPDATE_COMPLETE",
        "  order-1 on version 1: RUNNING, started 0 s ago",
    ]
    (refusal,) = lines[3:]
    assert refusal.startswith(f"Refused: {PLATFORM} has termination protection")
    refusals = [refusal.removeprefix("Refused: ")]
    assert report.facts == {"stacks": [ORDERS, PLATFORM], "refusals": refusals, "running": 1, "removed": False}
    assert changed(aws) == set()


def test_orders_are_waited_for_and_then_all_goes_the_function_first(aws: FakeAws) -> None:
    order = aws.lambda_.functions[ORDERS].executions[0]
    aws.clock.after(60, lambda: setattr(order, "status", "SUCCEEDED"))
    assert torn_down(aws, running="wait").lines == [f"{ORDERS} and {PLATFORM} gone"]
    assert (order.status, deleted(aws), aws.formation.stacks) == ("SUCCEEDED", [ORDERS, PLATFORM], {})


def test_orders_are_stopped_on_consent(aws: FakeAws) -> None:
    report = torn_down(aws)
    assert report.lines == [f"{ORDERS} and {PLATFORM} gone; 1 execution was stopped"]
    assert report.facts == {"removed": True, "stopped": 1, "retained": []}


def test_a_preview_goes_alone_from_any_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
    aws, name = FakeAws(), naming.orders_stack("preview", 7)
    platform(aws, "preview")
    for number in (7, 8):
        function(aws, naming.orders_stack("preview", number), naming.tags("preview", number))
    run(teardown, target(aws, PREVIEW, 7), "--confirm", name)
    assert deleted(aws) == [name]


def test_a_function_that_could_not_be_deleted_is_said_to_be_closed_and_the_next_teardown_goes_on(aws: FakeAws) -> None:
    aws.formation.undeletable[ORDERS] = "it is used"
    with pytest.raises(CommandError, match=r"it is used\n.*takes no new executions: .*`drain --open`"):
        torn_down(aws)
    assert (deleted(aws), aws.lambda_.functions[ORDERS].aliases.keys()) == ([ORDERS], {naming.CLOSED_ALIAS})
    aws.deny("DeleteStack")
    with pytest.raises(CommandError, match=r"no DeleteStack\n.*`drain --open`"):
        torn_down(aws)
    aws.formation.undeletable = {}
    torn_down(aws)
    assert aws.formation.stacks == {}


def test_a_stack_that_could_not_be_deleted_after_its_function_is_not_said_to_be_closed(aws: FakeAws) -> None:
    aws.formation.undeletable[ORDERS] = "it is used"
    aws.on("DeleteStack", lambda: aws.lambda_.forget(ORDERS))
    with pytest.raises(CommandError, match=f"{ORDERS} could not be deleted: [^\n]*\\Z"):
        torn_down(aws)


def test_a_platform_that_somebody_begins_to_use_meanwhile_stays(aws: FakeAws) -> None:
    aws.on("DeleteStack", lambda: function(aws, "guest"))
    with pytest.raises(CommandError, match=f"{PLATFORM} is used by guest"):
        torn_down(aws)
    assert deleted(aws) == [ORDERS]


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
    aws.formation.stack(ORDERS, naming.tags("dev"), "ROLLBACK_COMPLETE")
    assert run(teardown, target(aws, DEV), "--dry-run").facts["running"] == 0
    assert torn_down(aws, running="refuse").lines == [f"{ORDERS} gone"]


def test_what_never_was_is_gone() -> None:
    aws = FakeAws()
    assert run(teardown, target(aws, DEV), "--dry-run").lines == ["There is nothing of dev to remove"]
    report = torn_down(aws)
    assert report.lines == [f"There is no {ORDERS} and no {PLATFORM}: nothing was left to remove"]
    assert report.facts["removed"] is False


def test_it_removes_in_the_environments_region_whatever_the_callers_is(monkeypatch: pytest.MonkeyPatch) -> None:
    there = environment(region="us-east-1", network={"zones": ["us-east-1a"]})
    aws = FakeAws(region=there.region)
    aws.formation.stack(ORDERS, naming.tags("dev"))
    aws.formation.stack(PLATFORM, naming.tags("dev"))

    def opened(region_name: str = "eu-west-1") -> boto3.Session:
        return aws.session(region_name)

    monkeypatch.setattr(session.boto3, "Session", opened)
    assert run(teardown, Target(there, clock=aws.clock), "--confirm", ORDERS).facts["removed"]
    assert deleted(aws) == [ORDERS, PLATFORM]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_left_with_the_tags_is_named_and_keeps_it_red(is_there: bool, aws: FakeAws) -> None:
    if not is_there:
        aws.formation.stacks = {}
    aws.tagged = [(LOG_GROUP, naming.tags("dev"))]
    with pytest.raises(CommandError, match=f"remove it by hand:\n  {LOG_GROUP}"):
        torn_down(aws)
    assert aws.formation.stacks == {}


def test_what_the_template_retains_is_told_even_once_cloudformation_has_forgotten_the_stack() -> None:
    aws = FakeAws()
    stack_id = aws.formation.stack(naming.orders_stack("prod"), naming.tags("prod"))["StackId"]
    aws.tagged = [(LOG_GROUP, naming.tags("prod") | {STACK_ID: stack_id, LOGICAL_ID: "Logs"})]
    skipped = {"LogicalResourceId": "Logs", "PhysicalResourceId": "some", "ResourceStatus": "DELETE_SKIPPED"}
    aws.formation.events[stack_id] = [skipped]
    told = f"Retained, as the template says: {LOG_GROUP}"
    assert told in torn_down(aws, on=PROD).markdown
    del aws.formation.events[stack_id]
    report = torn_down(aws, on=PROD)
    assert "nothing was left to remove" in report.markdown
    assert (told in report.markdown, report.facts["retained"]) == (True, [LOG_GROUP])
