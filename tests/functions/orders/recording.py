"""What is replaced while the function is recorded: processing, which fails once, and the clock."""

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from orders.order import TransientError

NOW = 1_700_000_000_000


@contextmanager
def replaced() -> Generator[None]:
    """Replace what would differ each time. That processing is tried again gives a history of a retry."""
    with (
        patch("orders.handler.process", side_effect=[TransientError("recorded"), None]),
        patch("orders.handler._now", return_value=NOW),
    ):
        yield
