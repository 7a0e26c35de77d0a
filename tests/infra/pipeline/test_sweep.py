"""Which previews go, decided on what CloudFormation and GitHub say, and swept on the local AWS."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from infra import naming
from infra.aws import stack
from infra.aws.previews import Preview
from infra.aws.stack import describe
from infra.environment import load
from infra.errors import CommandError
from infra.local.aws import LocalAws
from infra.pipeline import drain, sweep
from infra.pipeline.__main__ import main
from tests.github.state import State

PREVIEW = load("preview")
SOON: Any = {"Delay": 0.05}
TEMPLATE = {"Resources": {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1"}}}}
# A capacity provider can't be deleted while a function of another stack uses it.
PROVIDER = {
    "Type": "AWS::Lambda::CapacityProvider",
    "Properties": {
        "CapacityProviderName": "used",
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "PermissionsConfig": {"CapacityProviderOperatorRoleArn": f"arn:aws:iam::{PREVIEW.account}:role/operator"},
    },
}
USED = {"CapacityProviderArn": f"arn:aws:lambda:{PREVIEW.region}:{PREVIEW.account}:capacity-provider:used"}
USER = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": f"arn:aws:iam::{PREVIEW.account}:role/function",
        "Code": {"ZipFile": ""},
        "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": USED},
    },
}
YOUNG, OLD = timedelta(hours=2), timedelta(days=PREVIEW.preview_days, minutes=1)


def preview(
    age: timedelta = YOUNG, status: str = "UPDATE_COMPLETE", tags: dict[str, str] | None = None, updated: bool = True
) -> Preview:
    known = naming.tags("preview", 7) if tags is None else tags
    content: dict[str, Any] = {
        "StackName": "orders-pr-7",
        "StackStatus": status,
        "CreationTime": datetime.now(UTC) - age,
        "Tags": [{"Key": key, "Value": value} for key, value in known.items()],
    }
    if updated:
        content["LastUpdatedTime"] = datetime.now(UTC)
    return Preview(7, cast("Any", content))


MISSING_TAG = {key: value for key, value in naming.tags("preview", 7).items() if key != "pull-request"}


@pytest.mark.parametrize(
    ("found", "pulls", "due", "reason"),
    [
        pytest.param(preview(), {7: "closed"}, True, "pull request 7 is closed", id="closed or merged"),
        pytest.param(preview(), {7: "open"}, False, "is open, and it is 2 h old", id="open and young"),
        pytest.param(preview(OLD), {7: "open"}, True, "14 days old, and previews last 14 days", id="open and too old"),
        pytest.param(preview(OLD, updated=False), {7: "open"}, True, "14 days old", id="too old, never updated"),
        pytest.param(preview(updated=False), {7: "open"}, False, "is open", id="young, never updated"),
        pytest.param(preview(tags={}), {7: "closed"}, False, "none of ours", id="without tags"),
        pytest.param(preview(tags=MISSING_TAG), {7: "closed"}, False, "none of ours", id="without one tag"),
        pytest.param(
            preview(tags=naming.tags("preview", 8)), {7: "closed"}, False, "none of ours", id="of another pull request"
        ),
        pytest.param(
            preview(status="UPDATE_IN_PROGRESS"), {7: "closed"}, False, "UPDATE_IN_PROGRESS", id="being deployed"
        ),
        pytest.param(
            preview(OLD, status="CREATE_IN_PROGRESS"), {7: "open"}, False, "CREATE_IN_PROGRESS", id="being made"
        ),
        pytest.param(
            preview(timedelta(minutes=5), status="REVIEW_IN_PROGRESS"), {7: "closed"}, False, "begins", id="beginning"
        ),
        pytest.param(preview(status="REVIEW_IN_PROGRESS"), {7: "closed"}, True, "is closed", id="begun and given up"),
        pytest.param(preview(status="DELETE_FAILED"), {7: "closed"}, True, "is closed", id="not deleted before"),
        pytest.param(preview(status="DELETE_IN_PROGRESS"), {7: "closed"}, True, "is closed", id="being deleted"),
        pytest.param(preview(status="ROLLBACK_COMPLETE"), {7: "closed"}, True, "is closed", id="never made"),
    ],
)
def test_it_is_decided_for_a_preview_that_is(
    found: Preview, pulls: dict[int, str], due: bool, reason: str, github: State
) -> None:
    for number, state in pulls.items():
        github.add_pull(number, state)
    outcome = sweep.decide(PREVIEW, found)
    assert outcome.due is due
    assert reason in outcome.reason


@pytest.mark.usefixtures("github")
def test_a_pull_request_that_github_does_not_know_is_a_failure_of_that_preview_alone() -> None:
    outcome = sweep.decide(PREVIEW, preview())
    assert (outcome.due, outcome.failure) == (False, "GitHub has no pull request 7")


def test_a_github_that_refuses_decides_nothing(github: State) -> None:
    github.refuses["GET /pulls/7"] = 401
    with pytest.raises(CommandError, match="could not be asked"):
        sweep.decide(PREVIEW, preview())


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("sweep")) as started:
        yield started


@pytest.fixture
def session(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    for key, value in aws.environ(PREVIEW.account, PREVIEW.region).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(stack, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(drain, "SETTLES_WITHIN_SECONDS", 0)
    return aws.session(PREVIEW.account, PREVIEW.region)


@pytest.fixture
def deploy(session: boto3.Session) -> Iterator[Callable[..., None]]:
    """Makes the stack of a preview, as small as one can be."""
    client = session.client("cloudformation")
    made: list[str] = []

    def create(name: str, tags: dict[str, str], template: dict[str, Any] = TEMPLATE) -> None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        client.create_stack(StackName=name, TemplateBody=json.dumps(template), Tags=cast("Any", listed))
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=SOON)
        made.append(name)

    yield create
    for name in made:
        client.delete_stack(StackName=name)
        client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=SOON)


def run(tmp_path: Path, *options: str) -> tuple[int, dict[str, str]]:
    """Sweep, and return the exit code and the reason of each preview by its stack's name."""
    report = tmp_path / "report.json"
    report.unlink(missing_ok=True)
    code = main(["sweep", "--environment", "preview", "--report", str(report), *options])
    previews: list[dict[str, str]] = json.loads(report.read_text())["previews"] if report.exists() else []
    return code, {each["stack"]: each["reason"] for each in previews}


def test_only_previews_that_are_due_go_and_nothing_else_does(
    deploy: Callable[..., None], session: boto3.Session, github: State, tmp_path: Path
) -> None:
    for number in (7, 12, 70):
        deploy(naming.orders_stack("preview", number), naming.tags("preview", number))
    others = ("orders-pr-12-test", "my-orders-pr-12", "orders-pr-012", "orders-pr-", "orders-preview")
    for name in others:
        deploy(name, naming.tags("preview", 12))
    deploy("orders-pr-9", {"project": "orders"})
    for number, state in {7: "closed", 9: "closed", 12: "open", 70: "closed"}.items():
        github.add_pull(number, state)
    assert run(tmp_path, "--dry-run")[0] == 0
    assert describe(session, "orders-pr-7")
    code, reasons = run(tmp_path)
    assert code == 0
    assert set(reasons) == {"orders-pr-7", "orders-pr-9", "orders-pr-12", "orders-pr-70"}
    assert [name for name in ("orders-pr-7", "orders-pr-70") if describe(session, name)] == []
    assert all(describe(session, name) for name in (*others, "orders-pr-9", "orders-pr-12"))


def test_when_github_can_not_be_asked_for_one_of_them_none_goes(
    deploy: Callable[..., None],
    session: boto3.Session,
    github: State,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in (7, 8):
        deploy(naming.orders_stack("preview", number), naming.tags("preview", number))
    github.add_pull(7, "closed")
    github.refuses["GET /pulls/8"] = 401
    assert run(tmp_path)[0] == 1
    assert "could not be asked for pull request 8" in capsys.readouterr().err
    assert describe(session, "orders-pr-7")


def test_what_can_not_be_deleted_is_told_in_one_issue_until_it_is_gone(
    deploy: Callable[..., None], session: boto3.Session, github: State, tmp_path: Path
) -> None:
    deploy("orders-pr-7", naming.tags("preview", 7), {"Resources": {"Used": PROVIDER}})
    deploy("user", {}, {"Resources": {"User": USER}})
    deploy("orders-pr-8", naming.tags("preview", 8))
    for number in (7, 8):
        github.add_pull(number, "closed")
    assert run(tmp_path, "--issue")[0] == 1
    assert not describe(session, "orders-pr-8")
    left = describe(session, "orders-pr-7")
    assert left
    assert left["StackStatus"] == "DELETE_FAILED"
    assert run(tmp_path, "--issue")[0] == 1
    assert github.writes == ["POST /issues"]
    (issue,) = github.issues.values()
    assert "AWS::Lambda::CapacityProvider Used: " in issue["body"]
    assert "#7" in issue["body"]
    session.client("cloudformation").delete_stack(StackName="user")
    assert run(tmp_path, "--issue")[0] == 0
    assert issue["state"] == "closed"
    assert not describe(session, "orders-pr-7")


def test_an_environment_without_previews_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "--environment", "dev"]) == 2
    assert "preview_days in environments/dev.toml" in capsys.readouterr().err
