from datetime import timedelta

import pytest

from infra.console import age


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-1, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (86_399, "23 h"),
        (86_400, "1 day"),
        (172_799, "1 day"),
        (172_800, "2 days"),
    ],
)
def test_an_age_is_told_in_its_largest_unit_rounded_down(seconds: float, told: str) -> None:
    assert age.text(timedelta(seconds=seconds)) == told
