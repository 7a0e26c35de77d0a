"""What a function promises: the contract.toml beside its code, and whether an execution kept it.

The file is not part of the bundle: it is for those who call the function, and for those who look at what came of it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field, JsonValue

from infra import ROOT, operations
from infra.aws.execution import Execution
from infra.operations import Operation
from infra.toml import Table, read, wrong

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventTypeDef

_KIND_AND_NAME = rf"({'|'.join(operations.KINDS)}) .+"
_WITHIN = " > "
_SUCCEEDED = "Succeeded"
_NUMBER = "{number}"


class Contract(Table):
    """An event, and what an execution that is started with it does and returns."""

    example: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]{1,64}$",
            description="the name of an execution: 1 to 64 of A to Z, a to z, 0 to 9, _ and - (Lambda API, "
            "DurableExecutionName)",
        ),
    ]
    operations: Annotated[
        list[Annotated[str, Field(pattern=rf"^{_KIND_AND_NAME}({_WITHIN}{_KIND_AND_NAME})*$")]],
        Field(
            description=f"the operations in their order, each a kind and a name; kinds: {', '.join(operations.KINDS)}; "
            f'one that runs in another as "parallel NAME{_WITHIN}step NAME"'
        ),
    ]
    rising: Annotated[list[str], Field(description="keys of numbers in the result, or []")]
    callbacks: Annotated[
        dict[str, JsonValue],
        Field(default_factory=dict, description="a table: the names of callbacks, and what JSON each is answered with"),
    ]
    event: Annotated[dict[str, JsonValue], Field(description="a table of what JSON can say")]
    result: Annotated[dict[str, JsonValue], Field(description="a table of what JSON can say")]

    @property
    def sample(self) -> Any:
        """The event of the execution that is called as the example."""
        return self.event_of(self.example)

    def event_of(self, name: str) -> Any:
        """Return the event of the execution of that name."""
        return _filled(self.event, name)

    def answers_of(self, name: str) -> dict[str, bytes]:
        """Return what the callbacks of the execution of that name are answered with, by their names."""
        return {key: json.dumps(_filled(value, name)).encode() for key, value in self.callbacks.items()}

    def _problems(self) -> Iterator[str]:
        for key in self.rising:
            if self.result.get(key) != _NUMBER:
                yield wrong("rising", key, f'must be a key that [result] has as "{_NUMBER}"')
        for callback in self.callbacks:
            if f"callback {callback}" not in [operation.rpartition(_WITHIN)[2] for operation in self.operations]:
                yield wrong("callbacks", callback, "must be the name of a callback that operations has")


def load(function: str, root: Path = ROOT) -> Contract:
    """Read the contract of a function.

    Args:
        function: its folder in functions/.
        root: the folder that holds functions/.

    Raises:
        FileError: its contract.toml is missing or wrong.
    """
    return read(root / "functions" / function / "contract.toml", Contract)


def problems(contract: Contract, name: str, ended: Execution, events: "Iterable[EventTypeDef]") -> list[str]:
    """Return every promise that an execution broke, in words.

    Lambda breaks none when it attempts a step again, invokes the function again, also twice at once, tells of an
    invocation late, or pauses the execution.

    Args:
        contract: that of the function.
        name: what the execution is called.
        ended: how it ended.
        events: its history, oldest first.
    """
    told = list(events)
    # What runs in branches keeps no order, and one may run while another waits.
    outermost = [event for event in told if "ParentId" not in event]
    return [
        *_end_problems(contract, name, ended),
        *_operation_problems(contract, operations.read(told)),
        *_wait_problems(outermost),
    ]


def listed(contract: Contract, found: Sequence[Sequence[str]]) -> list[str]:
    """Return the operations of an execution as its contract should list them.

    Those that run in no other stand in it in their order; of the rest, whose order may differ each time, those that the
    contract names, after the one that they run in.

    Args:
        contract: of the function.
        found: each operation after those that it runs in, outermost first, such as `step pay`.
    """
    kept: list[str] = []
    for outermost in (path[0] for path in found if len(path) == 1):
        inner = [text for text in contract.operations if text not in kept and text.startswith(outermost + _WITHIN)]
        kept += [outermost, *(text for text in inner if any(_is_of(text, path) for path in found))]
    return kept


def _is_of(text: str, path: Sequence[str]) -> bool:
    """Tell whether an entry of a contract is of an operation. Of those around it the entry may leave out inner ones."""
    outermost, *around, own = text.split(_WITHIN)
    rest = iter(path[1:-1])
    return (outermost, own) == (path[0], path[-1]) and all(each in rest for each in around)


def unlike(contract: Contract, event: JsonValue) -> list[str]:
    """Return in what an event is unlike the contract's: what it lacks of that, and what is of another type.

    It may be a good event all the same: the contract's is one that succeeds, and not the only one.
    """
    return [*_unlike("", contract.sample, event)]


def _unlike(path: str, known: Any, found: Any) -> Iterator[str]:
    if _type(known) != _type(found):
        yield f"{path or 'the event'} is {_type(found)}, and the contract's is {_type(known)}"
    elif isinstance(known, dict):
        for key, value in cast("dict[str, Any]", known).items():
            name = f"{path}.{key}" if path else key
            if key in found:
                yield from _unlike(name, value, found[key])
            else:
                yield f"{name} is missing, and the contract's event has it"


def _type(value: object) -> str:
    # Of numbers JSON has one type, and a truth value is one of Python's numbers.
    names: list[tuple[type, str]] = [
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "a string"),
        (list, "a list"),
        (dict, "an object"),
    ]
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def _end_problems(contract: Contract, name: str, ended: Execution) -> list[str]:
    if not ended.succeeded:
        return [f"it ended as {ended.status}: {ended.error or 'no error was given'}"]
    if found := list(_differences("result", _filled(contract.result, name), ended.result)):
        return found
    numbers = [ended.result[key] for key in contract.rising]
    if numbers != sorted(numbers):
        return [f"its result's {', '.join(contract.rising)} are {numbers}, and should not fall"]
    return []


def _differences(path: str, expected: Any, found: Any) -> Iterator[str]:
    """Yield what of a result is not as expected. Keys that come on top break no promise."""
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            yield f"its {path} is {found!r}, and should be an object"
            return
        values = cast("dict[str, Any]", found)
        for key, value in cast("dict[str, Any]", expected).items():
            yield from _differences(f"{path}.{key}", value, values.get(key))
    elif expected == _NUMBER:
        if not isinstance(found, int | float) or isinstance(found, bool):
            yield f"its {path} is {found!r}, and should be a number"
    elif found != expected:
        yield f"its {path} is {found!r}, and should be {expected!r}"


def _operation_problems(contract: Contract, operations: Sequence[Operation]) -> Iterator[str]:
    paths = [[*map(str, each.ancestors), str(each)] for each in operations]
    if (found := listed(contract, paths)) != contract.operations:
        yield f"its operations are {found}, and should be {contract.operations}"
    for each in operations:
        if each.parent is None and not each.last.endswith(_SUCCEEDED):
            yield f"its {each} did not succeed: the last that is told of it is {each.last}"
    # What fails in one branch may be what those around it are there to bear.
    for text in (each for each in found if _WITHIN in each):
        last = [each.last for each, path in zip(operations, paths, strict=True) if _is_of(text, path)]
        if not any(each.endswith(_SUCCEEDED) for each in last):
            yield f"its {text} did not succeed: the last that is told of it is {last[-1]}"


def _wait_problems(events: "list[EventTypeDef]") -> Iterator[str]:
    """Yield the waits that held compute: what ran when one began had not ended when the wait did.

    One that did is enough. Lambda may send an invocation twice, and the other may run as long as it likes.
    """
    invocations = [event["InvocationCompletedDetails"] for event in events if "InvocationCompletedDetails" in event]
    starts: dict[str, datetime] = {}
    for event in events:
        if event["EventType"] == "WaitStarted":
            starts.setdefault(event["Id"], event["EventTimestamp"])
        if event["EventType"] != "WaitSucceeded" or event["Id"] not in starts:
            continue
        start, end = starts[event["Id"]], event["EventTimestamp"]
        if not any(each["StartTimestamp"] <= start <= each["EndTimestamp"] <= end for each in invocations):
            name = event.get("Name")
            yield f"its wait {name} was no durable wait: the invocation that began it ran on until it ended"


def _filled(value: JsonValue, name: str) -> Any:
    return json.loads(json.dumps(value).replace("{name}", name))
