"""Another generation of the capacity provider, beside the one before, until nothing is on that any more."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.errors import CommandError
from infra.pipeline import deploy as deploy_command
from infra.pipeline import prune
from tests.checkout import Tree, holding
from tests.deployments.deployment import FUNCTION, PLATFORM, follow, name, start
from tests.infra.fakes.commands import run

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# In seconds: what the executions wait that are to run while others are released.
HOLDS = 15


def instances(client: "LambdaClient") -> list[list[str]]:
    """Return the instance types of each capacity provider."""
    listed = client.list_capacity_providers()["CapacityProviders"]
    return [each.get("InstanceRequirements", {}).get("AllowedInstanceTypes", []) for each in listed]


def test_instances_of_other_types_take_new_versions_while_executions_end_on_those_before(
    session: boto3.Session,
    function: DeployedFunction,
    pipeline: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert pipeline
    client = session.client("lambda")
    monkeypatch.setattr(prune, "SETTLED_AFTER", timedelta())
    tree, in_place = Tree(tmp_path / "beside"), Tree(tmp_path / "in-place")
    for each in (tree, in_place):
        each.configure("maximum_vcpus", "15_000")
        each.configure("retained_versions", "0")
        each.append(holding(HOLDS))

    def release(name: str, of: Tree = tree) -> str:
        """Deploy a copy of the checkout as it is now, and return the version that is live."""
        on = Target(of.environment, given_session=session)
        assert run(deploy_command, on, "--assembly", str(of.build(tmp_path / name))).code == 0
        return str(function.live())

    old = release("before")
    arn = start(function, name())
    (before,) = instances(client)
    in_place.other_instances()
    with pytest.raises(
        CommandError, match=f"{PLATFORM}: this would replace, for its InstanceRequirements, "
    ) as refused:
        release("in place", in_place)
    assert f"\n  {FUNCTION}:{old}\n" in str(refused.value)
    assert (str(function.live()), instances(client)) == (old, [before])

    tree.next_generation()
    tree.other_instances()
    new = release("beside")
    kept, other = instances(client)
    assert (kept, other != before, new != old) == (before, True, True)
    following = start(function, name())

    tree.retire()
    with pytest.raises(CommandError, match=f"{PLATFORM}: this would remove the capacity provider .*\n"):
        release("too early")
    ended = [follow(function, each) for each in (arn, following)]
    assert [(each.status, each.version) for each in ended] == [("SUCCEEDED", old), ("SUCCEEDED", new)]
    assert run(prune, Target(tree.environment, given_session=session)).code == 0
    assert release("alone") == new
    assert instances(client) == [other]
