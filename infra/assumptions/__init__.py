"""What this project rests on and only AWS can say: each statement a check, asked of a deployed environment."""

from infra.assumptions import capacity, executions, logs, quotas, stacks, versions
from infra.assumptions.check import Check, registered

# The order in which they are asked: what only reads, then executions, then a version of its own.
THEMES = (stacks, capacity, quotas, executions, logs, versions)


def checks() -> dict[str, Check]:
    """Return all checks by their names, in the order in which they are asked."""
    found = [each for theme in THEMES for each in registered(theme.__name__)]
    return {each.name: each for each in sorted(found, key=lambda each: each.experiment)}
