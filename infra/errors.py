"""How a command of the pipeline ends when it does not succeed."""


class UsageError(Exception):
    """The input is wrong: nothing was touched. Exit code 2."""


class CommandError(Exception):
    """The input was right and the action failed. Exit code 1."""
