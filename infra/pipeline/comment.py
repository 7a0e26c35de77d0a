"""Tell a pull request of its preview, in one comment that is updated in place.

It runs the base branch's code, never the pull request's. What the pull request's jobs left is untrusted: values are
quoted, and nothing of it is run.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from infra import ROOT, naming
from infra.aws.target import Target
from infra.console import markdown, timeline
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import UsageError
from infra.github import pull_requests
from infra.pipeline.arguments import add_pull_request
from infra.replay import RECORDED

MARKER = "<!-- orders preview -->"


class _Report(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Deployment(_Report):
    """What `deploy` reported."""

    alias_arn: str | None
    version: str | None


class Smoke(_Report):
    """What `smoke` reported."""

    problems: list[str]
    timeline: list[timeline.Span]


class Changes(_Report):
    """What `diff` reported."""

    warnings: list[str]
    changes: dict[str, str]


class Reports(_Report):
    """All reports of one run. A job that did not come so far left none."""

    deployment: Deployment | None = None
    smoke: Smoke | None = None
    changes: dict[str, Changes] = {}


Form = TypeVar("Form", bound=_Report)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `comment` takes."""
    add_pull_request(parser, required=True)
    parser.add_argument("--commit", required=True, help="the commit that the preview was built from")
    parser.add_argument("--reports", type=Path, required=True, help="folder with the reports of deploy, smoke and diff")


def run(target: Target, arguments: Namespace) -> Report:
    """Write the comment, or update the one that there is."""
    number = arguments.pull_request
    changed = [Path(name) for name in pull_requests.changed_files(number)]
    histories = [str(path) for path in changed if path.parent == RECORDED.relative_to(ROOT)]
    reports = read_reports(arguments.reports)
    body = render(target.environment, target.function_name, arguments.commit, reports, histories)
    url = pull_requests.keep_comment(number, MARKER, body)
    return Report({"comment": url}, [f"The comment is at {url}"], body)


def read_reports(folder: Path) -> Reports:
    """Read what the other jobs left: deploy.json, smoke.json and diff-<environment>.json, each where there is one.

    Raises:
        UsageError: a report is not of its form.
    """
    files = {path.stem: path for path in sorted(folder.rglob("*.json"))}
    changes = {name.removeprefix("diff-"): path for name, path in files.items() if name.startswith("diff-")}
    return Reports(
        deployment=_read(Deployment, files["deploy"]) if "deploy" in files else None,
        smoke=_read(Smoke, files["smoke"]) if "smoke" in files else None,
        changes={name: _read(Changes, path) for name, path in changes.items()},
    )


def render(
    environment: Environment, function: str, commit: str, reports: Reports, histories: Sequence[str] = ()
) -> str:
    """Write the comment's Markdown.

    Args:
        environment: the one that hosts the preview.
        function: that of the preview.
        commit: what the preview was built from.
        reports: what the other jobs left.
        histories: the recorded histories that the pull request changes.
    """
    parts = [MARKER, f"## Preview of {markdown.code(commit[:12])}"]
    if reports.deployment and reports.deployment.alias_arn:
        alias = reports.deployment.alias_arn
        parts.append(f"Alias {markdown.code(alias)}, version {markdown.code(reports.deployment.version)}.")
        parts.append(_smoke(reports.smoke))
        parts.append("Send an order of your own:\n\n" + markdown.block(_how_to_invoke(environment, function), "sh"))
        days = environment.preview_days
        parts.append(
            f"It goes, with the orders that still run, when this pull request is closed, or after {days} days."
        )
    else:
        parts.append("There is no preview of this commit; the checks say why.")
    if histories:
        parts.append(_histories(histories))
    for name, found in reports.changes.items():
        parts.append(markdown.changes(f"Changes of {markdown.code(name)}", found.warnings, found.changes))
    return "\n\n".join(parts)


def _smoke(smoke: Smoke | None) -> str:
    if smoke is None:
        return "No smoke order was sent."
    verdict = "The smoke order failed:" if smoke.problems else "The smoke order passed."
    lines = [verdict, *(f"- {markdown.code(problem)}" for problem in smoke.problems)]
    return "\n".join(lines) + "\n\n" + timeline.gantt(smoke.timeline)


def _histories(paths: Sequence[str]) -> str:
    told = (
        "**It changes recorded histories**: an execution that began on the code before may not resume on this code. "
        "Each goes on with the version that it began on, unless it is invoked through `$LATEST.PUBLISHED`.\n"
    )
    return "\n".join([told, *(f"- {markdown.code(path)}" for path in paths)])


def _how_to_invoke(environment: Environment, function: str) -> str:
    # Of names that are ours alone: people paste it into a shell.
    return (
        f"aws lambda invoke --region {environment.region} --function-name {function}:{naming.ALIAS} \\\n"
        "    --invocation-type Event --durable-execution-name my-order --cli-binary-format raw-in-base64-out \\\n"
        """    --payload '{"orderId": "my-order"}' /dev/stdout"""
    )


def _read(form: type[Form], path: Path) -> Form:
    try:
        return form.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UsageError(f"{path}: {error}") from error
