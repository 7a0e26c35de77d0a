"""Markdown of what may have come from a pull request: quoted so that it shows, and does nothing."""

import re
from collections.abc import Iterable, Mapping

# A comment of GitHub holds 65,536 characters (REST API, issue comments); two diffs and the rest must fit.
LONGEST_BLOCK = 25_000


def block(text: str, language: str = "") -> str:
    """Fence text off, with a fence that is longer than any in it."""
    if len(text) > LONGEST_BLOCK:
        text = text[:LONGEST_BLOCK] + "\n... cut here; the job's summary has all of it"
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def code(text: object) -> str:
    """Quote one value within a line: nothing but letters, digits and the punctuation of names and ARNs is kept."""
    return f"`{_plain(text)}`"


def folded(title: str, content: str) -> str:
    """Fold content away under a title of our own, in HTML: Markdown does nothing there."""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def changes(title: str, warnings: Iterable[str], stacks: Mapping[str, str]) -> str:
    """Write the changes of an environment: what deserves a look first, then the rest folded."""
    parts = [f"### {title}", *(f"- {code(warning)}" for warning in warnings)]
    parts += [folded(f"<code>{_plain(name)}</code>", block(text, "diff")) for name, text in stacks.items()]
    return "\n\n".join(parts)


def _plain(text: object) -> str:
    return re.sub(r"[^A-Za-z0-9 ._:/$@,=-]", "", str(text))[:300]
