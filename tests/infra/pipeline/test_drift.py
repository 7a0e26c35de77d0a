"""What drift looks at, and what it says of what CloudFormation can't tell, and of stacks that it can't look at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from infra import budgets, naming
from infra.console.report import Notice, Report
from infra.environment import Environment
from infra.errors import UsageError
from infra.pipeline import drift
from tests.infra.fakes import assemblies
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW, PROD

NAME, REFUNDS, PLATFORM, ACCESS = "acme-dev-billing", "acme-dev-refunds", "acme-platform-dev", "acme-access-dev"
TOOLKIT = naming.toolkit_stack(DEV)
Look = Callable[..., Report]
CHANGED = {"PropertyPath": "/Name", "ExpectedValue": "a", "ActualValue": "b", "DifferenceType": "NOT_EQUAL"}


@pytest.fixture
def aws() -> FakeAws:
    """An AWS in which all is as main says."""
    aws = FakeAws()
    for name in (PLATFORM, NAME, TOOLKIT, ACCESS):
        aws.formation.stack(name, naming.tags(DEV), outputs={"Commit": assemblies.COMMIT})
    aws.lambda_.function(NAME, "3").code["3"] = assemblies.ARCHIVE_SHA256
    return aws


@pytest.fixture
def looked(aws: FakeAws, tmp_path: Path) -> Look:
    def looked(*options: str, environment: Environment = DEV) -> Report:
        on = target(aws, environment)
        report = run(drift, on, "--assembly", str(assemblies.write(tmp_path, on)), *options)
        assert report.code == (0 if facts(report)["clean"] else 1)
        assert told(report).startswith("Everything is" if facts(report)["clean"] else "Not everything is")
        return report

    return looked


def resource(aws: FakeAws, stack: str, name: str, status: str | None, *changes: dict[str, str]) -> None:
    """Let a stack have a resource, in a status that a detection of drift gives it, if any."""
    base = {"LogicalResourceId": name, "ResourceType": "AWS::Logs::LogGroup"}
    aws.formation.resources.setdefault(stack, []).append(base)
    if status:
        drifted = {**base, "StackResourceDriftStatus": status, "PropertyDifferences": list(changes)}
        aws.formation.drifts.setdefault(stack, []).append(drifted)


def test_where_all_is_as_main_says_it_says_so(aws: FakeAws, looked: Look) -> None:
    for number in range(5):
        resource(aws, NAME, str(number), "IN_SYNC")
    nothing: list[str] = []
    expected = {"clean": True, "drifted": nothing, "differing": nothing, "unchecked": nothing, "notes": nothing}
    assert facts(looked()) == expected
    assert aws.asked("DetectStackDrift") == [{"StackName": name} for name in (PLATFORM, NAME, TOOLKIT, ACCESS)]


def test_the_previews_platform_is_watched_and_their_functions_are_not(aws: FakeAws, looked: Look) -> None:
    names = ["acme-platform-preview", naming.toolkit_stack(PREVIEW), "acme-access-preview"]
    for name in (*names, "acme-pr-7-billing"):
        aws.formation.stack(name, naming.tags(PREVIEW), outputs={"Commit": assemblies.COMMIT})
    assert facts(looked(environment=PREVIEW))["clean"]
    assert aws.asked("DetectStackDrift") == [{"StackName": name} for name in names]


def test_a_resource_that_cannot_be_checked_is_listed_and_is_no_drift(aws: FakeAws, looked: Look) -> None:
    for name, status in {"Sure": "IN_SYNC", "A": "UNKNOWN", "B": "NOT_CHECKED", "C": None}.items():
        resource(aws, NAME, name, status)
    report = looked()
    assert facts(report)["clean"]
    assert facts(report)["unchecked"] == [
        f"{NAME}: AWS::Logs::LogGroup A: UNKNOWN",
        f"{NAME}: AWS::Logs::LogGroup B: NOT_CHECKED",
        f"{NAME}: AWS::Logs::LogGroup C: not supported by drift detection",
    ]
    assert "3 resources could not be checked:\n  acme-dev-billing: AWS::Logs::LogGroup A: UNKNOWN" in told(report)
    assert "3 resources could not be checked" in report.markdown


@pytest.mark.parametrize("status", ["MODIFIED", "DELETED"])
@pytest.mark.parametrize("stack", [PLATFORM, NAME, TOOLKIT, ACCESS])
def test_a_resource_that_is_not_what_the_template_says_is_drift(
    status: str, stack: str, aws: FakeAws, looked: Look
) -> None:
    # On the second page: the first shows two.
    for name in ("A", "B", "C"):
        resource(aws, stack, name, "IN_SYNC")
    resource(aws, stack, "D", status, CHANGED, CHANGED)
    report = looked()
    assert not facts(report)["clean"]
    line = f"{stack}: AWS::Logs::LogGroup D is {status}: " + "; ".join(["/Name should be a and is b"] * 2)
    assert facts(report)["drifted"] == [line]
    assert f"  {line}" in told(report).splitlines()
    assert "**Drifted**\n\n- " in report.markdown


def test_a_detection_is_waited_for(aws: FakeAws, looked: Look) -> None:
    aws.formation.detections[NAME] = ["DETECTION_IN_PROGRESS", "DETECTION_COMPLETE"]
    assert facts(looked())["clean"]


def test_a_detection_that_fails_is_a_finding_and_hides_nothing_of_what_it_found(aws: FakeAws, looked: Look) -> None:
    aws.formation.detections[NAME] = ["DETECTION_FAILED"]
    resource(aws, NAME, "A", "UNKNOWN")
    resource(aws, NAME, "B", "MODIFIED")
    resource(aws, PLATFORM, "C", "MODIFIED")
    found = facts(looked())
    assert found["differing"] == [f"{NAME}: the detection of drift failed: some reason"]
    assert len(found["drifted"]) == 2
    assert len(found["unchecked"]) == 1


def test_detections_without_end_are_findings_after_one_time_limit_for_all(aws: FakeAws, looked: Look) -> None:
    aws.formation.detections = {PLATFORM: ["DETECTION_IN_PROGRESS"], NAME: ["DETECTION_IN_PROGRESS"]}
    found = facts(looked())
    end = "the detection of drift did not end within 20 minutes"
    assert found["differing"] == [f"{PLATFORM}: {end}", f"{NAME}: {end}"]
    assert aws.clock.monotonic() < budgets.DRIFT_DETECTION + budgets.MINUTE


def test_a_stack_that_is_changing_is_not_looked_at_and_said_so(aws: FakeAws, looked: Look) -> None:
    aws.formation.stacks[NAME]["StackStatus"] = "UPDATE_IN_PROGRESS"
    report = looked()
    assert facts(report)["clean"]
    assert facts(report)["notes"] == [f"{NAME} is UPDATE_IN_PROGRESS, so that it was not looked at"]
    assert f"note: {NAME} is UPDATE_IN_PROGRESS" in told(report)
    assert {"StackName": NAME} not in aws.asked("DetectStackDrift")


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED", "UPDATE_FAILED"])
def test_a_stack_of_which_no_drift_can_be_detected_is_a_finding(status: str, aws: FakeAws, looked: Look) -> None:
    aws.formation.stacks[NAME]["StackStatus"] = status
    assert facts(looked())["differing"] == [f"{NAME} is {status}"]


def test_a_stack_that_is_not_there_is_a_finding(aws: FakeAws, looked: Look) -> None:
    del aws.formation.stacks[ACCESS]
    assert facts(looked())["differing"] == [f"{ACCESS} is not deployed"]


@pytest.mark.parametrize("stack", [PLATFORM, NAME])
def test_another_commit_is_a_note_since_main_may_be_newer_than_its_deployment(
    stack: str, aws: FakeAws, looked: Look
) -> None:
    aws.formation.stack(stack, naming.tags(DEV), outputs={"Commit": "a" * 40})
    # A person deploys this one, from whatever commit.
    aws.formation.stack(TOOLKIT, {})
    found = facts(looked())
    assert found["clean"]
    assert found["notes"] == [f"{stack} was deployed from commit {'a' * 40}, and main is at {assemblies.COMMIT}"]


def test_other_code_than_the_builds_is_a_finding(aws: FakeAws, looked: Look) -> None:
    aws.lambda_.functions[NAME].code["3"] = "AAAA"
    report, line = looked(), f"{NAME}: the code of its live version 3 is not what main builds"
    assert facts(report)["differing"] == [line]
    assert f"  {line}" in told(report).splitlines()
    assert "**Differing**\n\n- " in report.markdown


def test_a_function_without_a_live_version_is_a_finding(aws: FakeAws, looked: Look) -> None:
    target(aws, DEV).function("billing").close()
    assert facts(looked())["differing"] == [f"{NAME} was drained and takes no new executions"]


def test_a_function_that_is_gone_is_a_finding(aws: FakeAws, looked: Look) -> None:
    aws.lambda_.forget(NAME)
    assert facts(looked())["differing"] == [f"{NAME} has no live version"]


@pytest.mark.parametrize("status", ["IN_SYNC", "MODIFIED"])
def test_the_issue_says_what_was_found_and_ends_when_nothing_was(status: str, aws: FakeAws, looked: Look) -> None:
    resource(aws, NAME, "A", status)
    assert looked().notice is None
    report = looked("--issue")
    body = None if status == "IN_SYNC" else report.markdown
    assert report.notice == Notice("drift dev", "dev is not what main says", body)


def test_the_assembly_of_another_environment_is_refused_before_anything_is_asked(aws: FakeAws, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds .*, and not"):
        run(drift, target(aws, DEV), "--assembly", str(assemblies.write(tmp_path, target(aws, PROD))))
    assert aws.calls == []


@pytest.fixture
def of_two(aws: FakeAws) -> FakeAws:
    """The same with a second function."""
    aws.formation.stack(REFUNDS, naming.tags(DEV), outputs={"Commit": assemblies.COMMIT})
    aws.lambda_.function(REFUNDS, "5").code["5"] = assemblies.ARCHIVE_SHA256
    return aws


def test_every_function_is_compared(of_two: FakeAws, looked: Look) -> None:
    assert facts(looked(environment=DEV_OF_TWO))["clean"]
    of_two.lambda_.functions[REFUNDS].code["5"] = "AAAA"
    resource(of_two, REFUNDS, "A", "MODIFIED")
    target(of_two, DEV).function("billing").close()
    found = facts(looked(environment=DEV_OF_TWO))
    assert found["drifted"] == [f"{REFUNDS}: AWS::Logs::LogGroup A is MODIFIED"]
    assert found["differing"] == [
        f"{NAME} was drained and takes no new executions",
        f"{REFUNDS}: the code of its live version 5 is not what main builds",
    ]


def test_a_function_that_main_does_not_have_is_a_finding(of_two: FakeAws, looked: Look) -> None:
    of_two.formation.stack("acme-dev-guest", {"project": "other"})
    report = looked()
    line = f"{REFUNDS} is deployed, and main has no functions/refunds: the next deployment removes it"
    assert facts(report)["differing"] == [line]
    assert f"  {line}" in told(report).splitlines()


def test_a_function_that_was_never_deployed_is_a_finding(looked: Look) -> None:
    assert facts(looked(environment=DEV_OF_TWO))["differing"] == [
        f"{REFUNDS} is not deployed",
        f"{REFUNDS} has no live version",
    ]
