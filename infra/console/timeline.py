"""A durable execution's history as spans of time, and those as a picture for the terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import AwareDatetime
from rich.table import Table
from rich.text import Text

from infra.console import markdown
from infra.console.markdown import Untrusted

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

_STARTED = "Started"
_OUTCOMES = ("Succeeded", "Failed", "TimedOut", "Stopped", "Cancelled")
_BAR_WIDTH = 24  # so that a row of the workflow's longest name fits 80 columns

Words = TypeVar("Words", str, Untrusted)


@dataclass(frozen=True)
class Span(Generic[Words]):
    """One thing that took time: an operation's attempt, a wait, or an invocation of the function.

    Args:
        kind: the field's word for it: step, wait, invocation, ...
        name: the operation's name, or the number of the invocation or attempt.
        start: when it started.
        end: when it ended; None while it goes on.
        outcome: succeeded, failed, ...; running without an end.
    """

    kind: Words
    name: Words
    start: AwareDatetime
    end: AwareDatetime | None
    outcome: Words

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.end - self.start).total_seconds() if self.end else None


def spans(events: "Iterable[EventTypeDef]") -> list[Span[str]]:
    """Pair the events of a history into spans, in the order in which they started."""
    found: list[Span[str]] = []
    # An operation that is retried starts again under its own id, so a start waits for the next outcome only.
    starts: dict[str, EventTypeDef] = {}
    invocations = 0
    for event in events:
        kind = event["EventType"]
        if details := event.get("InvocationCompletedDetails"):
            invocations += 1
            outcome = "failed" if details.get("Error", {}).get("Payload") else "completed"
            found.append(
                Span("invocation", str(invocations), details["StartTimestamp"], details["EndTimestamp"], outcome)
            )
        elif kind.startswith("Execution"):
            continue
        elif kind.endswith(_STARTED):
            starts[event["Id"]] = event
        elif kind.endswith(_OUTCOMES) and (started := starts.pop(event["Id"], None)):
            found.append(_span(started, event))
    found += [_span(started, None) for started in starts.values()]
    # An invocation comes before what it ran.
    return sorted(found, key=lambda span: (span.start, span.kind != "invocation"))


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
    for span in drawn:
        at = (span.start - start).total_seconds()
        took = f"{span.seconds:.2f} s" if span.seconds is not None else ""
        what = f"{span.kind} {span.name}"
        table.add_row(f"{at:.2f} s", what, _bar(span, at, total), took, span.outcome)
    return table


def gantt(drawn: Sequence[Span[Words]], limit: int = markdown.UNLIMITED) -> str:
    """Draw spans as a Mermaid diagram, which GitHub shows as a picture."""
    sections: dict[Words, list[str]] = {}
    for span in drawn[:limit]:
        sections.setdefault(span.kind, [f"    section {markdown.label(span.kind, limit)}"]).append(_row(span, limit))
    rows = ["gantt", "    dateFormat x", "    axisFormat %M:%S", *chain.from_iterable(sections.values())]
    return "\n\n".join([markdown.block("\n".join(rows), "mermaid"), *markdown.more(drawn, limit)])


def _row(span: Span[Words], limit: int) -> str:
    # The time comes first, since a name could be a keyword.
    took = f"{span.seconds:.2f} s" if span.seconds is not None else "running"
    state = "crit, " if markdown.label(span.outcome) == "failed" else ""
    start, end = _milliseconds(span.start), _milliseconds(span.end or span.start)
    return f"    {took} {markdown.label(span.name, limit)} :{state}{start}, {max(end, start + 1)}"


def _milliseconds(time: AwareDatetime) -> int:
    return round(time.timestamp() * 1000)


def _span(started: "EventTypeDef", ended: "EventTypeDef | None") -> Span[str]:
    kind = started["EventType"].removesuffix(_STARTED)
    return Span(
        kind=kind.lower(),
        name=started.get("Name") or "",
        start=started["EventTimestamp"],
        end=ended["EventTimestamp"] if ended else None,
        outcome=ended["EventType"].removeprefix(kind).lower() if ended else "running",
    )


def _bar(span: Span[str], at: float, total: float) -> Text:
    left = min(int(at / total * _BAR_WIDTH), _BAR_WIDTH - 1)
    width = max(1, round((span.seconds or 0) / total * _BAR_WIDTH))
    colour = {"step": "green", "wait": "yellow"}.get(span.kind, "blue")
    return Text(" " * left + "█" * min(width, _BAR_WIDTH - left), style="red" if span.outcome == "failed" else colour)
