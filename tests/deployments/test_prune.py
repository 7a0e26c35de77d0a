"""Pruning on the local AWS: a version goes once the orders on it have ended, and not before."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.pipeline import executions, prune, status
from tests.deployments.deployment import ENVIRONMENT, FUNCTION, PLATFORM, follow, name, order, start, synthesize

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ORDERS = 20
RETAINING_NONE = ENVIRONMENT.model_copy(
    update={"function": ENVIRONMENT.function.model_copy(update={"retained_versions": 0})}
)

Facts = dict[str, Any]


@pytest.fixture
def run(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Facts]:
    """Runs a command on an environment that retains no versions, and returns its facts."""
    monkeypatch.setattr(prune, "SETTLED_AFTER", timedelta())

    def run(module: Any, *options: str) -> Facts:
        parser = ArgumentParser()
        module.add_arguments(parser)
        report = module.run(Target(RETAINING_NONE, given_session=session), parser.parse_args(options))
        assert report.code == 0
        return report.facts

    return run


def test_twenty_orders_end_on_their_version_which_is_pruned_then_and_not_before(
    function: DeployedFunction,
    client: "LambdaClient",
    deploy: Callable[[Path], int],
    run: Callable[..., Facts],
    tmp_path: Path,
) -> None:
    def pruned(*options: str) -> dict[str, tuple[bool, str]]:
        return {each["version"]: (each["due"], each["reason"]) for each in run(prune, *options)["versions"]}

    assert deploy(synthesize(tmp_path / "old", "processed by the old")) == 0
    new = synthesize(tmp_path / "new", "processed by the new")
    before = str(function.live())
    in_flight = [start(function, name()) for _ in range(ORDERS)]
    assert deploy(new) == 0
    after = str(function.live())
    function.set_floor(before, 3)
    # On a machine that is slow enough the others may have ended by now.
    late = name()
    started = client.invoke(
        FunctionName=f"{FUNCTION}:{before}", InvocationType="Event", DurableExecutionName=late, Payload=order(late)
    )
    in_flight.append(started["DurableExecutionArn"])
    assert pruned() == {after: (False, "live"), before: (False, "executions run on it")}
    assert function.floor(before) == 1
    following = follow(function, start(function, name()))
    assert (following.status, following.version) == ("SUCCEEDED", after)
    assert following.result["status"] == "processed by the new"
    ended = [follow(function, arn) for arn in in_flight]
    assert {(each.status, each.version) for each in ended} == {("SUCCEEDED", before)}
    assert {each.result["status"] for each in ended} == {"processed by the old"}
    gone = {after: (False, "live"), before: (True, "nothing names it or runs on it")}
    assert pruned("--dry-run") == gone
    assert function.versions() == [after, before]
    assert pruned() == gone
    assert function.versions() == [after]


def test_what_runs_where_is_told(
    function: DeployedFunction, deploy: Callable[[Path], int], run: Callable[..., Facts], tmp_path: Path
) -> None:
    assert deploy(synthesize(tmp_path, commit="c" * 40)) == 0
    live = str(function.live())
    assert follow(function, start(function, f"smoke-{name()}")).status == "SUCCEEDED"
    identifier = name()
    start(function, identifier)
    newest = run(executions)["functions"][0]["versions"][0]
    assert (newest["version"], newest["live"]) == (live, True)
    assert newest["executions"] == {"RUNNING": 1, "SUCCEEDED": 1}
    assert newest["oldest"]["name"] == identifier
    (told,) = run(status)["environments"]
    assert {(each["name"], each["commit"]) for each in told["stacks"]} == {(FUNCTION, "c" * 40), (PLATFORM, "c" * 40)}
    assert (told["function"]["live"], told["function"]["running"]) == (live, 1)
    assert (told["smoke"]["status"], told["smoke"]["version"]) == ("SUCCEEDED", live)
    # The function's published latest counts as well.
    assert told["versions_on_provider"] == len(function.versions()) + 1
