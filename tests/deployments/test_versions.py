"""Deployments over a version that works: the way back from one that does not, and what a diff tells before."""

import json
from collections.abc import Callable
from pathlib import Path

from infra.aws.function import DeployedFunction
from tests.deployments.deployment import BROKEN, FOLDER, FUNCTION, PLATFORM, follow, marked, name, start, synthesize


def test_a_failed_smoke_execution_takes_the_alias_back_and_every_execution_ends_on_its_version(
    function: DeployedFunction,
    deploy: Callable[[Path], int],
    pipeline: Callable[..., int],
    tmp_path: Path,
) -> None:
    assert deploy(synthesize(tmp_path / "good")) == 0
    good = function.live()
    on_good = start(function, name())
    assert deploy(synthesize(tmp_path / "bad", BROKEN)) == 0
    bad = function.live()
    on_bad = start(function, name())
    assert pipeline("smoke") == 1
    assert pipeline("roll-back", "--versions", f"{FOLDER}={good}") == 0
    assert function.live() == good != bad
    assert pipeline("smoke") == 0
    ended = [follow(function, arn) for arn in (on_good, on_bad)]
    assert [(each.status, each.version) for each in ended] == [("SUCCEEDED", good), ("FAILED", bad)]
    assert ended[1].error == "ValueError: broken on purpose"


def test_a_diff_tells_what_would_change_and_nothing_else(
    deploy: Callable[[Path], int], pipeline: Callable[..., int], tmp_path: Path
) -> None:
    def changes(assembly: Path) -> dict[str, str]:
        report = tmp_path / "report.json"
        assert pipeline("diff", "--assembly", str(assembly), "--report", str(report)) == 0
        return json.loads(report.read_text())["changes"]

    deployed = synthesize(tmp_path / "deployed", marked("before the diff"))
    assert deploy(deployed) == 0
    later = synthesize(tmp_path / "later", marked("before the diff"), commit="1" * 40)
    assert all("There were no differences" in text for text in changes(later).values())
    found = changes(synthesize(tmp_path / "changed", marked("after the diff")))
    assert "AWS::Lambda::Function" in found.pop(FUNCTION)
    assert all("There were no differences" in text for text in found.values())
    assert PLATFORM in found
