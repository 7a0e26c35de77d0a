from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

NOW = 1_700_000_000_000


@contextmanager
def replaced() -> Generator[None]:
    with (
        patch("billing.handler.pay", side_effect=[ConnectionError("recorded"), NOW]),
        patch("billing.handler.now", return_value=NOW),
    ):
        yield
