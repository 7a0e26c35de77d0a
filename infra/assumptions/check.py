"""What a check is: a statement about AWS, what relies on it, and how a deployed environment answers it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from botocore.exceptions import ClientError

from infra.assumptions.place import NotReachedError, Place
from infra.errors import CommandError

Outcome = Literal["holds", "differs", "not reached"]


class Experiment(IntEnum):
    """What has to be done in the environment to ask: the more, the later."""

    READING = 0
    EXECUTION = 1
    VERSION = 2


@dataclass(frozen=True)
class Price:
    """What an experiment takes. All checks that need it share it."""

    what: str
    minutes: float
    dollars: float


# Of a version: three instances of 4 vCPUs at $0.21 an hour with Lambda's fee, for as long as it is there.
PRICES = {
    Experiment.READING: Price("reads what is deployed", 2, 0),
    Experiment.EXECUTION: Price("starts two executions through the live alias, and stops one of them", 3, 0.001),
    Experiment.VERSION: Price(
        "publishes a version of what is deployed, with three execution environments at first, runs executions on it, "
        "puts it to sleep, wakes it, and deletes it",
        25,
        0.3,
    ),
}


@dataclass(frozen=True)
class Answer:
    """What was seen, beside what was expected. Where nothing could be seen, `found` says why."""

    outcome: Outcome
    expected: str
    found: str


@dataclass(frozen=True)
class Check:
    """One statement.

    Args:
        name: what it is known by.
        statement: what is so on AWS, if we are right.
        relied_on: the file that would be wrong otherwise.
        source: where the statement comes from, or UNCONFIRMED.
        experiment: what has to be done to ask.
        ask: asks.
    """

    name: str
    statement: str
    relied_on: str
    source: str
    experiment: Experiment
    ask: Callable[[Place], Answer]

    def answer(self, place: Place) -> Answer:
        """Ask, and take whatever keeps it from being answered for an answer as well."""
        try:
            return self.ask(place)
        except (NotReachedError, CommandError) as why:
            return Answer("not reached", self.statement, str(why))
        except ClientError as error:
            told = error.response.get("Error", {})
            why = f"{error.operation_name} answers {told.get('Code')}: {told.get('Message')}"
            return Answer("not reached", self.statement, why)
        except (LookupError, ValueError) as error:
            return Answer("differs", "an answer as the API's model has it", f"one that we can't read: {error!r}")


_REGISTERED: dict[str, list[Check]] = {}


def check(
    relied_on: str, source: str, experiment: Experiment = Experiment.READING
) -> Callable[[Callable[[Place], Answer]], Callable[[Place], Answer]]:
    """Let a function be a check. Its name is the check's, and its docstring the statement."""

    def register(ask: Callable[[Place], Answer]) -> Callable[[Place], Answer]:
        statement = " ".join((inspect.getdoc(ask) or "").split())
        known = _REGISTERED.setdefault(ask.__module__, [])
        known.append(Check(ask.__name__, statement, relied_on, source, experiment, ask))
        return ask

    return register


def registered(module: str) -> list[Check]:
    """Return the checks of a module."""
    return _REGISTERED[module]


def seen(holds: object, expected: str, found: str) -> Answer:
    """Return what was seen, and whether it is what was expected."""
    return Answer("holds" if holds else "differs", expected, found)


def same(expected: object, found: object) -> Answer:
    """Return what was seen, which is to be the very thing that was expected."""
    return seen(expected == found, str(expected), str(found))


def refusal(call: Callable[[], object]) -> str:
    """Return the code with which AWS refuses a call; empty where it does not."""
    try:
        call()
    except ClientError as error:
        return error.response.get("Error", {}).get("Code", "an error without a code")
    return ""


def refused(code: str, *expected: str) -> Answer:
    """Return what was seen of a call that is to be refused with one of these codes, or with any if none is named."""
    wanted = " or ".join(expected) or "a refusal"
    return seen(code in expected if expected else code, wanted, code or "it is taken")
