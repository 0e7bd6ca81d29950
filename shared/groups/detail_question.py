"""The question about one trip group, and its answer."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from shared.domain.area import Area, GridArea
from shared.domain.clock import WEEKDAYS, list_hours, validate_hours, validate_weekdays
from shared.domain.position import POSITION_BITS, parse_geohash
from shared.domain.trip_end import End, validate_end
from shared.groups.question import MAX_PRECISION, validate_bucket
from shared.platform.errors import RequestError

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
    area: Area | None = None
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
    def grid_area(self) -> GridArea | None:
        """The area on the grid; None: anywhere."""
        return self.area.on_grid() if self.area else None

    @property
    def hours(self) -> list[int] | None:
        """Hours of the week that count, 0 to 167; None for all."""
        return list_hours(hour_from=self.hour_from, hour_to=self.hour_to, weekdays=self.weekdays)


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
