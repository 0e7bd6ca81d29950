"""Weekly averages: how many trips a week in a region, inside an area, or both.

    answer = fetch_weekly(connection, WeeklyQuestion(region="Turin", area=parse_bbox("7.5,45,7.7,45.1"), end="both"))
    answer.weekly_average      # trips ÷ weeks of the period; weeks without trips count as zero

Whole weeks and whole cells are counted by their sums, the rest of the period and of the box from blocks or trips: exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Connection

from shared.domain.area import WHOLE_WORLD, Area, GridArea
from shared.domain.clock import DAY, WEEK, WEEKDAYS, find_monday, list_hours, validate_hours, validate_weekdays
from shared.domain.trip_end import End, validate_end
from shared.index.scan import CountBy, make_counts
from shared.index.snapshot import Reader, TripFilter, open_snapshot, retry_stale
from shared.platform.arrays import Numbers
from shared.platform.errors import RequestError
from shared.questions.area_counts import count_area
from shared.questions.period import Period
from shared.questions.period_counts import count_anywhere
from shared.questions.unindexed import AreaFilter

# A week lies before and after each day.
_FIRST_DAY: Final = date.min + WEEK
_LAST_DAY: Final = date.max - WEEK


@dataclass(frozen=True, slots=True)
class WeeklyQuestion:
    """What to count; a filter left out counts all. from_on and to_on are included; hour_from ≤ hour < hour_to, from > to passes
    midnight; weekdays: ISO, of the start. Clock: local wall clock of the trip.
    """

    region: str | None = None
    datasource: str | None = None
    area: Area | None = None
    end: End = "origin"
    from_on: date | None = None
    to_on: date | None = None
    hour_from: int = 0
    hour_to: int = 24
    weekdays: frozenset[int] = WEEKDAYS

    def __post_init__(self) -> None:
        validate_end(self.end)
        validate_hours(self.hour_from, self.hour_to)
        validate_weekdays(self.weekdays)
        for parameter, day in (("from", self.from_on), ("to", self.to_on)):
            if day and not _FIRST_DAY <= day <= _LAST_DAY:
                raise RequestError(f"A period lies between {_FIRST_DAY} and {_LAST_DAY}.", parameter=parameter)
        if self.from_on and self.to_on and self.from_on > self.to_on:
            raise RequestError("The period's first day must not lie after its last.", parameter="from")

    @property
    def hours(self) -> list[int] | None:
        """Hours of the week that count, 0 to 167; None for all."""
        return list_hours(hour_from=self.hour_from, hour_to=self.hour_to, weekdays=self.weekdays)

    @property
    def grid_area(self) -> GridArea | None:
        """The area on the grid; None when everything lies in it."""
        area = self.area.on_grid() if self.area else WHOLE_WORLD
        return None if area == WHOLE_WORLD else area


@dataclass(frozen=True, slots=True)
class WeekCount:
    """One ISO week, named by its Monday. is_partial: the period or the data covers only a part of it."""

    week: date
    trips: int
    is_partial: bool


@dataclass(frozen=True)
class WeeklyAnswer:
    """Every week of the period, in order. The averages are None where there is no week to average over."""

    weeks: tuple[WeekCount, ...]
    from_on: date | None
    to_on: date | None

    @cached_property
    def trips(self) -> int:
        """Trips of the period."""
        return sum(week.trips for week in self.weeks)

    @property
    def weeks_counted(self) -> int:
        """Weeks of the period, with trips or without."""
        return len(self.weeks)

    @cached_property
    def weeks_with_trips(self) -> int:
        """Weeks of the period that have trips."""
        return sum(week.trips > 0 for week in self.weeks)

    @property
    def weekly_average(self) -> float | None:
        """Trips ÷ weeks of the period."""
        return self.trips / self.weeks_counted if self.weeks_counted else None

    @property
    def average_over_weeks_with_trips(self) -> float | None:
        """Trips ÷ weeks that have trips."""
        return self.trips / self.weeks_with_trips if self.weeks_with_trips else None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as REST and the command line give it."""
        return {
            "weeks": [{"week": w.week.isoformat(), "trips": w.trips, "is_partial": w.is_partial} for w in self.weeks],
            "trips": self.trips,
            "weeks_counted": self.weeks_counted,
            "weekly_average": self.weekly_average,
            "weeks_with_trips": self.weeks_with_trips,
            "average_over_weeks_with_trips": self.average_over_weeks_with_trips,
            "from_on": self.from_on.isoformat() if self.from_on else None,
            "to_on": self.to_on.isoformat() if self.to_on else None,
        }


@dataclass(frozen=True, slots=True)
class WeeklyComparison:
    """The same question over two periods, and how the weekly averages differ; None where one is missing or divides by zero."""

    answer: WeeklyAnswer
    other: WeeklyAnswer

    @property
    def difference(self) -> float | None:
        """How many trips a week more than in the other period."""
        ours, others = self.answer.weekly_average, self.other.weekly_average
        return None if ours is None or others is None else ours - others

    @property
    def ratio(self) -> float | None:
        """How many times the other period's average."""
        ours, others = self.answer.weekly_average, self.other.weekly_average
        return None if ours is None or not others else ours / others

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"other": self.other.to_json(), "difference": self.difference, "ratio": self.ratio}


@retry_stale
def fetch_weekly(connection: Connection, question: WeeklyQuestion) -> WeeklyAnswer:
    """Count the trips of every week of the period.

    Raises: RequestError for a region or datasource that isn't there.
    """
    return _count_weeks(open_snapshot(connection, region=question.region, datasource=question.datasource), question)


def _count_weeks(reader: Reader, question: WeeklyQuestion) -> WeeklyAnswer:
    """Count the trips of every week. Raises: StaleError."""
    period = resolve_period(question, reader.trips)
    if period is None:
        return WeeklyAnswer((), question.from_on, question.to_on)
    counts = count_trips(reader, question, period)
    return WeeklyAnswer(_list_weeks(counts[:, 0].tolist(), period, reader.trips), period.from_on, period.to_on)


@retry_stale
def compare_weekly(
    connection: Connection, question: WeeklyQuestion, *, from_on: date | None = None, to_on: date | None = None
) -> WeeklyComparison:
    """Ask the same question over another period too. Raises: RequestError."""
    if from_on and to_on and from_on > to_on:
        raise RequestError("The period's first day must not lie after its last.", parameter="compare_from")
    reader = open_snapshot(connection, region=question.region, datasource=question.datasource)
    questions = question, replace(question, from_on=from_on, to_on=to_on)
    return WeeklyComparison(*(_count_weeks(reader, each) for each in questions))


def resolve_period(question: WeeklyQuestion, trip_filter: TripFilter) -> Period | None:
    """The days that count: as in the question, else of the weeks that have trips; None when there are no trips."""
    from_on = question.from_on or (find_monday(trip_filter.first_on) if trip_filter.first_on else None)
    to_on = question.to_on or (find_monday(trip_filter.last_on) + WEEK - DAY if trip_filter.last_on else None)
    return Period(from_on, to_on, question.hours) if from_on and to_on and from_on <= to_on else None


def count_trips(reader: Reader, question: WeeklyQuestion, period: Period, *, by: CountBy = "week") -> Numbers:
    """Count the trips of a period. Shape: as make_counts. Raises: StaleError."""
    area = question.grid_area
    if area is None and by != "duration":
        return count_anywhere(reader, period, by=by)
    if area is not None and area.is_empty:
        return make_counts(period.weeks, by)
    return count_area(reader, AreaFilter(area or WHOLE_WORLD, question.end), period, by=by)


def _list_weeks(counts: Sequence[int], period: Period, trip_filter: TripFilter) -> tuple[WeekCount, ...]:
    mondays = (period.first_week + number * WEEK for number in range(period.weeks))
    return tuple(
        WeekCount(monday, trips, _is_partial(monday, period, trip_filter)) for monday, trips in zip(mondays, counts, strict=True)
    )


def _is_partial(week: date, period: Period, trip_filter: TripFilter) -> bool:
    sunday = week + WEEK - DAY
    starts = [period.from_on, *([trip_filter.first_on] if trip_filter.first_on else [])]
    ends = [period.to_on, *([trip_filter.last_on] if trip_filter.last_on else [])]
    return any(week < start <= sunday for start in starts) or any(week <= end < sunday for end in ends)
