"""Hours and weekdays as filters."""

import pytest

from shared.domain.clock import WEEKDAYS, list_hours, list_slots, parse_weekdays
from shared.platform.errors import RequestError


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("1-5", {1, 2, 3, 4, 5}),
        ("6,7", {6, 7}),
        ("weekday", {1, 2, 3, 4, 5}),
        ("weekend, 1", {1, 6, 7}),
        ("3", {3}),
        ("1-7", WEEKDAYS),
    ],
)
def test_weekdays(text: str, weekdays: set[int]) -> None:
    assert parse_weekdays(text) == weekdays


@pytest.mark.parametrize("text", ["", "0", "8", "1-8", "5-1", "mon", "1,,2", "1-", "weekdays"])
def test_what_is_no_weekday(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_weekdays(text)
    assert caught.value.parameter == "weekdays"


def test_hours_of_the_week() -> None:
    assert list_hours(hour_from=0, hour_to=24, weekdays=WEEKDAYS) is None
    assert list_hours(hour_from=7, hour_to=9, weekdays={1, 7}) == [7, 8, 151, 152]
    assert list_hours(hour_from=23, hour_to=1, weekdays={2}) == [24, 47]


def test_slots_are_hours_of_days_alike() -> None:
    assert list_slots(None) is None
    assert list_slots(list_hours(hour_from=7, hour_to=9, weekdays=WEEKDAYS)) == [7, 8, 31, 32]
    assert list_slots(list_hours(hour_from=0, hour_to=2, weekdays={6, 7})) == [24, 25]
    with pytest.raises(ValueError, match="differ"):
        list_slots([0])
