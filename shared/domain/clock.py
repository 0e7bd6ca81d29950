"""Times of day and days of the week as filters, on the wall clock at the trip.

    hours = list_hours(hour_from=22, hour_to=6, weekdays=parse_weekdays("weekend"))    # 16 hours of the week, Monday 0 h is 0

Hours may pass midnight; the weekday is that of the start: Friday 22 to 6 h is Friday's first six hours and its last two.
"""

import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from shared.platform.errors import RequestError

WEEKDAYS: Final = frozenset(range(1, 8))
"""ISO weekdays, Monday 1 to Sunday 7."""

_DAY_HOURS: Final = 24
_WORKDAYS: Final = frozenset(range(1, 6))
_NAMES: Final = {"weekday": _WORKDAYS, "weekend": WEEKDAYS - _WORKDAYS}


def parse_weekdays(text: str) -> frozenset[int]:
    """Read `1-5`, `6,7`, `weekday`, `weekend` or several with commas between. Raises: RequestError."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"([1-7])(?:-([1-7]))?", part.strip())
        if part.strip() in _NAMES:
            found |= _NAMES[part.strip()]
        elif match:
            found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
        else:
            raise RequestError(
                f"Weekdays are numbers from 1 (Monday) to 7, such as 1-5 or 6,7, or weekday, or weekend; not {text!r}.",
                parameter="weekdays",
            )
    validate_weekdays(found)
    return frozenset(found)


def validate_weekdays(weekdays: Collection[int]) -> None:
    """Refuse no weekday, and what is none. Raises: RequestError."""
    if not weekdays or not set(weekdays) <= WEEKDAYS:
        raise RequestError("Weekdays are one or more of 1 (Monday) to 7 (Sunday), in order.", parameter="weekdays")


def validate_hours(hour_from: int, hour_to: int) -> None:
    """Refuse hours that make no sense. Raises: RequestError."""
    for name, hour in (("hour_from", hour_from), ("hour_to", hour_to)):
        if not 0 <= hour <= _DAY_HOURS:
            raise RequestError(f"{name} lies between 0 and {_DAY_HOURS}, not {hour}.", parameter=name)
    if hour_from == hour_to:
        raise RequestError("The hours must not begin and end at the same hour; 0 to 24 is a day.", parameter="hour_to")


def list_hours(*, hour_from: int, hour_to: int, weekdays: Collection[int]) -> list[int] | None:
    """List the wanted hours of the week, 0 (Monday 0 h) to 167; None when all are wanted."""
    wanted = [*range(hour_from, hour_to)] if hour_from < hour_to else [*range(hour_to), *range(hour_from, _DAY_HOURS)]
    hours = [(weekday - 1) * _DAY_HOURS + hour for weekday in sorted(weekdays) for hour in wanted]
    return None if len(hours) == _DAY_HOURS * len(WEEKDAYS) else hours


def list_slots(hours: Collection[int] | None) -> list[int] | None:
    """List the hours of a working day (0 to 23) and of a weekend day (24 to 47) that hours of the week are made of.

    None when all are wanted. Raises: ValueError when they don't treat all working days, or both weekend days, alike.
    """
    if hours is None:
        return None
    wanted = set(hours)
    slots: list[int] = []
    for first, days in ((0, _WORKDAYS), (_DAY_HOURS, WEEKDAYS - _WORKDAYS)):
        per_day = [{hour for hour in range(_DAY_HOURS) if (day - 1) * _DAY_HOURS + hour in wanted} for day in sorted(days)]
        if any(each != per_day[0] for each in per_day):
            raise ValueError("days of one kind differ")
        slots += [first + hour for hour in sorted(per_day[0])]
    return slots


WEEK: Final = timedelta(days=7)


DAY: Final = timedelta(days=1)


def find_monday(day: date) -> date:
    """Give the Monday of a day's ISO week."""
    return day - timedelta(days=day.weekday())
