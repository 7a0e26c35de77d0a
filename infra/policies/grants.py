"""What is granted, action by action, and the statements that say so in as few words as can be."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from infra.policies.resources import ANY, Statement, allow, resolve

Actions = dict[tuple[str, ...], str]
"""Actions, with spaces between, by the resources on which they are taken."""


class Grant(NamedTuple):
    """An action, the resource on which it is allowed, and on which condition, as JSON."""

    action: str
    resource: str
    condition: str = "{}"

    def under(self, condition: dict[str, Any]) -> "Grant":
        """Return the same on a condition."""
        return self._replace(condition=json.dumps(condition, sort_keys=True))


def grants(actions: Actions, names: dict[str, str]) -> Iterator[Grant]:
    """Yield actions, each with its resources whose names begin so."""
    for resources, listed in actions.items():
        for resource in resolve(resources, names):
            yield from (Grant(action, resource) for action in listed.split())


def statements(granted: Iterable[Grant]) -> list[Statement]:
    """Write what is granted as few statements: one for all actions on the same resources under the same condition."""
    resources: dict[tuple[str, str], set[str]] = {}
    for action, resource, condition in granted:
        resources.setdefault((action, condition), set()).add(resource)
    # What is allowed anywhere needs no resources by name beside it.
    alike: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (action, condition), on in sorted(resources.items()):
        alike.setdefault((ANY if on.issuperset(ANY) else tuple(sorted(on)), condition), []).append(action)
    return [allow(actions, [*on], json.loads(condition)) for (on, condition), actions in alike.items()]
