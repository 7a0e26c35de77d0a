"""What a command found, and how it is told: lines for a person, one JSON object for a machine, Markdown for GitHub."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, RenderableType

from infra.console import markdown


@dataclass(frozen=True)
class Notice:
    """What an issue on GitHub shall say for as long as it is so.

    Args:
        topic: what the issue is known by; there is one for each topic.
        title: the title of a new one.
        body: Markdown, or None when nothing is left to say.
    """

    topic: str
    title: str
    body: str | None


@dataclass(frozen=True)
class Report:
    """What a command found.

    Args:
        facts: for a machine. Those that fit a line are the outputs of a workflow's step as well.
        outputs: further outputs of the step, which facts say in another form.
        lines: for a person, on standard output.
        markdown: for the summary of a workflow's job.
        code: the exit code.
        error: why the command failed, for standard error.
        notice: what GitHub is told once all of the above is shown.
    """

    facts: Mapping[str, object]
    lines: Iterable[RenderableType] = ()
    markdown: str = ""
    code: int = 0
    error: str | None = None
    notice: Notice | None = None
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of_failure(cls, code: int, message: str) -> "Report":
        """Return the report of a command that found nothing but a reason to end."""
        facts = {"error": message, "exit_code": code}
        summary = markdown.fit_summary(lambda limit: markdown.block(message, limit=limit))
        return cls(facts, markdown=summary, code=code, error=message)


def show(report: Report, *, as_json: bool = False, file: Path | None = None) -> None:
    """Print a report, and leave it where --report and a workflow's step ask for it."""
    text = json.dumps(report.facts, indent=2, default=str)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    write_outputs({**report.facts, **report.outputs})
    _append("GITHUB_STEP_SUMMARY", f"{report.markdown}\n" if report.markdown else "")
    if as_json:
        print(text)
    else:
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for line in report.lines:
            console.print(line)
    if report.error:
        print(report.error, file=sys.stderr)


def write_outputs(facts: Mapping[str, object]) -> None:
    """Give the facts that fit a line to the outputs of a workflow's step; an absent value is an empty output."""
    flat = {
        key: "" if value is None else str(value) for key, value in facts.items() if not isinstance(value, list | dict)
    }
    _append("GITHUB_OUTPUT", "".join(f"{key}={value}\n" for key, value in flat.items() if "\n" not in value))


def _append(variable: str, text: str) -> None:
    if text and (path := os.environ.get(variable)):
        with Path(path).open("a") as file:
            file.write(text)
