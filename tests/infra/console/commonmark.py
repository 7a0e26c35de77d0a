"""Markdown as GitHub parses it, for tests of what others wrote: it may show in code, and nowhere else."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

_GANTT_ROW = re.compile(r"    (?:section|running|-?[\d.]+ s) [\w -]+?( :(?:crit, )?\d+, \d+)?")


def parse(text: str) -> list[Token]:
    """Return the blocks of a text."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def shape(text: str) -> list[Any]:
    """Return all of a text's tree but what is in its code; of a diagram, all but its labels."""
    return [each for token in parse(text) for each in _shape(token)]


def codes(text: str) -> list[str]:
    """Return what is in the code of a text."""
    tokens = [each for token in parse(text) for each in [token, *(token.children or [])]]
    return [each.content for each in tokens if each.type in {"code_inline", "fence"}]


def _shape(token: Token) -> Iterator[Any]:
    if token.type.startswith("html"):
        html = _OutsideOfCode()
        html.feed(token.content)
        html.close()
        yield html.found
        return
    told = "" if token.children or token.type in {"code_inline", "fence"} else token.content
    yield token.type, token.tag, token.level, token.info, token.attrs, told
    if token.info == "mermaid":
        for row in token.content.splitlines()[3:]:
            match = _GANTT_ROW.fullmatch(row)
            yield match[1] if match else row
    for child in token.children or ():
        yield from _shape(child)


class _OutsideOfCode(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"comment {data}")

    def handle_data(self, data: str) -> None:
        if self.found[-1:] != [("code", [])]:
            self.found.append(data)
