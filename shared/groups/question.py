"""Questions about trip groups and flows, and what they answer."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from shared.domain.area import Area, Box, GridArea
from shared.domain.clock import WEEKDAYS, list_hours, list_slots, validate_hours, validate_weekdays
from shared.domain.position import POSITION_BITS, parse_geohash
from shared.domain.trip_end import End, validate_end
from shared.index.layout import FLOW_PRECISION
from shared.platform.errors import RequestError
from shared.questions.page_tokens import make_token, make_token_error, parse_token

MAX_PRECISION: Final = 12


MAX_LIMIT: Final = 50_000


DAY_MINUTES: Final = 1440


_AFTER: Final = ("after_trips", "after_origin", "after_destination", "after_minute", "after_region")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowQuestion:
    """Which flows to show: every filter left out counts all.

    area and end choose trips; viewport only chooses flows: those with a cell in it, whole.
    hour_from ≤ hour < hour_to; from > to passes midnight. weekdays: ISO, of the start. precision: geohash characters of a cell.
    after: the token of the last flow or group of the former page.
    """

    region: str | None = None
    datasource: str | None = None
    area: Area | None = None
    end: End = "origin"
    viewport: Box | None = None
    precision: int = 6
    hour_from: int = 0
    hour_to: int = 24
    limit: int = 500
    weekdays: frozenset[int] = WEEKDAYS
    after: str | None = None

    def __post_init__(self) -> None:
        _validate(self.precision, (1, MAX_PRECISION), "precision")
        _validate(self.limit, (1, MAX_LIMIT), "limit")
        validate_hours(self.hour_from, self.hour_to)
        validate_weekdays(self.weekdays)
        validate_end(self.end)

    @property
    def cell_shift(self) -> int:
        """Bits of a position below a cell."""
        return POSITION_BITS - 5 * self.precision

    @property
    def grid_area(self) -> GridArea | None:
        """The area on the grid; None: anywhere."""
        return self.area.on_grid() if self.area else None

    @property
    def hours(self) -> list[int] | None:
        """Hours of the week that count, 0 to 167; None for all."""
        return list_hours(hour_from=self.hour_from, hour_to=self.hour_to, weekdays=self.weekdays)

    @property
    def after_key(self) -> tuple[int, int, int] | None:
        """Trips, origin and destination of the last flow of the former page. Raises: RequestError."""
        after = _after(self, (int, str, str))
        trips, origin, destination = after.values()
        return None if trips is None else (trips, origin, destination)

    @property
    def fits_flows(self) -> bool:
        """Whether stored flows answer it: no finer cells, days of a kind alike, no hours of one datasource."""
        if self.precision > FLOW_PRECISION or (self.hours and self.datasource):
            return False
        try:
            list_slots(self.hours)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuestion(FlowQuestion):
    """Which trip groups to list, largest first. bucket_minutes: length of the time of day, a divisor of 1440."""

    bucket_minutes: int = 60
    limit: int = 100

    def __post_init__(self) -> None:
        # Zero-argument super() doesn't work in a dataclass with slots: the class is made anew.
        FlowQuestion.__post_init__(self)
        validate_bucket(self.bucket_minutes)


@dataclass(frozen=True, slots=True)
class TripGroup:
    """Trips of one region, origin cell, destination cell and time of day; positions are means. Units: degrees, minutes.

    Names: the largest place in the cell, or the nearest one with distance and bearing (shared/gazetteer/cell_names.py).
    """

    region: str
    origin_cell: str
    origin_name: str
    destination_cell: str
    destination_name: str
    bucket_minute: int
    trips: int
    origin_longitude: float
    origin_latitude: float
    destination_longitude: float
    destination_latitude: float
    first_on: date
    last_on: date
    datasources: tuple[str, ...]

    @property
    def token(self) -> str:
        """What a question takes as `after`."""
        return make_token(self.trips, self.origin_cell, self.destination_cell, self.bucket_minute, self.region)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            **asdict(self),
            "first_on": self.first_on.isoformat(),
            "last_on": self.last_on.isoformat(),
            "datasources": list(self.datasources),
        }


@dataclass(frozen=True, slots=True)
class FlowLocation:
    """A cell that a shown flow joins, with the trips of all flows that touch the view. longitude, latitude: its middle.
    name: as of a group's cells.

    A cell in the view has all its trips under the filters; one outside only those from and to the view.
    """

    id: str
    name: str
    longitude: float
    latitude: float
    in_trips: int
    out_trips: int
    internal_trips: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Trips from one cell to another (or to itself), as geohashes."""

    origin: str
    destination: str
    trips: int

    @property
    def token(self) -> str:
        """What a question takes as `after`."""
        return make_token(self.trips, self.origin, self.destination)


@dataclass(frozen=True, slots=True)
class FlowMap:
    """The largest flows and the locations they join. trips: all under the filters; shown_trips: those of the shown flows."""

    locations: tuple[FlowLocation, ...]
    flows: tuple[Flow, ...]
    trips: int
    shown_trips: int
    precision: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "locations": [asdict(location) for location in self.locations],
            "flows": [asdict(flow) for flow in self.flows],
            "trips": self.trips,
            "shown_trips": self.shown_trips,
            "precision": self.precision,
        }


def parse_after(question: GroupQuestion) -> tuple[Any, ...] | None:
    """Trips, origin and destination cell, minute and region of the last group of the former page. Raises: RequestError."""
    values = tuple(_after(question, (int, str, str, int, str)).values())
    return None if values[0] is None else values


def find_last_row(question: GroupQuestion, regions: Mapping[int, str]) -> tuple[int, ...] | None:
    """Trips and key of the last group of the former page: region id, cells, bucket; None for the first page."""
    after = parse_after(question)
    if after is None:
        return None
    trips, origin, destination, minute, region = after
    ids = [number for number, name in regions.items() if name == region]
    return trips, ids[0] if ids else 0, origin, destination, minute // question.bucket_minutes


def validate_bucket(bucket_minutes: int) -> None:
    """Refuse a time of day that doesn't divide the day. Raises: RequestError."""
    if not 1 <= bucket_minutes <= DAY_MINUTES or DAY_MINUTES % bucket_minutes:
        raise RequestError("bucket_minutes divides a day of 1440 minutes.", parameter="bucket_minutes")


def _after(question: FlowQuestion, kinds: tuple[type, ...]) -> dict[str, Any]:
    """Where a page begins, as the queries take it. Raises: RequestError."""
    if question.after is None:
        return dict.fromkeys(_AFTER[: len(kinds)])
    values = parse_token(question.after, kinds)
    try:
        cells = [parse_geohash(text) for text in values[1:3]]
    except ValueError as error:
        raise make_token_error() from error
    return dict(zip(_AFTER, [values[0], *cells, *values[3:]], strict=False))


def _validate(value: int, limits: tuple[int, int], parameter: str) -> None:
    if not limits[0] <= value <= limits[1]:
        raise RequestError(f"{parameter} lies between {limits[0]} and {limits[1]}, not {value}.", parameter=parameter)
