"""Histograms: trips per hour of the day, per weekday or per duration, under any filter of a weekly question.

histogram = fetch_histogram(connection, WeeklyQuestion(region="Turin", weekdays=parse_weekdays("weekend")), by="hour")
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, Literal, get_args

import numpy as np
from sqlalchemy import Connection

from shared.index.scan import CountBy, make_counts
from shared.index.snapshot import open_snapshot, retry_stale
from shared.platform.arrays import Numbers
from shared.platform.errors import RequestError
from shared.questions.weekly import WeeklyQuestion, count_trips, resolve_period

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
        return _make_durations(_count(connection, question, by="duration")[0])
    counts = count_hours_of_week(connection, question)
    if by == "hour":
        bins = [Bin(hour, f"{hour:02}:00", trips) for hour, trips in enumerate(sum_hours(counts))]
    else:
        bins = [Bin(day + 1, name, sum(counts[24 * day : 24 * day + 24])) for day, name in enumerate(_DAYS)]
    return Histogram(by, tuple(bins), sum(counts))


def count_hours_of_week(connection: Connection, question: WeeklyQuestion) -> list[int]:
    """Count the trips of a period per hour of the week. Shape: 168 numbers from Monday 0 h on."""
    return _count(connection, question, by="hour").sum(axis=0).tolist()  # type: ignore[no-any-return]


@retry_stale
def _count(connection: Connection, question: WeeklyQuestion, *, by: CountBy) -> Numbers:
    """Count the trips of a period. Shape: as make_counts."""
    reader = open_snapshot(connection, region=question.region, datasource=question.datasource)
    period = resolve_period(question, reader.trips)
    return make_counts(1, by) if period is None else count_trips(reader, question, period, by=by)


def sum_hours(counts: Sequence[int]) -> list[int]:
    """Add the days of the week up. Shape: 168 numbers → 24."""
    return [sum(counts[hour::24]) for hour in range(24)]


def _make_durations(counts: Numbers) -> Histogram:
    """Shape: a number per code of durations."""
    names = [f"{low} to {high} min" for low, high in pairwise(DURATION_MINUTES)]
    names.append(f"{DURATION_MINUTES[-1]} min or more")
    trips = np.add.reduceat(counts[1:], DURATION_MINUTES).tolist()
    bins = tuple(Bin(*each) for each in zip(DURATION_MINUTES, names, trips, strict=True))
    return Histogram("duration", bins, int(counts.sum()), int(counts[0]))
