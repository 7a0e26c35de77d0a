import pytest

from orders.order import InvalidOrder, Json, Order, validate

LOOK_ALIKES = {
    "a Cyrillic o": "\u043erder-123",
    "a fullwidth digit": "order-\uff11",
    "an Arabic-Indic digit": "order-\u0661",
    "an en dash": "order\u2013123",
    "an accent": "ord\u00e9r-123",
    "a combining accent": "orde\u0301r-123",
    "a zero-width space": "order\u200b123",
    "a right-to-left override": "order\u202e123",
    "half a surrogate pair": "order-\ud800",
}
FOREIGN = {
    "a space before": " order-123",
    "a space after": "order-123 ",
    "a space within": "order 123",
    "a newline after": "order-123\n",
    "a tab": "order\t123",
    "a null character": "order\x00123",
    "a slash": "orders/123",
    "a dot": "order.123",
    "a colon": "order:123",
    "a quotation mark": 'order"123',
    "only a space": " ",
}


@pytest.mark.parametrize("order_id", ["order-123", "A", "0", "-", "_", "Z9_z-", "o" * 64])
def test_an_order_id_may_hold_ascii_letters_digits_hyphens_and_underscores(order_id: str) -> None:
    assert validate({"orderId": order_id}) == Order(order_id)


def test_other_keys_of_the_event_are_ignored() -> None:
    assert validate({"orderId": "order-123", "OrderId": 1, "note": {"orderId": ""}}) == Order("order-123")


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (None, "the event is not an object"),
        ("order-123", "the event is not an object"),
        (["order-123"], "the event is not an object"),
        (123, "the event is not an object"),
        (True, "the event is not an object"),
        ({}, "it is missing"),
        ({"orderid": "order-123"}, "it is missing"),
        ({"order": {"orderId": "order-123"}}, "it is missing"),
        ({"orderId": None}, "it is not a string"),
        ({"orderId": 123}, "it is not a string"),
        ({"orderId": True}, "it is not a string"),
        ({"orderId": ["order-123"]}, "it is not a string"),
        ({"orderId": {"id": "order-123"}}, "it is not a string"),
        ({"orderId": ""}, "it is empty"),
        ({"orderId": "o" * 65}, "it has 65 characters"),
    ],
)
def test_an_event_that_is_no_order_is_refused(event: Json, found: str) -> None:
    with pytest.raises(InvalidOrder) as refusal:
        validate(event)
    assert str(refusal.value) == (
        'orderId must be a string of 1 to 64 ASCII letters, digits, "-" or "_", '
        f'as in {{"orderId": "order-123"}}; {found}'
    )


@pytest.mark.parametrize("order_id", [*LOOK_ALIKES.values(), *FOREIGN.values()], ids=[*LOOK_ALIKES, *FOREIGN])
def test_a_character_outside_the_set_is_refused(order_id: str) -> None:
    with pytest.raises(InvalidOrder, match=r"^orderId must be .*; it contains '"):
        validate({"orderId": order_id})


def test_the_refusal_names_the_character_readably() -> None:
    with pytest.raises(InvalidOrder, match=r"it contains '\\u200b'$"):
        validate({"orderId": "order\u200b123"})


@pytest.mark.parametrize("order_id", ["o" * 1_000_000, "\ud800", "\x00" * 64, "\U0001f4e6" * 64])
def test_a_refusal_is_short_and_ascii_whatever_the_event_holds(order_id: str) -> None:
    with pytest.raises(InvalidOrder) as refusal:
        validate({"orderId": order_id})
    assert str(refusal.value).isascii()
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 200
