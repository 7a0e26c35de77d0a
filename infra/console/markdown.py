"""Markdown of text that others wrote: all of it shows, and nothing of it acts.

Text is cut only where GitHub would refuse the whole: `fit` finds the limit, which all functions here take.
"""

import html
import re
import sys
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

# The body of a comment or an issue holds 65,536 characters (GitHub's REST API, issue comments); a marker comes on top.
LONGEST_BODY = 65_000
# The summary of a step holds 1 MiB (GitHub's workflow commands, adding a job summary), which are bytes.
LONGEST_SUMMARY = 1_000_000
UNLIMITED = sys.maxsize

# GitHub's parser (cmark-gfm) sees no code between runs of more than 80 backticks, and counts those of a fence to 255.
_LONG_RUN = re.compile("`{17,}")

Item = TypeVar("Item")


@dataclass(frozen=True, repr=False)
class Untrusted:
    """Text that a pull request may have written. The functions of this module alone can show it, and they escape it.

    It is no string, and refuses to become one. A pydantic model reads it from a string of JSON.
    """

    _text: str

    def __str__(self) -> str:
        raise TypeError("untrusted text is shown by infra.console.markdown alone")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        of_json = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(of_json, core_schema.is_instance_schema(cls))


Text = str | Untrusted


def code(text: Text, limit: int = UNLIMITED) -> str:
    """Show text within a line, as code."""
    shown = line(text, limit) or "(empty)"
    ticks = "`" * (_longest_run(shown) + 1)
    # CommonMark takes one space from both ends, if there is one at both.
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def block(text: Text, language: str = "", limit: int = UNLIMITED) -> str:
    """Show text in lines of its own, as code, fenced off by more backticks than any of its lines has."""
    shown = _visible(_cut(text, limit, "\n"), "\n\t")
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def items(texts: Sequence[Text], limit: int = UNLIMITED) -> str:
    """Show a list of texts, each as code."""
    return "\n".join(f"- {each}" for each in some(texts, limit, lambda text: code(text, limit)))


def label(text: Text, limit: int = UNLIMITED) -> str:
    """Show text within a Mermaid diagram: what could have a meaning there is an underscore.

    As the first word of a line it can be a keyword still.
    """
    return re.sub(r"[^\w -]+", "_", _cut(text, limit)).strip() or "unnamed"


def line(text: Text, limit: int = UNLIMITED) -> str:
    """Show text in one line of a terminal or a log: line breaks and control characters as Python's escapes."""
    return _visible(_cut(text, limit))


def folded(title: str, content: str) -> str:
    """Fold content away under a title of our own, in HTML: Markdown does nothing there."""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def changes(
    title: str,
    warnings: Sequence[Text],
    stacks: Mapping[str, str] | Mapping[Untrusted, Untrusted],
    limit: int = UNLIMITED,
) -> str:
    """Show the changes of an environment: what deserves a look first, then the rest folded."""

    def stack(changed: tuple[Text, Text]) -> str:
        name, text = changed
        return folded(f"<code>{html.escape(line(name, limit))}</code>", block(text, "diff", limit))

    parts = [f"### {title}", items(warnings, limit), *some([*stacks.items()], limit, stack)]
    return "\n\n".join(filter(None, parts))


def some(found: Sequence[Item], limit: int, show: Callable[[Item], str]) -> list[str]:
    """Show as many as the limit lets, and say how many more there are."""
    return [*map(show, found[:limit]), *more(found, limit)]


def more(found: Sequence[object], limit: int) -> list[str]:
    """Say how many there are beyond the limit, if any."""
    count = len(found) - limit
    return [f"and {count:,} more, which the run's log has"] if count > 0 else []


def fit(render: Callable[[int], str], longest: int = LONGEST_BODY, size: Callable[[str], int] = len) -> str:
    """Render with the highest limit with which the whole fits.

    The limit is of characters for a text, and of texts for a list. So the longest texts are cut first, all to the same
    length, and lists only when there are more texts than each may have characters.

    Args:
        render: renders with a limit. With 0 it shows nothing but what is ours, which fits.
        longest: the size that the whole may have.
        size: measures it; in characters unless told otherwise.
    """
    whole = render(longest)
    if size(whole) <= longest:
        return whole
    return render(max(0, bisect(range(longest), longest, key=lambda limit: size(render(limit))) - 1))


def fit_summary(render: Callable[[int], str]) -> str:
    """Render what fits the summary of a step."""
    return fit(render, LONGEST_SUMMARY, lambda text: len(text.encode()))


def _cut(text: Text, limit: int, before_the_note: str = "") -> str:
    match text:
        case Untrusted(raw) | str(raw):
            rest = len(raw) - limit
            note = f"{before_the_note}... cut here: the run's log has {rest:,} characters more"
            return raw[:limit] + (note if rest > 0 else "")


def _visible(text: str, kept: str = "") -> str:
    """Write what does not show, or shows elsewhere than it stands, as Python's escapes."""
    text = _LONG_RUN.sub(lambda run: r"\x60" * len(run[0]), text)
    hidden = (each for each in set(text) if not each.isprintable() and each not in kept)
    return text.translate({ord(each): each.encode("unicode_escape").decode() for each in hidden})


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
