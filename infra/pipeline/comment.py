"""Tell a pull request of its preview, in one comment that is updated in place.

It runs the base branch's code, never the pull request's. All text of what the pull request's jobs left is untrusted,
names of files included.
"""

import json
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from infra import contract, naming
from infra.aws.target import Target
from infra.console import markdown, timeline
from infra.console.markdown import Untrusted
from infra.console.report import Report
from infra.errors import UsageError
from infra.github import pull_requests
from infra.pipeline.arguments import add_pull_request
from infra.replay import recorded

# How the comment begins, by which it is found again.
MARKER = "<!-- infra.pipeline preview -->"


class _Report(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class DeployedTo(_Report):
    """What `deploy` reported of a function."""

    alias_arn: Untrusted
    version: Untrusted


class Deployment(_Report):
    """What `deploy` reported, by function, or why it reported nothing."""

    functions: dict[Untrusted, DeployedTo]
    error: Untrusted | None = None


class Trial(_Report):
    """What `smoke` reported of a function."""

    problems: list[Untrusted]
    timeline: list[timeline.Span[Untrusted]]


class Smoke(_Report):
    """What `smoke` reported, by function, or why it reported nothing."""

    functions: dict[Untrusted, Trial]
    error: Untrusted | None = None


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
    histories = [Untrusted(str(path)) for path in changed if _is_recorded(path)]
    body = render(target, arguments.commit, read_reports(arguments.reports), histories)
    url = pull_requests.keep_comment(number, MARKER, body)
    return Report({"comment": url}, [f"The comment is at {url}"], body)


def _is_recorded(path: Path) -> bool:
    """Tell whether a file is a recorded history, also one of a function that only the pull request has."""
    return len(path.parts) > 1 and path.parent == recorded(path.parent.parent.name, Path())


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


def _not_deployed(error: Untrusted) -> Deployment:
    return Deployment(functions={}, error=error)


def _not_tried(error: Untrusted) -> Smoke:
    return Smoke(functions={}, error=error)


def _not_compared(error: Untrusted) -> Changes:
    return Changes(warnings=[error], changes={})


def render(target: Target, commit: str, reports: Reports, histories: Sequence[Untrusted] = ()) -> str:
    """Write the comment's Markdown, which fits a comment.

    Args:
        target: the preview.
        commit: what the preview was built from.
        reports: what the other jobs left.
        histories: the recorded histories that the pull request changes.
    """

    def parts(limit: int) -> Iterator[str]:
        yield MARKER
        yield f"## Preview of {markdown.code(commit[:12])}"
        yield from _preview(target, reports, limit)
        if histories:
            yield _histories(histories, limit)
        told = [(name, found) for name, found in reports.changes.items() if found.warnings or found.changes]
        yield from markdown.some(told, limit, lambda each: _changes(*each, limit))

    return markdown.fit(lambda limit: "\n\n".join(parts(limit)))


def _preview(target: Target, reports: Reports, limit: int) -> Iterator[str]:
    deployment = reports.deployment or Deployment(functions={})
    if deployment.error is not None:
        yield "This commit could not be deployed:"
        yield markdown.block(deployment.error, limit=limit)
    elif not deployment.functions:
        yield "There is no preview of this commit; the checks say why."
    if deployment.functions:
        yield from _deployed(target, reports, deployment.functions, limit)


def _deployed(target: Target, reports: Reports, functions: Mapping[Untrusted, DeployedTo], limit: int) -> Iterator[str]:
    yield _aliases(functions, limit)
    yield from _smoke(reports.smoke, limit)
    yield "Send an event of your own:"
    yield markdown.block(_how_to_invoke(target, functions), "sh")
    days, hours = target.environment.preview_days, target.environment.preview_idle_hours
    if hours:
        yield (
            f"It sleeps once nothing has happened on it for {hours} hours, and costs no instance then. The next push "
            f"wakes it, and so does this, in a minute or two:"
        )
        yield markdown.block(
            f"python -m infra.pipeline wake --environment {target.environment.name} "
            f"--pull-request {target.pull_request}",
            "sh",
        )
    yield f"It goes, with the executions that still run, when this pull request is closed, or after {days} days."


def _aliases(functions: Mapping[Untrusted, DeployedTo], limit: int) -> str:
    if len(functions) == 1:
        return f"Alias {_alias(next(iter(functions.values())), limit)}."
    told = markdown.some(
        [*functions.items()], limit, lambda each: f"{markdown.code(each[0], limit)}: alias {_alias(each[1], limit)}"
    )
    return "\n".join(f"- {each}" for each in told)


def _alias(deployed: DeployedTo, limit: int) -> str:
    return f"{markdown.code(deployed.alias_arn, limit)}, version {markdown.code(deployed.version, limit)}"


def _smoke(smoke: Smoke | None, limit: int) -> Iterator[str]:
    if smoke is None:
        yield "No smoke execution was started."
    elif smoke.error is not None:
        yield "The smoke execution failed:"
        yield markdown.items([smoke.error], limit)
    elif len(smoke.functions) == 1:
        yield _trial("", next(iter(smoke.functions.values())), limit)
    else:
        yield from markdown.some(
            [*smoke.functions.items()],
            limit,
            lambda each: _trial(f" of {markdown.code(each[0], limit)}", each[1], limit),
        )


def _trial(of: str, trial: Trial, limit: int) -> str:
    verdict = f"The smoke execution{of} {'failed:' if trial.problems else 'passed.'}"
    drawn = timeline.gantt(trial.timeline, limit) if trial.timeline else ""
    told = [verdict, markdown.items(trial.problems, limit), drawn]
    return "\n\n".join(filter(None, told))


def _histories(paths: Sequence[Untrusted], limit: int) -> str:
    told = (
        "**It changes recorded histories**: an execution that began on the code before may not resume on this code. "
        "Each goes on with the version that it began on, unless it is invoked through `$LATEST.PUBLISHED`."
    )
    return f"{told}\n\n{markdown.items(paths, limit)}"


def _changes(environment: Untrusted, found: Changes, limit: int) -> str:
    title = f"Changes of {markdown.code(environment, limit)}"
    return markdown.changes(title, found.warnings, found.changes, limit)


def _how_to_invoke(target: Target, functions: Mapping[Untrusted, DeployedTo]) -> str:
    # Of names that are ours alone: people paste it into a shell.
    known = [name for name in target.environment.function_names if Untrusted(name) in functions]
    commands = [_command(target, name) for name in known]
    if len(known) < len(functions):
        commands.append("# Each of all its functions, where the pull request is checked out:")
        commands.append(f"python -m infra.pipeline invoke --pull-request {target.pull_request}")
    return "\n".join(commands)


def _command(target: Target, function: str) -> str:
    environment = target.environment
    event = shlex.quote(json.dumps(contract.load(function, environment.project.root).event_of("my-execution")))
    alias = f"{target.function_name(function)}:{naming.ALIAS}"
    return (
        f"aws lambda invoke --region {environment.region} --function-name {alias} \\\n"
        "    --invocation-type Event --durable-execution-name my-execution --cli-binary-format raw-in-base64-out \\\n"
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
