"""Histograms: trips per hour of the day, per weekday or per duration, under any filter of a weekly question.

histogram = fetch_histogram(connection, WeeklyQuestion(region="Turin", weekdays=parse_weekdays("weekend")), by="hour")
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, Literal, get_args

import numpy as np
from sqlalchemy import Connection

from shared.domain.trip_end import area_parameters
from shared.index.layout import HOURS
from shared.index.snapshot import open_snapshot, retry_stale
from shared.platform.arrays import Numbers
from shared.platform.errors import RequestError
from shared.questions.weekly import WeeklyQuestion, count_trips, resolve_period
from shared.services.database import execute, preferring_indexes

By = Literal["hour", "weekday", "duration"]

KINDS: Final[tuple[By, ...]] = get_args(By)
DURATION_MINUTES: Final = (0, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 360, 720, 1440)
"""First minute of each bin of durations; the last has no end."""

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar. bin: the hour, the ISO weekday, or the first minute of the durations in it."""

    bin: int
    label: str
    trips: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Every bar in order, empty ones too. trips: all under the filters; unknown_trips: those whose duration no file tells."""

    by: By
    bins: tuple[Bin, ...]
    trips: int
    unknown_trips: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "bins": [asdict(each) for each in self.bins]}


def fetch_histogram(connection: Connection, question: WeeklyQuestion, *, by: By) -> Histogram:
    """Count the trips of a period per hour, weekday or duration. Raises: RequestError for what isn't there."""
    if by not in KINDS:
        raise RequestError(f"by is one of {', '.join(KINDS)}, not {by!r}.", parameter="by")
    if by == "duration":
        return _make_durations(_count_durations(connection, question))
    counts = count_hours_of_week(connection, question)
    if by == "hour":
        bins = [Bin(hour, f"{hour:02}:00", trips) for hour, trips in enumerate(sum_hours(counts))]
    else:
        bins = [Bin(day + 1, name, sum(counts[24 * day : 24 * day + 24])) for day, name in enumerate(_DAYS)]
    return Histogram(by, tuple(bins), sum(counts))


def count_hours_of_week(connection: Connection, question: WeeklyQuestion) -> list[int]:
    """Count the trips of a period per hour of the week. Shape: 168 numbers from Monday 0 h on."""
    return _count(connection, question, by_hour=True).sum(axis=0).tolist()  # type: ignore[no-any-return]


def _count(connection: Connection, question: WeeklyQuestion, *, by_hour: bool) -> Numbers:
    """Count the trips of a period. Shape: a row per week, a column per hour of the week or one."""

    def count() -> Numbers:
        reader = open_snapshot(connection, region=question.region, datasource=question.datasource)
        period = resolve_period(question, reader.trips)
        if period is None:
            return np.zeros((1, HOURS if by_hour else 1), np.int64)
        return count_trips(reader, question, period, by_hour=by_hour)

    return retry_stale(count)


def sum_hours(counts: Sequence[int]) -> list[int]:
    """Add the days of the week up. Shape: 168 numbers → 24."""
    return [sum(counts[hour::24]) for hour in range(24)]


def _count_durations(connection: Connection, question: WeeklyQuestion) -> dict[int | None, int]:
    """Count the trips of a period per bin, from 1 on; None: those whose duration isn't known."""
    if not _has_durations(connection):
        trips = int(_count(connection, question, by_hour=False).sum())
        # A load may have brought some meanwhile.
        if not _has_durations(connection):
            return {None: trips}
    reader = open_snapshot(connection, region=question.region, datasource=question.datasource)
    period = resolve_period(question, reader.trips)
    if period is None or (question.area and question.area.is_empty):
        return {}
    parameters = {**reader.trips.name_parameters, **period.parameters}
    bounds_s = [60 * minute for minute in DURATION_MINUTES]
    areas = area_parameters(question.box, question.end)
    # The index of trips knows origins.
    with preferring_indexes(connection) if question.area and question.end in ("origin", "both") else nullcontext():
        rows = execute(connection, "histogram_durations", **parameters, **areas, bounds_s=bounds_s).all()
    return {row.bin: row.trips for row in rows}


def _has_durations(connection: Connection) -> bool:
    return bool(execute(connection, "has_durations").scalar_one())


def _make_durations(found: Mapping[int | None, int]) -> Histogram:
    names = [f"{low} to {high} min" for low, high in pairwise(DURATION_MINUTES)]
    names.append(f"{DURATION_MINUTES[-1]} min or more")
    bins = tuple(
        Bin(minute, name, found.get(number, 0))
        for number, (minute, name) in enumerate(zip(DURATION_MINUTES, names, strict=True), start=1)
    )
    return Histogram("duration", bins, sum(found.values()), found.get(None, 0))
