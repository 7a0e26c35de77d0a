"""What an order is and what is done with it: plain Python that knows neither Lambda nor the durable execution SDK."""

import re
from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

MAXIMUM_LENGTH = 64
"""Characters of an order id. Their number and set are those of `DurableExecutionName` in the Lambda API, so that an
execution can be named after its order and a second start of the same order starts nothing."""

_FOREIGN_CHARACTER = re.compile(r"[^A-Za-z0-9_-]")


class InvalidOrder(ValueError):  # noqa: N818 - callers meet the name as the error type of the execution
    """The event is not an order, and no further attempt can make it one."""


class TransientError(Exception):
    """Processing failed in a way that a later attempt may not: throttling, a timeout, a server's error."""


@dataclass(frozen=True)
class Order:
    """An order that passed `validate`."""

    order_id: str


def validate(event: Json) -> Order:
    """Read the order from an event such as `{"orderId": "order-123"}`; other keys are ignored.

    Raises InvalidOrder, which says what `orderId` must be and what is wrong with it.
    """
    if not isinstance(event, dict):
        raise _invalid("the event is not an object")
    if "orderId" not in event:
        raise _invalid("it is missing")
    order_id = event["orderId"]
    if not isinstance(order_id, str):
        raise _invalid("it is not a string")
    if not order_id:
        raise _invalid("it is empty")
    if len(order_id) > MAXIMUM_LENGTH:
        raise _invalid(f"it has {len(order_id)} characters")
    if foreign := _FOREIGN_CHARACTER.search(order_id):
        raise _invalid(f"it contains {foreign[0]!a}")
    return Order(order_id)


def process(order: Order, idempotency_key: str) -> None:
    """Do the work of an order: the body is the place for calls to a team's own systems, of which the sample has none.

    An order is processed at least once: again after a transient failure, and again if the process dies before its
    result is recorded, although the earlier attempt may have taken effect. Pass `idempotency_key` to every system
    called. It is the same on every attempt for one execution and differs between executions, so a system can tell a
    repetition from a new order. Its 36 characters fit the client tokens of AWS APIs.

    Give every call a timeout, all together well below the function's, at which Managed Instances do not stop code.

    Raises TransientError for what another attempt may mend; any other exception fails the order at once.
    """


def _invalid(found: str) -> InvalidOrder:
    return InvalidOrder(
        f'orderId must be a string of 1 to {MAXIMUM_LENGTH} ASCII letters, digits, "-" or "_", '
        f'as in {{"orderId": "order-123"}}; {found}'
    )
