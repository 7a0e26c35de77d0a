"""What a command leaves behind: lines for a person, one JSON object for a machine, and what GitHub reads of a step."""

import json
import os
from argparse import Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.console import Console, RenderableType


def show(
    arguments: Namespace, facts: Mapping[str, object], lines: Iterable[RenderableType], summary: str | None = None
) -> None:
    """Print the facts as JSON when --json was given, else the lines.

    The facts go as well to the file of --report, and, where a workflow runs the command, to the outputs of its step;
    the summary, in Markdown, to the summary of its job.
    """
    text = json.dumps(facts, indent=2, default=str)
    if arguments.report:
        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.write_text(text + "\n")
    _append("GITHUB_OUTPUT", _outputs(facts))
    _append("GITHUB_STEP_SUMMARY", f"{summary}\n" if summary else "")
    if arguments.json:
        print(text)
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for line in lines:
        console.print(line)


def _outputs(facts: Mapping[str, object]) -> str:
    """Write the facts that fit a line as GitHub reads outputs; an absent value is an empty output."""
    flat = {
        key: "" if value is None else str(value) for key, value in facts.items() if not isinstance(value, list | dict)
    }
    return "".join(f"{key}={value}\n" for key, value in flat.items() if "\n" not in value)


def _append(variable: str, text: str) -> None:
    if text and (path := os.environ.get(variable)):
        with Path(path).open("a") as file:
            file.write(text)
