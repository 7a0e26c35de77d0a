"""Tell a pull request of its preview, in one comment that is updated in place.

It runs the base branch's code, never the pull request's. All text of what the pull request's jobs left is untrusted,
names of files included.
"""

import json
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from infra import ROOT, contract, naming
from infra.aws.target import Target
from infra.console import markdown, timeline
from infra.console.markdown import Untrusted
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

    alias_arn: Untrusted | None
    version: Untrusted | None


class Smoke(_Report):
    """What `smoke` reported."""

    problems: list[Untrusted]
    timeline: list[timeline.Span[Untrusted]]


class Changes(_Report):
    """What `diff` reported, by stack."""

    warnings: list[Untrusted]
    changes: dict[Untrusted, Untrusted]


class Failure(_Report):
    """What a command reported that found nothing but a reason to end."""

    error: Untrusted
    exit_code: int


@dataclass(frozen=True)
class Reports:
    """All reports of one run; the changes by environment. A job that did not come so far left none."""

    deployment: Deployment | None = None
    smoke: Smoke | None = None
    changes: dict[Untrusted, Changes] = field(default_factory=dict[Untrusted, Changes])


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
    histories = [Untrusted(str(path)) for path in changed if path.parent == RECORDED.relative_to(ROOT)]
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
        deployment=_read(files["deploy"], Deployment, _not_deployed) if "deploy" in files else None,
        smoke=_read(files["smoke"], Smoke, _not_tried) if "smoke" in files else None,
        changes={Untrusted(name): _read(path, Changes, _not_compared) for name, path in changes.items()},
    )


def _not_deployed(_error: Untrusted) -> Deployment:
    return Deployment(alias_arn=None, version=None)


def _not_tried(error: Untrusted) -> Smoke:
    return Smoke(problems=[error], timeline=[])


def _not_compared(error: Untrusted) -> Changes:
    return Changes(warnings=[error], changes={})


def render(
    environment: Environment, function: str, commit: str, reports: Reports, histories: Sequence[Untrusted] = ()
) -> str:
    """Write the comment's Markdown, which fits a comment.

    Args:
        environment: the one that hosts the preview.
        function: that of the preview.
        commit: what the preview was built from.
        reports: what the other jobs left.
        histories: the recorded histories that the pull request changes.
    """

    def parts(limit: int) -> Iterator[str]:
        yield MARKER
        yield f"## Preview of {markdown.code(commit[:12])}"
        yield from _preview(environment, function, reports, limit)
        if histories:
            yield _histories(histories, limit)
        yield from markdown.some([*reports.changes.items()], limit, lambda found: _changes(*found, limit))

    return markdown.fit(lambda limit: "\n\n".join(parts(limit)))


def _preview(environment: Environment, function: str, reports: Reports, limit: int) -> Iterator[str]:
    deployed = reports.deployment
    if not deployed or not deployed.alias_arn:
        yield "There is no preview of this commit; the checks say why."
        return
    version = markdown.code(deployed.version or "unknown", limit)
    yield f"Alias {markdown.code(deployed.alias_arn, limit)}, version {version}."
    yield from _smoke(reports.smoke, limit)
    yield "Send an order of your own:"
    yield markdown.block(_how_to_invoke(environment, function), "sh")
    days = environment.preview_days
    yield f"It goes, with the orders that still run, when this pull request is closed, or after {days} days."


def _smoke(smoke: Smoke | None, limit: int) -> Iterator[str]:
    if smoke is None:
        yield "No smoke order was sent."
        return
    yield "The smoke order failed:" if smoke.problems else "The smoke order passed."
    yield from filter(None, [markdown.items(smoke.problems, limit), timeline.gantt(smoke.timeline, limit)])


def _histories(paths: Sequence[Untrusted], limit: int) -> str:
    told = (
        "**It changes recorded histories**: an execution that began on the code before may not resume on this code. "
        "Each goes on with the version that it began on, unless it is invoked through `$LATEST.PUBLISHED`."
    )
    return f"{told}\n\n{markdown.items(paths, limit)}"


def _changes(environment: Untrusted, found: Changes, limit: int) -> str:
    title = f"Changes of {markdown.code(environment, limit)}"
    return markdown.changes(title, found.warnings, found.changes, limit)


def _how_to_invoke(environment: Environment, function: str) -> str:
    # Of names that are ours alone: people paste it into a shell.
    event = shlex.quote(json.dumps(contract.load().event_of("my-order")))
    return (
        f"aws lambda invoke --region {environment.region} --function-name {function}:{naming.ALIAS} \\\n"
        "    --invocation-type Event --durable-execution-name my-order --cli-binary-format raw-in-base64-out \\\n"
        f"    --payload {event} /dev/stdout"
    )


def _read(path: Path, form: type[Form], of_failure: Callable[[Untrusted], Form]) -> Form:
    content = path.read_bytes()
    with suppress(ValidationError):
        return of_failure(Failure.model_validate_json(content).error)
    try:
        return form.model_validate_json(content)
    except ValidationError as error:
        wrong = (": ".join(map(str, [path, *each["loc"], each["msg"]])) for each in error.errors())
        # The names in it are untrusted too, and a line of its own could be a command to the workflow's runner.
        raise UsageError("\n".join(map(markdown.line, wrong))) from error
