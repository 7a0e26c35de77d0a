"""TOML files, each read into a model that says of every key what its value must be."""

import tomllib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Self, TypeGuard, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails

from infra import ROOT
from infra.errors import UsageError


class FileError(UsageError):
    """A file is missing, unreadable or wrong. The message names the file, every wrong key and what would be right."""


class Table(BaseModel):
    """A table of a file. A field's description continues the words "must be"; a table within it needs none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with values that are each of the right type and in range."""
        yield from ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problems := list(self._problems()):
            raise ValueError("\n".join(problems))
        return self


Model = TypeVar("Model", bound=Table)


def wrong(key: str, value: object, rule: str) -> str:
    """Say which rule a value breaks."""
    return f"{key} = {value!r}: {rule}"


def read(
    path: Path,
    model: type[Model],
    completed: Callable[[dict[str, Any]], dict[str, Any]] = lambda values: values,
    **given: Any,
) -> Model:
    """Read a file into a model.

    Args:
        path: of the file.
        model: that of its outermost table.
        completed: returns the file's values with what follows from them.
        given: values that follow from the file's place, and that it must not hold itself.

    Raises:
        FileError: the file is wrong. Rules between the keys of a table are checked once each of them is right by
            itself, and rules between tables once every table is.
    """
    file = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    values = _values(path, file, model)
    for key in given.keys() & values.keys():
        raise FileError(f"{file}: {key}: unknown key; it follows from the file's place")
    try:
        return model.model_validate(completed(values) | given)
    except ValidationError as error:
        lines = [f"{file}: {line}" for found in error.errors() for line in _explain(model, found, given)]
        raise FileError("\n".join(lines)) from error


def _values(path: Path, file: Path, model: type[Table]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{file} is not TOML: {error}") from error
    except FileNotFoundError as error:
        raise FileError(f"{file}: there is no such file; it says: {_purpose(model)}") from error
    except OSError as error:
        raise FileError(f"{file}: can't be read: {error.strerror}") from error


def _purpose(model: type[Table]) -> str:
    """Return what a file is for, in the words of its model."""
    return (model.__doc__ or "").partition("\n")[0]


def _explain(model: type[Table], found: ErrorDetails, given: Collection[str]) -> list[str]:
    """Say what is wrong with a key, or with the keys of a table, and what would be right, in words of ours."""
    table, keys = _place(model, found["loc"])
    key = ".".join(keys)
    if found["type"] == "value_error":
        prefix = f"{key}." if key else ""
        return [prefix + problem for problem in found["msg"].removeprefix("Value error, ").split("\n")]
    if found["type"] == "extra_forbidden":
        known = [name for name in table.model_fields if name not in given]
        return [f"{key}: unknown key; known here: {', '.join(known)}"]
    field = table.model_fields.get(keys[-1])
    allowed = (field.description if field else None) or "a table"
    if found["type"] == "missing":
        return [f"{key}: missing; must be {allowed}"]
    if found["type"] == "int_type" and isinstance(value := found["input"], float):
        written = f", written {value:.0f}" if value.is_integer() else ""
        return [wrong(key, value, f"must be an integer{written}: {allowed}")]
    return [wrong(key, found["input"], f"must be {allowed}")]


def _place(model: type[Table], location: tuple[int | str, ...]) -> tuple[type[Table], list[str]]:
    """Return the model of the table that holds a key, and the keys down to it. Within a key's value it has none."""
    table, keys, inner = model, list[str](), cast("Any", model)
    for key in map(str, location):
        if get_origin(inner) is dict and _is_table(get_args(inner)[1]):
            # A table of tables, whose keys are names.
            inner, keys = get_args(inner)[1], [*keys, key]
            continue
        if not _is_table(inner):
            break
        table, keys = inner, [*keys, key]
        inner = table.model_fields[key].annotation if key in table.model_fields else None
    return table, keys


def _is_table(annotation: object) -> TypeGuard[type[Table]]:
    return isinstance(annotation, type) and issubclass(annotation, Table)
