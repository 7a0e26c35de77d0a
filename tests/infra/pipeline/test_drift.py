"""What drift says of what CloudFormation can't tell, of detections that fail, and of stacks that it can't look at."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import boto3
import pytest
from botocore.stub import Stubber

from infra.environment import load
from infra.pipeline import drift

DEV = load("dev")
# boto3's types have an overload for each service, and none for a name in a variable.
CLIENT: Any = cast("Any", boto3).client
STACK = {"StackName": "orders-dev", "StackStatus": "UPDATE_COMPLETE", "CreationTime": "2026-01-01T00:00:00Z"}
ALIAS = {"Name": "live", "FunctionVersion": "3"}
COMPLETE = [{"DetectionStatus": "DETECTION_COMPLETE"}]
ARCHIVE = b"what was built"
ARCHIVE_SHA256 = "Z31g60NY53rIEjaPfluFyc/aIKTA4o2ojpBif2RkjbI="
Look = Callable[..., dict[str, Any]]


class Session:
    """A session whose clients are stubbed."""

    def __init__(self) -> None:
        self.clients = {name: CLIENT(name, region_name="eu-west-1") for name in ("cloudformation", "lambda")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, name: str) -> Any:
        return self.clients[name]


def resource(name: str, status: str | None) -> dict[str, str]:
    given = {"StackResourceDriftStatus": status} if status else {}
    return {"StackId": "x", "LogicalResourceId": name, "ResourceType": "AWS::Logs::LogGroup", **given}


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Look:
    """Run `drift` on one stack whose state is told."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "x")
    monkeypatch.setattr(drift, "POLL_SECONDS", 0)
    monkeypatch.setattr(drift, "stack_names", Mock(return_value=["orders-dev"]))
    monkeypatch.setattr(drift, "stack_tags", Mock(return_value={"commit": "b" * 40}))
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": "built.zip"}}}
    (tmp_path / "orders-dev.template.json").write_text(json.dumps({"Resources": {"Function": function}}))
    (tmp_path / "asset.built.zip").write_bytes(ARCHIVE)

    def look(
        resources: list[dict[str, str]],
        stack: dict[str, Any] | None = None,
        detection: list[dict[str, str]] = COMPLETE,
        code: str = ARCHIVE_SHA256,
    ) -> dict[str, Any]:
        session = Session()
        monkeypatch.setattr(drift, "open_session", Mock(return_value=session))
        stub = session.stubs["cloudformation"]
        stub.add_response("describe_stacks", {"Stacks": [{**STACK, **(stack or {})}]})
        if not stack:
            stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "d"})
            for each in detection:
                base = {"StackId": "x", "StackDriftDetectionId": "d", "Timestamp": "2026-01-01T00:00:00Z"}
                stub.add_response("describe_stack_drift_detection_status", {**base, **each})
            told = [each for each in resources if "StackResourceDriftStatus" in each]
            base = {"Timestamp": "2026-01-01T00:00:00Z"}
            stub.add_response(
                "describe_stack_resource_drifts", {"StackResourceDrifts": [{**base, **each} for each in told]}
            )
            base = {"LastUpdatedTimestamp": "2026-01-01T00:00:00Z", "ResourceStatus": "CREATE_COMPLETE"}
            keys = ("LogicalResourceId", "ResourceType")
            listed = [{**base, **{key: each[key] for key in keys}} for each in resources]
            stub.add_response("list_stack_resources", {"StackResourceSummaries": listed})
        session.stubs["lambda"].add_response("get_alias", ALIAS)
        session.stubs["lambda"].add_response("get_function_configuration", {"CodeSha256": code})
        report = tmp_path / "report.json"
        parser = ArgumentParser()
        parser.set_defaults(json=False, report=report, verbose=False)
        drift.add_arguments(parser)
        exit_code = drift.run(DEV, parser.parse_args(["--assembly", str(tmp_path)]))
        found: dict[str, Any] = json.loads(report.read_text())
        assert exit_code == (0 if found["clean"] else 1)
        return found

    return look


def test_a_resource_that_cannot_be_checked_is_listed_and_is_no_drift(
    look: Look, capsys: pytest.CaptureFixture[str]
) -> None:
    resources = [
        resource("Sure", "IN_SYNC"),
        resource("A", "UNKNOWN"),
        resource("B", "NOT_CHECKED"),
        resource("C", None),
    ]
    found = look(resources)
    assert found["clean"]
    assert found["unchecked"] == [
        "orders-dev: AWS::Logs::LogGroup A: UNKNOWN",
        "orders-dev: AWS::Logs::LogGroup B: NOT_CHECKED",
        "orders-dev: AWS::Logs::LogGroup C: not supported by drift detection",
    ]
    assert "3 resources could not be checked" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["MODIFIED", "DELETED"])
def test_a_resource_that_is_not_what_the_template_says_is_drift(look: Look, status: str) -> None:
    found = look([resource("A", status)])
    assert not found["clean"]
    assert found["drifted"] == [f"orders-dev: AWS::Logs::LogGroup A is {status}"]


def test_a_detection_is_waited_for(look: Look) -> None:
    assert look([], detection=[{"DetectionStatus": "DETECTION_IN_PROGRESS"}, *COMPLETE])["clean"]


def test_a_detection_that_fails_is_a_finding_and_hides_nothing_of_what_it_found(look: Look) -> None:
    failed = {"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": "no permission for A"}
    found = look([resource("A", "UNKNOWN"), resource("B", "MODIFIED")], detection=[failed])
    assert found["differing"] == ["orders-dev: the detection of drift failed: no permission for A"]
    assert len(found["drifted"]) == len(found["unchecked"]) == 1


def test_a_detection_without_end_is_a_finding(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "POLLS", 1)
    found = look([], detection=[{"DetectionStatus": "DETECTION_IN_PROGRESS"}])
    assert "did not end" in found["differing"][0]


def test_a_stack_that_is_changing_is_not_looked_at_and_said_so(look: Look) -> None:
    found = look([], stack={"StackStatus": "UPDATE_IN_PROGRESS"})
    assert found["clean"]
    assert found["notes"] == ["orders-dev is UPDATE_IN_PROGRESS, so that it was not looked at"]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED", "UPDATE_FAILED"])
def test_a_stack_of_which_no_drift_can_be_detected_is_a_finding(look: Look, status: str) -> None:
    assert look([], stack={"StackStatus": status})["differing"] == [f"orders-dev is {status}"]


def test_another_commit_is_a_note_since_main_may_be_newer_than_its_deployment(look: Look) -> None:
    assert "main is at bbbb" in look([])["notes"][0]


def test_other_code_than_the_builds_is_a_finding(look: Look) -> None:
    found = look([], code="AAAA")
    assert found["differing"] == ["orders-dev: the code of its live version 3 is not what main builds"]
