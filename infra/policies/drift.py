"""What the night compares with its templates."""

from infra import naming
from infra.environment import Environment


def watched_stacks(environment: Environment, account: list[Environment]) -> list[str]:
    """Name the stacks of which drift is told in an environment: its own, its toolkit's, and in one `access`.

    That lies in the region of the account's first environment, which so is the one that watches it.
    """
    own = [naming.platform_stack(environment.name)]
    if not environment.hosts_previews:
        own.append(naming.orders_stack(environment.name))
    access = [naming.ACCESS_STACK] if account[0].name == environment.name else []
    return [*own, naming.toolkit_stack(environment.qualifier), *access]
