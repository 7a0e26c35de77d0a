"""AWS's own model of Lambda's API, which boto3 is made of: what it refuses of a request.

boto3 checks little of the model itself: neither patterns, nor the values of enumerations, nor most limits.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sized
from datetime import datetime
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, cast

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

# What this package answers itself; ministack has checks of its own for the rest.
SERVED = (
    "CheckpointDurableExecution",
    "CreateCapacityProvider",
    "DeleteCapacityProvider",
    "GetCapacityProvider",
    "GetDurableExecution",
    "GetDurableExecutionHistory",
    "GetDurableExecutionState",
    "GetFunctionScalingConfig",
    "Invoke",
    "ListCapacityProviders",
    "ListDurableExecutionsByFunction",
    "ListFunctionVersionsByCapacityProvider",
    "PauseDurableExecution",
    "PutFunctionScalingConfig",
    "ResumeDurableExecution",
    "SendDurableExecutionCallbackFailure",
    "SendDurableExecutionCallbackHeartbeat",
    "SendDurableExecutionCallbackSuccess",
    "StopDurableExecution",
    "UpdateCapacityProvider",
)
# The values of these have slashes, which are decoded where a path is.
_SLASHED = ("DurableExecutionArn", "CallbackId")


class ApiModel:
    """The model of the calls that this package answers."""

    def __init__(self, data: Path) -> None:
        """Read it from botocore's folder of data."""
        loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
        service = ServiceModel(loader.load_service_model("lambda", "service-2"))
        operations = [service.operation_model(name) for name in SERVED]
        # Of two paths that fit, the longer says more: .../history is no end of an ARN.
        operations.sort(key=lambda operation: len(operation.http["requestUri"]), reverse=True)
        self._operations = [(_path(operation), operation) for operation in operations]

    def problems(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, list[str]], body: bytes
    ) -> Iterator[str]:
        """Yield what AWS would refuse of a request. The path is percent-decoded, the headers' names are in small."""
        for pattern, operation in self._operations:
            shape, match = operation.input_shape, pattern.fullmatch(path)
            if shape and match and operation.http["method"] == method:
                yield from _problems_of(shape, match.groupdict(), headers, query, body)
                return


def _path(operation: OperationModel) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>{'.+' if match[1] in _SLASHED else '[^/]+'})"

    return re.compile(re.sub(r"\{(\w+)\}", group, operation.http["requestUri"]))


def _problems_of(
    input_shape: StructureShape,
    labels: Mapping[str, str],
    headers: Mapping[str, str],
    query: Mapping[str, list[str]],
    body: bytes,
) -> Iterator[str]:
    content: dict[str, Any] = {}
    for name, shape in input_shape.members.items():
        wire_name = shape.serialization.get("name", name)
        match shape.serialization.get("location"):
            case "uri":
                content[name] = labels[wire_name]
            case "querystring" if wire_name in query:
                content[name] = _of_text(shape, query[wire_name])
            case "header" if wire_name.lower() in headers:
                content[name] = headers[wire_name.lower()]
            case _:
                pass
    try:
        content = _of_body(input_shape, body) | content
    except ValueError as error:
        yield f"The body is not JSON: {error}"
    else:
        yield from _problems(input_shape, content, "")


def _of_body(shape: StructureShape, body: bytes) -> dict[str, Any]:
    """Return the members of a request that are in its body."""
    payload = shape.serialization.get("payload")
    if not body:
        return {}
    if payload and shape.members[payload].type_name == "blob":
        return {payload: body}
    content: Any = json.loads(body)
    if payload:
        return {payload: content}
    if not isinstance(content, dict):
        raise ValueError("an object is what it should be")  # noqa: TRY004 - as any other body that is none
    return cast("dict[str, Any]", content)


def _of_text(shape: Shape, texts: list[str]) -> object:
    """Return the value of a query parameter, or its text where that is none of its type."""
    match shape.type_name:
        case "list":
            return texts
        case "integer" if re.fullmatch("-?[0-9]{1,18}", texts[0]):
            return int(texts[0])
        case "boolean" if texts[0] in ("true", "false"):
            return texts[0] == "true"
        case _:
            return texts[0]


_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "double": (int, float),
    "integer": (int,),
    "list": (list,),
    "map": (dict,),
    "string": (str,),
    "structure": (dict,),
    "timestamp": (str,),
}


def _problems(shape: Shape, value: Any, at: str) -> Iterator[str]:
    """Yield what is wrong with a value, and where."""
    if not _is_of_type(shape, value):
        yield f"Value {shortened(value)} at '{at}' is no {shape.type_name}"
        return
    yield from (
        f"Value {shortened(value)} at '{at}' failed to satisfy constraint: {rule}" for rule in _broken(shape, value)
    )
    match shape:
        case StructureShape():
            yield from _problems_of_members(shape, value, at)
        case ListShape():
            for number, item in enumerate(value, 1):
                yield from _problems(shape.member, item, f"{at}.{number}")
        case MapShape():
            for key, item in value.items():
                yield from _problems(shape.key, key, f"{at}.key")
                yield from _problems(shape.value, item, f"{at}.{key}")
        case _:
            pass


def _is_of_type(shape: Shape, value: object) -> bool:
    types = _TYPES.get(shape.type_name, (object,))
    # Python's booleans are integers, JSON's are none.
    return isinstance(value, types) and (not isinstance(value, bool) or shape.type_name == "boolean")


def _problems_of_members(shape: StructureShape, value: dict[str, Any], at: str) -> Iterator[str]:
    prefix = f"{at}." if at else ""
    given = {name: item for name, item in value.items() if item is not None}
    for name in shape.required_members:
        if name not in given:
            yield f"Value null at '{prefix}{name}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if name in given:
            yield from _problems(member, given[name], f"{prefix}{name}")


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    """Yield the rules of a shape that a value breaks."""
    size, kind = (value, "value") if shape.type_name in ("integer", "double") else (_length(value), "length")
    if size is not None and size < shape.metadata.get("min", size):
        yield f"Member must have {kind} greater than or equal to {shape.metadata['min']}"
    if size is not None and size > shape.metadata.get("max", size):
        yield f"Member must have {kind} less than or equal to {shape.metadata['max']}"
    if isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: {shape.enum}"
        pattern = shape.metadata.get("pattern")
        if pattern and not _fits(pattern, value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
    if shape.type_name == "timestamp" and not _is_time(value):
        yield "Member must be a timestamp"


def _fits(pattern: str, text: str) -> bool:
    """Tell whether a text is of a pattern, whose classes of letters, numbers and spaces (of tags) Python has not."""
    known = re.sub(r"\\p\{[LNZ]\}", r"\\w\\s", pattern)
    return bool(re.fullmatch(known, text, re.ASCII if known == pattern else re.UNICODE))


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, Sized) else None


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
