"""What a command leaves on standard output: lines for a person, or one JSON object with --json."""

import json
from argparse import Namespace
from collections.abc import Iterable, Mapping

from rich.console import Console, RenderableType


def show(arguments: Namespace, facts: Mapping[str, object], lines: Iterable[RenderableType]) -> None:
    """Print the facts as JSON when --json was given, else the lines."""
    if arguments.json:
        print(json.dumps(facts, indent=2, default=str))
        return
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line)
