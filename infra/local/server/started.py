"""The names of durable executions that are taken."""


class StartedExecutions:
    """By function and name: the ARN of the execution, and the digest of the event that it was started with.

    Any thread may use it: every method changes one dictionary in one step, and none walks through one.
    """

    def __init__(self) -> None:
        self._by_function: dict[str, dict[str, tuple[str, str]]] = {}

    def take(self, function_arn: str, name: str, arn: str, digest: str) -> tuple[str, str]:
        """Take a name, unless it is taken, and return the ARN and the digest of the one that has it."""
        return self._by_function.setdefault(function_arn, {}).setdefault(name, (arn, digest))

    def give_back(self, function_arn: str, name: str) -> None:
        """Free a name: its execution did not start."""
        self._by_function.get(function_arn, {}).pop(name, None)

    def forget(self, function_arn: str) -> None:
        """Free all names of a function."""
        self._by_function.pop(function_arn, None)
