"""A small IAM: what statements allow."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from infra.policies.resources import Statement
from tests.infra.policies.things import ANYWHERE, everything

IF_EXISTS = "IfExists"
May = dict[str, str]
"""Actions by the names of the resources on which they are allowed; those on ANYWHERE are allowed on all."""


def may(statements: Iterable[Statement], action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    """Return whether statements allow an action on a resource in a request with these condition keys."""
    applying = [each for each in statements if _applies(each, action, resource)]
    effects = {each["Effect"] for each in applying if _holds(each.get("Condition", {}), context or {})}
    return effects == {"Allow"}


def assert_allowed(
    statements: list[Statement], tried: str, account: str, table: May, context: Mapping[str, str]
) -> None:
    """Compare what is allowed of the actions that are tried, and of those that the statements name, on everything."""
    resources = everything(account)
    actions = {*tried.split(), *(action for each in statements for action in each.get("Action", []))}
    anywhere = set(table.get(ANYWHERE, "").split())
    assert table.keys() <= resources.keys()
    for name, arn in resources.items():
        allowed = {action for action in actions if may(statements, action, arn, context)}
        expected = {*table.get(name, "").split(), *anywhere}
        assert allowed == expected, f"{name}: too much {allowed - expected}, too little {expected - allowed}"


def _applies(statement: Statement, action: str, resource: str) -> bool:
    named = statement["NotAction"] if "NotAction" in statement else statement["Action"]
    is_named = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in named)
    return is_named != ("NotAction" in statement) and any(
        fnmatchcase(resource, pattern) for pattern in statement["Resource"]
    )


def _holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Evaluate the operators that the policies have: any other is a KeyError, and an absent key holds nothing.

    But for those that end with IfExists, which it holds.
    """
    matches = {"StringEquals": str.__eq__, "ArnEquals": fnmatchcase}
    return all(
        any(matches[operator.removesuffix(IF_EXISTS)](context[key], value) for value in _listed(values))
        if key in context
        else operator.endswith(IF_EXISTS)
        for operator, wanted in condition.items()
        for key, values in wanted.items()
    )


def _listed(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values
