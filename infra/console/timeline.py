"""A durable execution's history as spans of time, and those as a picture for the terminal."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import AwareDatetime
from rich.table import Table
from rich.text import Text

from infra import operations
from infra.console import markdown
from infra.console.markdown import Untrusted
from infra.operations import Operation

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

_WIDTH = 80  # columns of a terminal
_LEAST_BAR, _MOST_BAR = 8, 24

Words = TypeVar("Words", str, Untrusted)


@dataclass(frozen=True)
class Span(Generic[Words]):
    """One thing that took time: an operation's attempt, a wait, or an invocation of the function.

    Args:
        kind: the field's word for it: step, wait, invocation, ...
        name: the operation's name, or the number of the invocation.
        start: when it started.
        end: when it ended; None while it goes on.
        outcome: succeeded, failed, ...; again, of a condition that was not met yet. Without an end it is running, or a
            callback is waiting, or it is unfinished where the execution has ended.
        depth: in how many others it runs, of which the innermost comes before it.
        attempt: which one it is, where there are several.
        detail: by which id a callback is answered, or the function that is invoked.
    """

    kind: Words
    name: Words
    start: AwareDatetime
    end: AwareDatetime | None
    outcome: Words
    depth: int = 0
    attempt: int | None = None
    detail: Words | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.end - self.start).total_seconds() if self.end else None


def spans(events: "Iterable[EventTypeDef]") -> list[Span[str]]:
    """Pair the events of a history into spans, in the order in which they started; what runs in another follows it."""
    told = list(events)
    ended = any(operations.END.fullmatch(event["EventType"]) for event in told)
    found = operations.read(told)
    tops: list[list[Span[str]]] = [[each] for each in _invocations(told)]
    tops += [tree for each in found if each.parent is None for tree in _tree(each, found, ended=ended)]
    # An invocation comes before what it ran.
    tops.sort(key=lambda tree: (tree[0].start, tree[0].kind != "invocation"))
    return list(chain.from_iterable(tops))


def picture(events: "Iterable[EventTypeDef]") -> Table:
    """Draw the spans of a history below each other on one scale of time."""
    drawn = spans(events)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("at", "what", "", "took", "outcome"):
        table.add_column(title, justify="right" if title in {"at", "took"} else "left", no_wrap=True)
    if not drawn:
        return table
    start = drawn[0].start
    total = max((span.end or span.start) - start for span in drawn).total_seconds() or 1.0
    rows = [_cells(span, (span.start - start).total_seconds()) for span in drawn]
    # Each column takes its longest cell, and two spaces before the next one.
    others = sum(max(map(len, column)) + 2 for column in zip(("at", "what", "took", "outcome"), *rows, strict=True))
    width = min(max(_WIDTH - others, _LEAST_BAR), _MOST_BAR)
    for span, (at, what, took, outcome) in zip(drawn, rows, strict=True):
        table.add_row(at, what, _bar(span, (span.start - start).total_seconds() / total, total, width), took, outcome)
    return table


def gantt(drawn: Sequence[Span[Words]], limit: int = markdown.UNLIMITED) -> str:
    """Draw spans as a Mermaid diagram, which GitHub shows as a picture."""
    sections: dict[str, list[str]] = {}
    section = ""
    for span, following in zip(drawn[:limit], [*drawn[1:], None], strict=False):
        if span.depth == 0:
            # What others run in has a section of its own, with all of them.
            words = [span.kind, span.name] if following and following.depth else [span.kind]
            section = " ".join(markdown.label(word, limit) for word in words)
        sections.setdefault(section, [f"    section {section}"]).append(_row(span, limit))
    rows = ["gantt", "    dateFormat x", "    axisFormat %M:%S", *chain.from_iterable(sections.values())]
    return "\n\n".join([markdown.block("\n".join(rows), "mermaid"), *markdown.more(drawn, limit)])


def _row(span: Span[Words], limit: int) -> str:
    # The time comes first, since a name could be a keyword.
    took = f"{span.seconds:.2f} s" if span.seconds is not None else markdown.label(span.outcome, limit)
    words = [span.kind, span.name] if span.depth else [span.name]
    name = " ".join(markdown.label(word, limit) for word in words)
    if span.detail and markdown.label(span.kind) == "invoke":
        name += f" of {markdown.label(span.detail, limit)}"
    attempt = f" attempt {span.attempt}" if span.attempt else ""
    state = "crit, " if markdown.label(span.outcome) == "failed" else ""
    start, end = _milliseconds(span.start), _milliseconds(span.end or span.start)
    return f"    {took} {name}{attempt} :{state}{start}, {max(end, start + 1)}"


def _milliseconds(time: AwareDatetime) -> int:
    return round(time.timestamp() * 1000)


def _invocations(events: "Sequence[EventTypeDef]") -> Iterator[Span[str]]:
    completed = [event["InvocationCompletedDetails"] for event in events if "InvocationCompletedDetails" in event]
    for number, details in enumerate(completed, start=1):
        outcome = "failed" if details.get("Error", {}).get("Payload") else "completed"
        yield Span("invocation", str(number), details["StartTimestamp"], details["EndTimestamp"], outcome)


def _tree(operation: Operation, found: Sequence[Operation], *, ended: bool) -> Iterator[list[Span[str]]]:
    """Yield an operation's attempts, the last of them with the spans of what runs in it."""
    *earlier, last = _attempts(operation, ended=ended)
    yield from ([each] for each in earlier)
    inner = [tree for each in found if each.parent is operation for tree in _tree(each, found, ended=ended)]
    inner.sort(key=lambda tree: tree[0].start)
    yield [last, *chain.from_iterable(inner)]


def _attempts(operation: Operation, *, ended: bool) -> list[Span[str]]:
    attempts = operation.attempts
    return [
        Span(
            operation.kind,
            operation.name,
            started["EventTimestamp"],
            done["EventTimestamp"] if done else None,
            _outcome(operation, done, ended=ended),
            len(operation.ancestors),
            number if len(attempts) > 1 else None,
            operation.callback_id or _function(started),
        )
        for number, (started, done) in enumerate(attempts, start=1)
    ]


def _outcome(operation: Operation, done: "EventTypeDef | None", *, ended: bool) -> str:
    if done is None:
        return "unfinished" if ended else "waiting" if operation.callback_id else "running"
    if done.get("StepSucceededDetails", {}).get("RetryDetails", {}).get("NextAttemptDelaySeconds"):
        return "again"
    return re.sub("^(Step|Wait|Context|Callback|ChainedInvoke)", "", done["EventType"]).lower()


def _function(started: "EventTypeDef") -> str | None:
    """Return the name of the function that is invoked, as the handler named it, without what comes before in an ARN."""
    name = started.get("ChainedInvokeStartedDetails", {}).get("FunctionName")
    return name.rpartition(":function:")[2] if name else None


def _cells(span: Span[str], at: float) -> tuple[str, str, str, str]:
    """Return the cells of a span's row, but for its bar."""
    took = f"{span.seconds:.2f} s" if span.seconds is not None else ""
    attempt = f", attempt {span.attempt}" if span.attempt else ""
    function = f" of {span.detail}" if span.kind == "invoke" and span.detail else ""
    return f"{at:.2f} s", f"{'  ' * span.depth}{span.kind} {span.name}{attempt}{function}", took, span.outcome


def _bar(span: Span[str], offset: float, total: float, most: int) -> Text:
    left = min(int(offset * most), most - 1)
    width = max(1, round((span.seconds or 0) / total * most))
    colour = {"step": "green", "wait": "yellow", "callback": "yellow"}.get(span.kind, "blue")
    return Text(" " * left + "█" * min(width, most - left), style="red" if span.outcome == "failed" else colour)
