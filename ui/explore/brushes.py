"""Brushes: where the charts draw them, and what a brush along a chart means.

Units: milliseconds since 1970, UTC, along weeks; hours of the day from 0 to 24; weekdays from 1 (Monday) to 8.
Clock: weeks and hours are local wall clock of the trip. Charts know no zone: dates go in and come out as UTC.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from shared.domain.clock import WEEKDAYS
from shared.questions.weekly import WeeklyAnswer
from ui.session.view import WHOLE_DAY, Hours

Period = tuple[date, date]

_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Brush:
    """Where a brush lies. span: length of the whole axis."""

    start: float
    stop: float
    span: float


def find_period_brush(answer: WeeklyAnswer, all_weeks: WeeklyAnswer) -> Brush | None:
    """Where the weekly chart's brush lies; None for all weeks."""
    period = find_period(answer, all_weeks)
    if not period or not all_weeks.weeks:
        return None
    return Brush(_in_ms(period[0]), _in_ms(period[1]), span=len(all_weeks.weeks) * _WEEK.total_seconds() * 1000)


def find_hours_brush(chosen: Hours) -> Brush | None:
    """Where the hours chart's brush lies; None for all, and for hours over midnight, which no brush can show."""
    return Brush(chosen[0], chosen[1], span=24) if chosen != WHOLE_DAY and chosen[0] < chosen[1] else None


def find_weekdays_brush(chosen: Collection[int]) -> Brush | None:
    """Where the weekdays chart's brush lies; None for all, and for days with others between."""
    days = sorted(chosen)
    is_row = len(days) < len(WEEKDAYS) and days[-1] - days[0] == len(days) - 1
    return Brush(days[0], days[-1] + 1, span=len(WEEKDAYS)) if is_row else None


def read_period(brushed: Sequence[float]) -> tuple[date, date] | None:
    """Whole weeks that a brush along the weeks touches: Monday and Sunday. Units: milliseconds since 1970, UTC."""
    if len(brushed) != 2:
        return None
    # The end is outside: a brush that lies on whole weeks ends where the next one begins.
    first, last = (datetime.fromtimestamp(edge / 1000, UTC).date() for edge in (min(brushed), max(brushed) - 1))
    return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())


def read_hours(brushed: Sequence[float]) -> Hours | None:
    """Whole hours that a brush along the hours touches."""
    if len(brushed) != 2:
        return None
    first, last = sorted(brushed)
    return max(0, int(first)), min(24, int(-(-last // 1)))


def read_weekdays(brushed: Sequence[float]) -> frozenset[int] | None:
    """Whole days that a brush along the weekdays touches. Shape: Monday lies from 1 to 2."""
    if len(brushed) != 2:
        return None
    first, last = sorted(brushed)
    return frozenset(range(max(1, int(first)), min(8, -int(-last // 1)))) or None


def is_chosen(hour: int, chosen: Hours) -> bool:
    """Whether an hour lies in the chosen ones; from > to passes midnight."""
    first, last = chosen
    return first <= hour < last if first < last else hour >= first or hour < last


def find_period(answer: WeeklyAnswer, all_weeks: WeeklyAnswer) -> Period | None:
    """First day of the period and the day after its last; None when it is all weeks."""
    is_all = (answer.from_on, answer.to_on) == (all_weeks.from_on, all_weeks.to_on)
    return None if is_all else find_days(answer)


def find_days(answer: WeeklyAnswer) -> Period | None:
    """First day of an answer's period and the day after its last; None without weeks."""
    return (answer.from_on, answer.to_on + timedelta(days=1)) if answer.from_on and answer.to_on else None


def _in_ms(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
