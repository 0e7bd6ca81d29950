"""One trip group in detail: its weeks, the hours of the day between its two cells, and some of its trips.

    detail = fetch_group(connection, GroupDetailQuestion(origin_cell="u0j2w1", destination_cell="u0j2w2", bucket_minute=480))

Filters are those of the list of groups, so that a group counts the same here and there.

CRS: WGS 84. Clock: local wall clock of the trip.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from shared.area import Box
from shared.block_bits import StaleError
from shared.clock import WEEKDAYS, list_hours, validate_hours, validate_weekdays
from shared.database import execute, preferring_indexes
from shared.errors import RequestError
from shared.groups import MAX_PRECISION, validate_bucket
from shared.position import POSITION_BITS, parse_geohash
from shared.weekly import End, Filters, area_parameters, fetch_filters, validate_end

if TYPE_CHECKING:
    from shared.group_hours import GroupHours

MAX_SAMPLES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDetailQuestion:
    """Which group: two geohashes and the first minute of its time of day (None: the whole day)."""

    origin_cell: str
    destination_cell: str
    bucket_minute: int | None = None
    bucket_minutes: int = 60
    region: str | None = None
    datasource: str | None = None
    box: Box | None = None
    end: End = "origin"
    hour_from: int = 0
    hour_to: int = 24
    weekdays: frozenset[int] = WEEKDAYS
    samples: int = 20

    def __post_init__(self) -> None:
        _find_range(self.origin_cell, "origin_cell")
        _find_range(self.destination_cell, "destination_cell")
        validate_bucket(self.bucket_minutes)
        if self.bucket_minute is not None and (not 0 <= self.bucket_minute < 1440 or self.bucket_minute % self.bucket_minutes):
            raise RequestError(
                "bucket_minute is the first minute of a time of day, a multiple of its length.", parameter="bucket_minute"
            )
        if not 1 <= self.samples <= MAX_SAMPLES:
            raise RequestError(f"samples lies between 1 and {MAX_SAMPLES}, not {self.samples}.", parameter="samples")
        validate_end(self.end)
        validate_hours(self.hour_from, self.hour_to)
        validate_weekdays(self.weekdays)

    @property
    def origin_range(self) -> tuple[int, int]:
        """First and last position of the origin's cell."""
        return _find_range(self.origin_cell, "origin_cell")

    @property
    def destination_range(self) -> tuple[int, int]:
        """First and last position of the destination's cell."""
        return _find_range(self.destination_cell, "destination_cell")

    @property
    def hours(self) -> list[int] | None:
        """Hours of the week that count, 0 to 167; None for all."""
        return list_hours(hour_from=self.hour_from, hour_to=self.hour_to, weekdays=self.weekdays)

    @property
    def fits_blocks(self) -> bool:
        """Whether hours say enough of a trip's time, as blocks keep them."""
        return self.bucket_minute is None or self.bucket_minutes % 60 == 0


@dataclass(frozen=True, slots=True)
class SampleTrip:
    """One trip. Units: degrees, seconds."""

    started_at: datetime
    region: str
    datasource: str
    origin_longitude: float
    origin_latitude: float
    destination_longitude: float
    destination_latitude: float
    duration_s: int | None
    load_id: int


@dataclass(frozen=True, slots=True)
class GroupDetail:
    """weeks: trips per Monday, from the first week that has some to the last; samples: the newest trips; hours: 24
    numbers, of all trips between the two cells, whatever the group's time of day; none where they are hidden.
    """

    trips: int
    weeks: tuple[tuple[date, int], ...]
    hours: tuple[int, ...]
    samples: tuple[SampleTrip, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "trips": self.trips,
            "weeks": [{"week": week.isoformat(), "trips": trips} for week, trips in self.weeks],
            "hours": list(self.hours) or None,
            "samples": [{**asdict(trip), "started_at": trip.started_at.isoformat()} for trip in self.samples],
        }


def fetch_group(connection: Connection, question: GroupDetailQuestion) -> GroupDetail:
    """Look at one trip group. Raises: RequestError for a region or datasource that isn't there."""
    # Reading blocks brings compiled kernels: what asks no group need not wait for those.
    from shared.group_hours import GroupHours

    while True:
        filters = fetch_filters(connection, region=question.region, datasource=question.datasource)
        if filters.first_at is None or (question.box and question.box.area().is_empty):
            return GroupDetail(0, (), (0,) * 24, ())
        with suppress(StaleError):
            known = GroupHours.count(connection, question, filters) if question.fits_blocks else None
            return _look(connection, question, filters=filters, known=known)


def _look(connection: Connection, question: GroupDetailQuestion, *, filters: Filters, known: "GroupHours | None") -> GroupDetail:
    """Put together what blocks tell and what trips tell: those of bare loads, or all."""
    parameters = {
        **_parameters(question),
        "region_id": filters.region_id,
        "datasource_id": filters.datasource_id,
        "loads": filters.bare_loads if known else None,
        "started_from": known.find_newest(question.samples) if known else None,
    }
    weeks, hours = (known.weeks, known.hours) if known else (Counter[date](), Counter[int]())
    with preferring_indexes(connection):
        for row in execute(connection, "count_group", **parameters) if parameters["loads"] != [] else ():
            hours[row.hour] += row.trips
            if row.is_in_bucket:
                weeks[row.week] += row.trips
        samples = execute(connection, "list_group_trips", **parameters, limit=question.samples).mappings().all()
    return GroupDetail(
        weeks.total(), _fill_weeks(weeks), tuple(hours[hour] for hour in range(24)), tuple(SampleTrip(**row) for row in samples)
    )


def _parameters(question: GroupDetailQuestion) -> dict[str, object]:
    origin, destination = question.origin_range, question.destination_range
    return {
        "origin_low": origin[0],
        "origin_high": origin[1],
        "destination_low": destination[0],
        "destination_high": destination[1],
        "bucket_minute": question.bucket_minute,
        "bucket_minutes": question.bucket_minutes,
        "hours": question.hours,
        **area_parameters(question.box, question.end),
    }


def _fill_weeks(weeks: Counter[date]) -> tuple[tuple[date, int], ...]:
    if not weeks:
        return ()
    first, last = min(weeks), max(weeks)
    mondays = (first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1))
    return tuple((monday, weeks[monday]) for monday in mondays)


def _find_range(geohash: str, parameter: str) -> tuple[int, int]:
    """First and last position of a cell. Raises: RequestError."""
    try:
        cell = parse_geohash(geohash)
    except ValueError:
        cell = -1
    if cell < 0 or not 1 <= len(geohash) <= MAX_PRECISION:
        raise RequestError(f"{parameter} is a geohash of 1 to {MAX_PRECISION} characters, not {geohash!r}.", parameter=parameter)
    shift = POSITION_BITS - 5 * len(geohash)
    return cell << shift, (cell + 1 << shift) - 1
