"""Whether statements allow what others do."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, cast

from infra.policies.resources import Statement


def missing(needed: Iterable[Statement], allowed: Iterable[Statement]) -> list[str]:
    """Return the actions that are needed and not allowed on all resources on which they are needed."""
    granting = [*allowed]
    return sorted(
        {
            action
            for statement in needed
            if statement["Effect"] == "Allow"
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
            if not any(_covers(each, action, resource, statement.get("Condition", {})) for each in granting)
        }
    )


def _covers(statement: Statement, action: str, resource: str, condition: dict[str, Any]) -> bool:
    """Tell whether a statement allows an action on all that a pattern stands for; no other may narrow it."""
    return (
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action.lower(), each.lower()) for each in _listed(statement["Action"]))
        and any(fnmatchcase(resource, each) for each in _listed(statement["Resource"]))
        and _holds(statement.get("Condition", {}), condition)
    )


def _holds(required: dict[str, Any], condition: dict[str, Any]) -> bool:
    """Tell whether a condition holds wherever another does."""
    return all(
        {*_listed(condition.get(operator, {}).get(key, [None]))} <= {*_listed(values)}
        for operator, keys in required.items()
        for key, values in keys.items()
    )


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]
