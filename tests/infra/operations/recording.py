from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

INVOKED = {"some-refunds": {"refundId": "bill-123"}, "some-ledger": {"entered": "bill-123"}}


@contextmanager
def replaced() -> Generator[None]:
    with patch.dict("os.environ", {"REFUNDS": "some-refunds", "LEDGER": "some-ledger"}):
        yield
