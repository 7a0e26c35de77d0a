"""The operations of a durable execution, read from its history: their kinds, how they are nested, what came of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

# The kinds, by the subtypes that the SDK gives to its own operations (its OperationSubType).
_SUBTYPES = {
    "RunInChildContext": "context",
    "Parallel": "parallel",
    "ParallelBranch": "branch",
    "Map": "map",
    "MapIteration": "item",
    "WaitForCallback": "callback",
    "WaitForCondition": "condition",
}
# And by how their events begin (Lambda API, EventType), for a subtype that is the type's own word, or a function's.
_TYPES = {
    "Step": "step",
    "Wait": "wait",
    "Callback": "callback",
    "Context": "context",
    "ChainedInvoke": "invoke",
}
KINDS = tuple(dict.fromkeys((*_TYPES.values(), *_SUBTYPES.values())))

END = re.compile("Execution(Succeeded|Failed|TimedOut|Stopped)")
"""The types of the events with which a history ends."""

_EVENT = re.compile(f"({'|'.join(_TYPES)})(.+)")
_STARTED = "Started"


def kind(type_: str, sub_type: str | None) -> str:
    """Return the kind of an operation by its type and subtype, such as Context and ParallelBranch."""
    return _SUBTYPES.get(sub_type or "") or _TYPES[type_]


@dataclass(eq=False)
class Operation:
    """One operation, with all that is told of it, oldest first."""

    id: str
    kind: str
    name: str
    parent: "Operation | None"
    events: "list[EventTypeDef]" = field(default_factory=list[Any])
    inner: "Operation | None" = None
    """The callback within a `wait_for_callback`, which stands for it."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def last(self) -> str:
        """The type of the last event."""
        return self.events[-1]["EventType"]

    @property
    def is_open(self) -> bool:
        """Whether it has started, and not ended since."""
        return self.last.endswith(_STARTED)

    @property
    def callback_id(self) -> str | None:
        """By which id it can be answered: of a callback that nobody has answered yet."""
        if self.inner:
            return self.inner.callback_id
        return self.events[0].get("CallbackStartedDetails", {}).get("CallbackId") if self.is_open else None

    @property
    def ancestors(self) -> "list[Operation]":
        """What it runs in, outermost first."""
        return [*self.parent.ancestors, self.parent] if self.parent else []

    @property
    def attempts(self) -> "list[tuple[EventTypeDef, EventTypeDef | None]]":
        """The start and the end of each attempt. One that was cut short, and so begun again, has none of its own."""
        found: list[tuple[EventTypeDef, EventTypeDef | None]] = []
        for event in self.events:
            is_start = event["EventType"].endswith(_STARTED)
            if found and found[-1][1] is None:
                start, _ = found.pop()
                found.append((event, None) if is_start else (start, event))
            elif is_start:
                found.append((event, None))
        return found


@dataclass(frozen=True)
class Callback:
    """A callback that an execution waits for."""

    name: str
    id: str
    since: datetime


def read(events: "Iterable[EventTypeDef]") -> list[Operation]:
    """Return the operations of a history in the order in which they started.

    What is told of one whose start is not is left out.
    """
    found: dict[str, Operation] = {}
    for event in events:
        match = _EVENT.fullmatch(event["EventType"])
        if not match:
            continue
        if match[2] == _STARTED and event["Id"] not in found:
            parent = found.get(event.get("ParentId", ""))
            kind_ = kind(match[1], event.get("SubType"))
            found[event["Id"]] = operation = Operation(event["Id"], kind_, event.get("Name") or "", parent)
            if parent and parent.kind == kind_ == "callback":
                parent.inner = operation
        if known := found.get(event["Id"]):
            known.events.append(event)
    inner = [each.inner for each in found.values()]
    return [each for each in found.values() if each not in inner]


def waiting(events: "Iterable[EventTypeDef]") -> list[Callback]:
    """Return the callbacks that an execution waits for: none of one that has ended."""
    told = list(events)
    if any(END.fullmatch(event["EventType"]) for event in told):
        return []
    return [
        Callback(each.name, each.callback_id, (each.inner or each).events[0]["EventTimestamp"])
        for each in read(told)
        if each.callback_id
    ]
