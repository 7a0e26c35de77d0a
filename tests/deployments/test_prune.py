"""Pruning on the local AWS: a version goes once the executions on it have ended, and not before."""

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
from tests.checkout import FOLDER, holding
from tests.deployments.deployment import (
    ENVIRONMENT,
    FUNCTION,
    PLATFORM,
    event,
    follow,
    name,
    start,
    synthesize,
)

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

EXECUTIONS = 20
NONE = {"retained_versions": 0}
RETAINING_NONE = ENVIRONMENT.model_copy(
    update={
        "function": ENVIRONMENT.function.model_copy(update=NONE),
        "functions": {name: each.model_copy(update=NONE) for name, each in ENVIRONMENT.functions.items()},
    }
)
# In seconds: what executions wait that are to run while something else is done.
HOLDS = 5

Facts = dict[str, Any]


@pytest.fixture
def run(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Facts]:
    """Runs a command on one function of an environment that retains no versions, and returns its facts."""
    monkeypatch.setattr(prune, "SETTLED_AFTER", timedelta())

    def run(module: Any, *options: str) -> Facts:
        parser = ArgumentParser()
        module.add_arguments(parser)
        report = module.run(Target(RETAINING_NONE, only=FOLDER, given_session=session), parser.parse_args(options))
        assert report.code == 0
        return report.facts

    return run


def test_twenty_executions_end_side_by_side_on_their_version_which_is_pruned_then_and_not_before(
    function: DeployedFunction,
    client: "LambdaClient",
    deploy: Callable[[Path], int],
    run: Callable[..., Facts],
    tmp_path: Path,
) -> None:
    def pruned(*options: str) -> dict[str, tuple[bool, str]]:
        return {each["version"]: (each["due"], each["reason"]) for each in run(prune, *options)["versions"]}

    assert deploy(synthesize(tmp_path / "old", holding(HOLDS, "old"))) == 0
    new = synthesize(tmp_path / "new", holding(1, "new"))
    before = str(function.live())
    in_flight = [start(function, name()) for _ in range(EXECUTIONS)]
    assert deploy(new) == 0
    after = str(function.live())
    function.scaling.set(before, *[ENVIRONMENT.settings(FOLDER).maximum_environments] * 2)
    # On a machine that is slow enough the others may have ended by now.
    late = name()
    started = client.invoke(
        FunctionName=f"{FUNCTION}:{before}", InvocationType="Event", DurableExecutionName=late, Payload=event(late)
    )
    in_flight.append(started["DurableExecutionArn"])
    assert pruned() == {after: (False, "live"), before: (False, "executions run on it")}
    assert function.scaling.floor(before) == 1
    following = follow(function, start(function, name()))
    assert (following.status, following.version) == ("SUCCEEDED", after)
    assert following.result == {"code": "new"}
    ended = [follow(function, arn) for arn in in_flight]
    assert {(each.status, each.version) for each in ended} == {("SUCCEEDED", before)}
    assert [each.result for each in ended] == [{"code": "old"}] * (EXECUTIONS + 1)
    # None waited for another to end.
    histories = [function.history(arn) for arn in in_flight[:EXECUTIONS]]
    starts, ends = ([events[place]["EventTimestamp"] for events in histories] for place in (0, -1))
    assert max(starts) < min(ends)
    gone = {after: (False, "live"), before: (True, "nothing names it or runs on it")}
    assert pruned("--dry-run") == gone
    assert function.versions() == [after, before]
    assert pruned() == gone
    assert function.versions() == [after]


def test_what_runs_where_is_told(
    function: DeployedFunction,
    target: Target,
    deploy: Callable[[Path], int],
    run: Callable[..., Facts],
    tmp_path: Path,
) -> None:
    assert deploy(synthesize(tmp_path, holding(HOLDS), commit="c" * 40)) == 0
    live = str(function.live())
    assert follow(function, start(function, f"smoke-{name()}")).status == "SUCCEEDED"
    identifier = name()
    start(function, identifier)
    newest = run(executions)["functions"][0]["versions"][0]
    assert (newest["version"], newest["live"]) == (live, True)
    assert newest["executions"] == {"RUNNING": 1, "SUCCEEDED": 1}
    assert newest["oldest"]["name"] == identifier
    told = next(each for each in run(status)["environments"] if each["environment"] == ENVIRONMENT.name)
    assert {(each["name"], each["commit"]) for each in told["stacks"]} == {(FUNCTION, "c" * 40), (PLATFORM, "c" * 40)}
    (found,) = told["functions"]
    assert (found["folder"], found["live"], found["running"]) == (FOLDER, live, 1)
    assert (found["smoke"]["status"], found["smoke"]["version"]) == ("SUCCEEDED", live)
    # Each function's published latest counts as well.
    assert told["versions_on_provider"] == sum(len(each.versions()) + 1 for each in target.functions)
