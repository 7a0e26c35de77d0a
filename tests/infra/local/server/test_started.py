from collections.abc import Callable

from infra.local.server.started import StartedExecutions

FUNCTION = "arn:aws:lambda:eu-west-1:111111111111:function:billing"


class Interrupted(str):
    """The ARN of a function. When it is compared with another, something else goes first, as another thread may."""

    __slots__ = ("_first",)

    def __new__(cls, text: str, first: Callable[[], object]) -> "Interrupted":
        interrupted = super().__new__(cls, text)
        interrupted._first = first
        return interrupted

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        self._first()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def test_a_name_is_taken_once() -> None:
    started = StartedExecutions()
    assert started.take(FUNCTION, "execution-1", "arn-1", "digest") == ("arn-1", "digest")
    assert started.take(FUNCTION, "execution-1", "arn-2", "other") == ("arn-1", "digest")
    assert started.take(f"{FUNCTION}-2", "execution-1", "arn-3", "digest") == ("arn-3", "digest")


def test_a_name_whose_execution_did_not_start_is_free_again() -> None:
    started = StartedExecutions()
    started.take(FUNCTION, "execution-1", "arn-1", "digest")
    started.give_back(FUNCTION, "execution-1")
    assert started.take(FUNCTION, "execution-1", "arn-2", "other") == ("arn-2", "other")
    started.forget(FUNCTION)
    started.give_back(FUNCTION, "execution-1")


def test_the_names_of_a_function_are_forgotten_while_others_are_taken() -> None:
    started = StartedExecutions()
    started.take(FUNCTION, "execution-1", "arn-1", "digest")
    started.forget(Interrupted(FUNCTION, lambda: started.take(f"{FUNCTION}-2", "execution-1", "arn-2", "digest")))
    assert started.take(FUNCTION, "execution-1", "arn-3", "digest") == ("arn-3", "digest")
    assert started.take(f"{FUNCTION}-2", "execution-1", "arn-4", "digest") == ("arn-2", "digest")
