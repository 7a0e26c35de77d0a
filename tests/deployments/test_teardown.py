"""Drain and teardown on the local AWS: nothing that runs is lost unless somebody says so, and then all of it goes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra import naming
from infra.aws import stacks
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.errors import CommandError
from infra.pipeline import drain
from tests.checkout import FOLDER, holding
from tests.deployments.deployment import (
    ENVIRONMENT,
    FUNCTION,
    FUNCTIONS,
    PLATFORM,
    WHOLE,
    follow,
    name,
    start,
    synthesize,
)

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

TAGS = naming.tags(ENVIRONMENT)
TAGGED: Any = [{"Key": key, "Values": [value]} for key, value in TAGS.items()]
# In seconds: what executions wait that are to run while something else is done.
HOLDS = 5

Run = Callable[..., int]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(stacks, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(drain, "SETTLES_WITHIN_SECONDS", 0)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(tmp_path_factory.mktemp("assembly"), holding(HOLDS))


@pytest.fixture
def function(deploy: Callable[[Path], int], target: Target, assembly: Path) -> DeployedFunction:
    """Of the deployed functions the one that executions are started on."""
    assert deploy(assembly) == 0
    return target.function(FOLDER)


@pytest.fixture
def protected(session: boto3.Session, function: DeployedFunction) -> Iterator[None]:
    assert function.live()
    client = session.client("cloudformation")
    client.update_termination_protection(StackName=PLATFORM, EnableTerminationProtection=True)
    yield
    client.update_termination_protection(StackName=PLATFORM, EnableTerminationProtection=False)


def test_a_drain_that_gives_up_lists_what_runs_and_opens_the_function_again(
    pipeline: Run, function: DeployedFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    identifier = name()
    arn = start(function, identifier)
    before = function.live()
    assert pipeline("drain", "--deadline", "0.2") == 1
    assert f"{identifier} on version {before}: RUNNING" in capsys.readouterr().err
    assert function.live() == before
    assert not function.is_closed()
    assert follow(function, arn).status == "SUCCEEDED"


def test_a_drain_waits_for_what_runs_and_takes_nothing_new(
    pipeline: Run, function: DeployedFunction, deploy: Callable[[Path], int], assembly: Path
) -> None:
    arn = start(function, name())
    before = function.live()
    assert pipeline("drain") == 0
    assert function.follow(arn, 0).status == "SUCCEEDED"
    with pytest.raises(CommandError, match="there is no function"):
        start(function, name())
    # A deployment of a function that is to be removed is a mistake; so is going back.
    assert deploy(assembly) == 1
    assert pipeline("roll-back", "--versions", f"{FOLDER}={before}") == 1
    assert pipeline("drain", "--open") == 0
    assert function.live() == before
    assert follow(function, start(function, name())).status == "SUCCEEDED"
    assert deploy(assembly) == 0


def test_a_teardown_with_running_executions_is_refused_with_their_list_and_changes_nothing(
    pipeline: Run, function: DeployedFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    identifiers = [name(), name()]
    arns = [start(function, identifier) for identifier in identifiers]
    assert pipeline("teardown", "--confirm", WHOLE) == 1
    refusal = capsys.readouterr().err
    assert all(identifier in refusal for identifier in identifiers)
    assert "--running wait" in refusal
    assert [follow(function, arn).status for arn in arns] == ["SUCCEEDED", "SUCCEEDED"]
    assert function.live()


@pytest.mark.usefixtures("protected")
def test_termination_protection_refuses_the_teardown_before_anything_goes(
    pipeline: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pipeline("teardown", "--confirm", WHOLE) == 1
    assert f"{PLATFORM} has termination protection" in capsys.readouterr().err
    assert target.stacks.find(FUNCTION)


def test_a_dry_run_tells_what_would_go_and_removes_nothing(
    pipeline: Run,
    function: DeployedFunction,
    target: Target,
    capsys: pytest.CaptureFixture[str],
) -> None:
    identifier = name()
    arn = start(function, identifier)
    assert pipeline("teardown", "--dry-run") == 0
    told = capsys.readouterr().out
    assert told.index(f"To be removed: {FUNCTION}") < told.index(f"To be removed: {PLATFORM}")
    assert identifier in told
    assert follow(function, arn).status == "SUCCEEDED"
    assert target.stacks.find(FUNCTION)
    assert target.stacks.find(PLATFORM)


@pytest.mark.parametrize(
    "case",
    [("wait", "SUCCEEDED", "gone\n"), ("stop", "STOPPED", "gone; 3 executions were stopped\n")],
    ids=lambda case: case[0],
)
def test_a_teardown_ends_the_executions_as_it_is_told(
    case: tuple[str, str, str],
    pipeline: Run,
    function: DeployedFunction,
    capsys: pytest.CaptureFixture[str],
) -> None:
    running, status, told = case
    arns = [start(function, name()) for _ in range(3)]
    assert pipeline("teardown", "--confirm", WHOLE, "--running", running) == 0
    assert capsys.readouterr().out.endswith(told)
    assert [function.follow(arn, 0).status for arn in arns] == [status] * 3


@pytest.mark.usefixtures("function")
def test_nothing_is_left_after_a_teardown_and_another_says_so(
    pipeline: Run, target: Target, client: "LambdaClient", capsys: pytest.CaptureFixture[str]
) -> None:
    tagged = target.session.client("resourcegroupstaggingapi")
    before = {each.get("ResourceARN", "") for each in tagged.get_resources(TagFilters=TAGGED)["ResourceTagMappingList"]}
    functions = [f":function:{each}" for each in FUNCTIONS]
    for kind in (*functions, ":capacity-provider:", ":vpc/", ":log-group:", ":parameter/"):
        assert any(kind in arn for arn in before), kind
    assert pipeline("teardown", "--confirm", WHOLE) == 0
    assert not target.stacks.find(FUNCTION)
    assert not target.stacks.find(PLATFORM)
    assert tagged.get_resources(TagFilters=TAGGED)["ResourceTagMappingList"] == []
    assert client.list_capacity_providers()["CapacityProviders"] == []
    capsys.readouterr()
    assert pipeline("teardown", "--confirm", WHOLE) == 0
    assert "nothing was left to remove" in capsys.readouterr().out


def test_a_leftover_with_the_environments_tags_is_named_and_keeps_the_teardown_red(
    pipeline: Run, session: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = session.client("logs")
    logs.create_log_group(logGroupName="forgotten", tags=TAGS)
    assert pipeline("teardown", "--confirm", WHOLE) == 1
    assert "log-group:forgotten" in capsys.readouterr().err
    logs.delete_log_group(logGroupName="forgotten")
    assert pipeline("teardown", "--confirm", WHOLE) == 0
