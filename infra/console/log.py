"""Lines of a function's log, for a terminal and for the log of a workflow."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from infra import ROOT
from infra.console import markdown

MOST_LINES = 40
# Below a warning these say how they found credentials and endpoints, once for each start of a process.
CHATTY = "botocore."

_FRAME = re.compile(r'(?P<before>\s*File ")(?P<path>[^"]+)(?P<after>".*)')


@dataclass(frozen=True)
class Line:
    """A line of a log. Its text is the function's, and whatever an event brought into it.

    Args:
        at: when it was written.
        level: INFO, ERROR, ...; empty where it was printed.
        logger: the name of its logger; empty where it was printed.
        message: the text.
        fields: what it has on top, by name.
        trace: the traceback, if it is of an exception.
    """

    at: datetime
    level: str
    logger: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    trace: list[str] = field(default_factory=list[str])


def shown(lines: Sequence[Line], most: int = MOST_LINES, root: Path = ROOT) -> Iterator[str]:
    """Show the last lines of a log, tracebacks line by line below them.

    Every line begins with a mark of ours and has no control characters, since a function may log whatever it was sent:
    a terminal would obey some of that, and GitHub's runner what looks like a command of a workflow.

    Args:
        lines: the log.
        most: how many lines are shown, those of tracebacks not counted.
        root: the folder that holds functions/, by which files of tracebacks are named.
    """
    worth = [line for line in lines if not (line.logger.startswith(CHATTY) and line.level in ("DEBUG", "INFO"))]
    if len(worth) > most:
        yield f"| {len(worth) - most} lines before these"
    for line in worth[-most:]:
        more = "".join(f"  {name}={value}" for name, value in line.fields.items())
        yield _safe(f"{line.at:%H:%M:%S} {line.level or 'printed':7} {line.message}{more}")
        yield from (_safe(f"  {_as_here(each, root)}") for each in line.trace)


def _safe(text: str) -> str:
    # The runner takes ##[ for a command wherever it stands.
    return f"| {markdown.line(text)}".replace("##[", "# #[")


def _as_here(line: str, root: Path) -> str:
    """Name a file of a traceback as this checkout does, where it has it: an editor finds it by that.

    Of any other the end is told: the rest is where Lambda has put the bundle.
    """
    if not (match := _FRAME.fullmatch(line)):
        return line
    parts = Path(match["path"]).parts
    for start in range(1, len(parts)):
        here = Path("functions", *parts[start:])
        if (root / here).is_file():
            return f"{match['before']}{here}{match['after']}"
    return f"{match['before']}.../{'/'.join(parts[-2:])}{match['after']}"
