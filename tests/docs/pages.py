"""The pages of the documentation: which commands they show, what they link to, and which blocks a command fills in.

A command is a line of a code block. One in a fence that is marked `sh` is a line of the shell; elsewhere it is what
begins with a program that pages name. What follows two spaces, or a `#`, is said to the reader.

A block that a command fills in follows its marker, `<!-- $ command -->`: a fence, or all up to `<!-- end -->`.
"""

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from infra import ROOT

PROGRAMS = ("make", "python", "python3", ".venv/bin/python", "gh", "aws", "git", "npm", "uv", "cdk")
MARKER = re.compile(r"<!-- \$ (.+) -->")
END = "<!-- end -->"
_COMMAND = re.compile(rf"(?:\$ )?((?:{'|'.join(map(re.escape, PROGRAMS))}) .+)")
_TOLD = re.compile(r"(?:\s{2,}|\s#\s).*")


@dataclass(frozen=True)
class Command:
    """A command of a page.

    Args:
        text: as a person would type it.
        page: the file, from the checkout's root.
        line: counted from 1.
    """

    text: str
    page: str
    line: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Block:
    """What a command fills in.

    Args:
        command: the one of its marker.
        page: the file, from the checkout's root.
        start: the first of its lines, counted from 0.
        end: the line after its last.
        text: what stands there now.
    """

    command: str
    page: str
    start: int
    end: int
    text: str


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages: those of the root, and those of docs/."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("*.md"))]


def commands(root: Path = ROOT) -> list[Command]:
    """Return the commands of all pages' code blocks."""
    return [found for path in pages(root) for found in _commands(path, root)]


def blocks(root: Path = ROOT) -> list[Block]:
    """Return the blocks of all pages that commands fill in."""
    return [found for path in pages(root) for found in _blocks(path, root)]


def fill(path: Path, block: Block, text: str) -> None:
    """Put another text in a block's place. Of a page with several, the last must come first."""
    lines = path.read_text().splitlines()
    in_fence = lines[block.end].startswith("```")
    lines[block.start : block.end] = text.splitlines() if in_fence else ["", *text.splitlines(), ""]
    path.write_text("\n".join(lines) + "\n")


def links(path: Path) -> list[str]:
    """Return where a page's links and images lead."""
    found = [token for outer in _tokens(path) for token in outer.children or []]
    return [str(token.attrs.get("href") or token.attrs.get("src") or "") for token in found if token.attrs]


def headings(path: Path) -> list[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    tokens = _tokens(path)
    titles = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def mentions(path: Path) -> list[str]:
    """Return the commands within a page's sentences, which may stand there by their beginnings."""
    found = [token.content for outer in _tokens(path) for token in outer.children or [] if token.type == "code_inline"]
    return [text for text in found if text.startswith(("make ", "python -m "))]


@cache
def _tokens(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text())


def _commands(path: Path, root: Path) -> list[Command]:
    filled = {line for block in _blocks(path, root) for line in range(block.start, block.end)}
    found: list[Command] = []
    for token in _tokens(path):
        if token.type in ("fence", "code_block") and token.map and token.map[0] + 1 not in filled:
            first = token.map[0] + (2 if token.type == "fence" else 1)
            found += _of_block(token, path.relative_to(root).as_posix(), first)
    return found


def _of_block(token: Token, page: str, first: int) -> list[Command]:
    found: list[Command] = []
    continued = ""
    for number, line in enumerate(token.content.splitlines(), first):
        whole = f"{continued}{line.strip()}"
        if whole.endswith("\\"):
            continued = whole.removesuffix("\\")
            continue
        continued = ""
        shell = token.info == "sh" and whole and not whole.startswith("#")
        if match := _COMMAND.fullmatch(whole):
            found.append(Command(_TOLD.sub("", match[1]).strip(), page, number))
        elif shell:
            found.append(Command(_TOLD.sub("", whole).strip(), page, number))
    return found


def _blocks(path: Path, root: Path) -> list[Block]:
    lines = path.read_text().splitlines()
    # A page may show in a block how one is written.
    code = {line for token in _tokens(path) if token.type == "fence" and token.map for line in range(*token.map)}
    found: list[Block] = []
    for number, line in enumerate(lines):
        if (match := MARKER.fullmatch(line)) and number not in code:
            start, ending = number + 1, END
            if lines[start].startswith("```"):
                start, ending = start + 1, "```"
            end = lines.index(ending, start)
            page = path.relative_to(root).as_posix()
            found.append(Block(match[1], page, start, end, "\n".join(lines[start:end])))
    return found
