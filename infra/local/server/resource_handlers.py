"""Teaching CloudFormation a resource type: its handlers, written as calls of the actions that ministack has."""

import re
from collections.abc import Callable

from infra.local.server.ministack import Action, Json, ResourceHandler
from infra.local.server.request import ApiError

Created = tuple[str, dict[str, str]]


def handler(
    create: Callable[[str, Json, str], Created],
    delete: Callable[[str, Json], None],
    update: Callable[[str, Json, Json, str, str | None], Created],
) -> ResourceHandler:
    """Return a type's handlers as ministack takes them."""
    return {"create": create, "delete": delete, "update": update, "update_with_logical_id": True}


def call(actions: dict[str, Action], action: str, parameters: dict[str, str]) -> str:
    """Call an action of a query API, and return its answer."""
    status, _, body = actions[action]({name: [value] for name, value in parameters.items()})
    text = text_of(body)
    if status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
        raise ApiError(action, text, status)
    return text


def text_of(body: str | bytes) -> str:
    """Return the text of an action's answer."""
    return body if isinstance(body, str) else body.decode()


def field(text: str, name: str) -> str:
    """Return a field of an action's answer.

    Raises:
        ValueError: the answer has no such field.
    """
    match = re.search(rf"<{name}>([^<]+)</{name}>", text)
    if not match:
        raise ValueError(f"no {name} in {text}")
    return match[1]


def tags(properties: Json) -> dict[str, str]:
    """Return a resource's tags by their keys."""
    listed: list[dict[str, str]] = properties.get("Tags", [])
    return {tag["Key"]: tag["Value"] for tag in listed}


def numbered(prefix: str, items: list[str]) -> dict[str, str]:
    """Write a list as the query APIs take it."""
    return {f"{prefix}.{number}": item for number, item in enumerate(items, 1)}
