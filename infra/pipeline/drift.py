"""Tell where an environment is not what its templates say, and where it does not run what was built from main."""

import base64
import hashlib
import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from infra import naming
from infra.aws.alias import is_closed, live_version
from infra.aws.assembly import default_folder, stack_names, stack_tags
from infra.aws.session import open_session
from infra.aws.stack import describe, is_changing, tags
from infra.console import markdown
from infra.console.output import show
from infra.console.progress import doing
from infra.environment import Environment
from infra.github import client as github

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackResourceDriftTypeDef

POLL_SECONDS = 3
POLLS = 15 * 60 // POLL_SECONDS

# Of a stack that failed otherwise CloudFormation detects no drift (its user guide, detecting drift on an entire stack).
DETECTABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")


@dataclass
class Findings:
    """What was found, in lines of one form each night, so that an issue on them changes only when they do.

    Args:
        drifted: resources that are not what their template says, and what of them.
        differing: where what runs is not what was built from main.
        unchecked: resources of which CloudFormation can't tell.
        notes: what is worth knowing and no fault.
    """

    drifted: list[str] = field(default_factory=list[str])
    differing: list[str] = field(default_factory=list[str])
    unchecked: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    @property
    def is_clean(self) -> bool:
        """Whether nothing has to be done."""
        return not (self.drifted or self.differing)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `drift` takes."""
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")
    parser.add_argument("--issue", action="store_true", help="keep one issue on it, and close it when it is clean")


def run(environment: Environment, arguments: Namespace) -> int:
    """Compare. Exit code 1 when something has drifted or differs."""
    folder = arguments.assembly or default_folder(environment.name, None)
    names = stack_names(folder)
    session = open_session(environment)
    findings = Findings()
    for name in names:
        _compare_stack(session, folder, name, findings)
    _compare_code(session, folder, naming.orders_stack(environment.name), findings)
    summary = _markdown(findings)
    if arguments.issue:
        body = None if findings.is_clean else summary
        github.keep_issue(f"drift {environment.name}", f"{environment.name} is not what main says", body)
    show(arguments, {"clean": findings.is_clean, **asdict(findings)}, _lines(findings), summary)
    return 0 if findings.is_clean else 1


def _compare_stack(session: boto3.Session, folder: Path, name: str, findings: Findings) -> None:
    stack = describe(session, name)
    if stack is None:
        findings.differing.append(f"{name} is not deployed")
        return
    if is_changing(stack):
        findings.notes.append(f"{name} is {stack['StackStatus']}, so that it was not looked at")
        return
    if stack["StackStatus"] not in DETECTABLE:
        findings.differing.append(f"{name} is {stack['StackStatus']}")
        return
    deployed, built = tags(stack).get("commit", "unknown"), stack_tags(folder, name).get("commit", "unknown")
    if deployed != built:
        findings.notes.append(f"{name} was deployed from commit {deployed}, and main is at {built}")
    _inspect(session.client("cloudformation"), name, findings)


def _inspect(client: "CloudFormationClient", name: str, findings: Findings) -> None:
    """Look at each resource of a stack."""
    unfinished = _detect(client, name)
    if unfinished:
        findings.differing.append(f"{name}: {unfinished}")
    drifts = {drift["LogicalResourceId"]: drift for drift in _drifts(client, name)}
    for page in client.get_paginator("list_stack_resources").paginate(StackName=name):
        for resource in page["StackResourceSummaries"]:
            what = f"{name}: {resource['ResourceType']} {resource['LogicalResourceId']}"
            drift = drifts.get(resource["LogicalResourceId"])
            if not drift:
                findings.unchecked.append(f"{what}: not supported by drift detection")
            elif drift["StackResourceDriftStatus"] in ("MODIFIED", "DELETED"):
                findings.drifted.append(f"{what} is {drift['StackResourceDriftStatus']}{_changes(drift)}")
            elif drift["StackResourceDriftStatus"] != "IN_SYNC":
                findings.unchecked.append(f"{what}: {drift['StackResourceDriftStatus']}")


def _detect(client: "CloudFormationClient", name: str) -> str | None:
    """Have CloudFormation look for drift, and return what kept it from looking at everything."""
    with doing(f"Detecting drift of {name}"):
        detection = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
        for _ in range(POLLS):
            found = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
            if found["DetectionStatus"] == "DETECTION_COMPLETE":
                return None
            if found["DetectionStatus"] == "DETECTION_FAILED":
                return f"the detection of drift failed: {found.get('DetectionStatusReason', 'no reason given')}"
            time.sleep(POLL_SECONDS)
    return f"the detection of drift did not end within {POLLS * POLL_SECONDS // 60} minutes"


def _drifts(client: "CloudFormationClient", name: str) -> "Iterator[StackResourceDriftTypeDef]":
    # There is no paginator for it.
    page = client.describe_stack_resource_drifts(StackName=name)
    yield from page["StackResourceDrifts"]
    while "NextToken" in page:
        page = client.describe_stack_resource_drifts(StackName=name, NextToken=page["NextToken"])
        yield from page["StackResourceDrifts"]


def _changes(drift: "StackResourceDriftTypeDef") -> str:
    changed = [
        f"{each['PropertyPath']} should be {each['ExpectedValue']} and is {each['ActualValue']}"
        for each in drift.get("PropertyDifferences", [])
    ]
    return f": {'; '.join(changed)}" if changed else ""


def _compare_code(session: boto3.Session, folder: Path, function: str, findings: Findings) -> None:
    """Compare the code of the live version with the archive that was built."""
    client = session.client("lambda")
    version = live_version(client, function)
    if version is None:
        closed = "was drained and takes no new executions" if is_closed(client, function) else "has no live version"
        findings.differing.append(f"{function} {closed}")
        return
    live = client.get_function_configuration(FunctionName=function, Qualifier=version)["CodeSha256"]
    if live != _built(folder, function):
        findings.differing.append(f"{function}: the code of its live version {version} is not what main builds")


def _built(folder: Path, stack_name: str) -> str:
    """Return the SHA-256 of the function's archive in an assembly, in the form in which Lambda tells it."""
    template = json.loads((folder / f"{stack_name}.template.json").read_text())
    (function,) = (each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function")
    archive = folder / f"asset.{function['Properties']['Code']['S3Key']}"
    return base64.b64encode(hashlib.sha256(archive.read_bytes()).digest()).decode()


def _lines(findings: Findings) -> Iterator[str]:
    yield "Everything is as main says" if findings.is_clean else "Not everything is as main says:"
    for line in [*findings.drifted, *findings.differing]:
        yield f"  {line}"
    for line in findings.notes:
        yield f"note: {line}"
    if findings.unchecked:
        yield f"{_unchecked(findings)}:"
        yield from (f"  {line}" for line in findings.unchecked)


def _markdown(findings: Findings) -> str:
    parts = ["Everything is as main says." if findings.is_clean else "Not everything is as main says."]
    told = {"Drifted": findings.drifted, "Differing": findings.differing, "Notes": findings.notes}
    for title, lines in told.items():
        if lines:
            parts.append("\n".join([f"**{title}**\n", *(f"- {markdown.code(line)}" for line in lines)]))
    if findings.unchecked:
        unchecked = "\n".join(f"- {markdown.code(line)}" for line in findings.unchecked)
        parts.append(markdown.folded(_unchecked(findings), unchecked))
    return "\n\n".join(parts)


def _unchecked(findings: Findings) -> str:
    count = len(findings.unchecked)
    return f"{count} {'resource' if count == 1 else 'resources'} could not be checked"
