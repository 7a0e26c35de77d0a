"""Drift made by hand on the local AWS: found, told in one issue, and cleared."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.aws import drift
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.limits import LOG_RETENTION_DAYS
from tests.checkout import FOLDER, marked
from tests.deployments.deployment import FUNCTION, FUNCTIONS, PLATFORM, WHOLE, synthesize
from tests.github.state import State

Run = Callable[..., int]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "POLL_SECONDS", 0.05)


def found(pipeline: Run, assembly: Path, *options: str) -> dict[str, Any]:
    """Detect drift, and return what was found; the exit code says whether that is clean."""
    report = assembly.parent / "drift.json"
    code = pipeline("drift", "--assembly", str(assembly), "--report", str(report), *options)
    facts = json.loads(report.read_text())
    assert code == (0 if facts["clean"] else 1)
    return facts


def test_a_retention_changed_by_hand_is_told_in_one_issue_until_it_is_put_back(
    deploy: Callable[[Path], int],
    pipeline: Run,
    target: Target,
    tmp_path: Path,
    github: State,
) -> None:
    assembly = synthesize(tmp_path / "old", commit="1" * 40)
    assert deploy(assembly) == 0
    clean = found(pipeline, assembly)
    assert clean["clean"]
    # What can't be checked is said, and nothing of it is left out.
    assert f"{PLATFORM}: AWS::Lambda::CapacityProvider" in "\n".join(clean["unchecked"])
    group = target.stacks.get(FUNCTION).outputs["LogGroupName"]
    days = target.environment.settings(FOLDER).log_retention_days
    other = next(each for each in LOG_RETENTION_DAYS if each != days)
    logs = target.session.client("logs")
    logs.put_retention_policy(logGroupName=group, retentionInDays=other)
    (line,) = found(pipeline, assembly, "--issue")["drifted"]
    assert f"{FUNCTION}: AWS::Logs::LogGroup" in line
    assert f"/RetentionInDays should be {days} and is {other}" in line
    assert found(pipeline, assembly, "--issue")["drifted"] == [line]
    assert github.writes == ["POST /issues"]
    # Another commit of the same templates changes an output, and no resource.
    newer = synthesize(tmp_path / "new", commit="2" * 40)
    assert deploy(newer) == 0
    assert found(pipeline, newer, "--issue")["drifted"] == [line]
    logs.put_retention_policy(logGroupName=group, retentionInDays=days)
    assert found(pipeline, newer, "--issue")["clean"]
    assert [issue["state"] for issue in github.issues.values()] == ["closed"]


def test_another_version_than_mains_is_found_and_an_older_commit_alone_is_only_said(
    deploy: Callable[[Path], int], pipeline: Run, function: DeployedFunction, tmp_path: Path
) -> None:
    old, new = synthesize(tmp_path / "old", marked("before")), synthesize(tmp_path / "new", marked("after"))
    assert deploy(old) == 0
    version = function.live()
    assert deploy(new) == 0
    assert found(pipeline, new)["differing"] == []
    function.go_live(str(version))
    (line,) = found(pipeline, new)["differing"]
    assert line == f"{FUNCTION}: the code of its live version {version} is not what main builds"
    assert deploy(synthesize(tmp_path / "again", marked("after"), commit="3" * 40)) == 0


def test_what_is_on_main_and_not_deployed_is_said(deploy: Callable[[Path], int], pipeline: Run, tmp_path: Path) -> None:
    assert deploy(synthesize(tmp_path / "deployed", commit="4" * 40)) == 0
    facts = found(pipeline, synthesize(tmp_path / "main", commit="5" * 40))
    assert facts["clean"]
    assert f"{FUNCTION} was deployed from commit {'4' * 40}, and main is at {'5' * 40}" in facts["notes"]


def test_a_closed_function_is_told_as_such(deploy: Callable[[Path], int], pipeline: Run, tmp_path: Path) -> None:
    assembly = synthesize(tmp_path)
    assert deploy(assembly) == 0
    assert pipeline("drain") == 0
    differing = found(pipeline, assembly)["differing"]
    assert differing == [f"{each} was drained and takes no new executions" for each in FUNCTIONS]
    assert pipeline("drain", "--open") == 0


def test_an_environment_that_is_not_deployed_differs(pipeline: Run, tmp_path: Path) -> None:
    assembly = synthesize(tmp_path)
    assert pipeline("teardown", "--confirm", WHOLE) == 0
    assert found(pipeline, assembly)["differing"] == [
        f"{PLATFORM} is not deployed",
        *(f"{each} is not deployed" for each in FUNCTIONS),
        *(f"{each} has no live version" for each in FUNCTIONS),
    ]
