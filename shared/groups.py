"""Trip groups and flows: trips that begin in one cell, end in another and start at the same time of day.

    groups = list_groups(connection, GroupQuestion(region="Turin", precision=6, bucket_minutes=60))
    flow_map = fetch_flows(connection, FlowQuestion(viewport=parse_bbox("7.5,45,7.7,45.1"), precision=6))

CRS: WGS 84. Clock: local wall clock of the trip.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from shared.area import WHOLE_WORLD, AxisArea, Box
from shared.database import execute
from shared.errors import RequestError
from shared.position import POSITION_BITS, cell_middle, format_geohash
from shared.weekly import End, fetch_filters, validate_end

MAX_PRECISION: Final = 12
MAX_LIMIT: Final = 50_000

_DAY_MINUTES: Final = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowQuestion:
    """Which flows to show: every filter left out counts all.

    box and end choose trips; viewport only chooses flows: those with a cell in it, whole.
    hour_from ≤ hour < hour_to; from > to passes midnight. precision: geohash characters of a cell.
    """

    region: str | None = None
    datasource: str | None = None
    box: Box | None = None
    end: End = "origin"
    viewport: Box | None = None
    precision: int = 6
    hour_from: int = 0
    hour_to: int = 24
    limit: int = 500

    def __post_init__(self) -> None:
        _validate(self.precision, (1, MAX_PRECISION), "precision")
        _validate(self.hour_from, (0, 24), "hour_from")
        _validate(self.hour_to, (0, 24), "hour_to")
        _validate(self.limit, (1, MAX_LIMIT), "limit")
        validate_end(self.end)
        if self.hour_from == self.hour_to:
            raise RequestError("The hours must not begin and end at the same hour; 0 to 24 is a day.", parameter="hour_to")

    @property
    def cell_shift(self) -> int:
        """Bits of a position below a cell."""
        return POSITION_BITS - 5 * self.precision


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuestion(FlowQuestion):
    """Which trip groups to list, largest first. bucket_minutes: length of the time of day, a divisor of 1440."""

    bucket_minutes: int = 60
    limit: int = 100

    def __post_init__(self) -> None:
        # Zero-argument super() doesn't work in a dataclass with slots: the class is made anew.
        FlowQuestion.__post_init__(self)
        if not 1 <= self.bucket_minutes <= _DAY_MINUTES or _DAY_MINUTES % self.bucket_minutes:
            raise RequestError("bucket_minutes divides a day of 1440 minutes.", parameter="bucket_minutes")


@dataclass(frozen=True, slots=True)
class TripGroup:
    """Trips of one region, origin cell, destination cell and time of day; positions are means. Units: degrees, minutes."""

    region: str
    origin_cell: str
    destination_cell: str
    bucket_minute: int
    trips: int
    origin_longitude: float
    origin_latitude: float
    destination_longitude: float
    destination_latitude: float
    first_at: datetime
    last_at: datetime
    datasources: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            **asdict(self),
            "first_at": self.first_at.isoformat(),
            "last_at": self.last_at.isoformat(),
            "datasources": list(self.datasources),
        }


@dataclass(frozen=True, slots=True)
class FlowLocation:
    """A cell that a shown flow begins or ends in, with all its trips under the filters. longitude, latitude: its middle."""

    id: str
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


def list_groups(connection: Connection, question: GroupQuestion) -> list[TripGroup]:
    """List the largest trip groups. Raises: RequestError for a region or datasource that isn't there."""
    parameters = _parameters(connection, question)
    if parameters is None:
        return []
    rows = execute(
        connection, "list_groups", **parameters, bucket_minutes=question.bucket_minutes, limit=question.limit
    ).mappings()
    return [
        TripGroup(
            **{
                **row,
                "origin_cell": format_geohash(row["origin_cell"], question.precision),
                "destination_cell": format_geohash(row["destination_cell"], question.precision),
                "datasources": tuple(row["datasources"]),
            }
        )
        for row in rows
    ]


def fetch_flows(connection: Connection, question: FlowQuestion) -> FlowMap:
    """Find the largest flows that touch the viewport. Raises: RequestError for a region or datasource that isn't there."""
    parameters = _parameters(connection, question)
    if parameters is None:
        return FlowMap((), (), 0, 0, question.precision)
    view = question.viewport.area() if question.viewport else WHOLE_WORLD
    rows = execute(
        connection, "list_flows", **parameters, view_area=view.outer(question.cell_shift).bounds(), limit=question.limit
    ).all()
    flows = [row for row in rows if row.kind == "flow"]
    return FlowMap(
        tuple(_make_location(row, question) for row in rows if row.kind == "location"),
        tuple(
            Flow(format_geohash(f.origin, question.precision), format_geohash(f.destination, question.precision), f.trips)
            for f in flows
        ),
        trips=next(row.trips for row in rows if row.kind == "all"),
        shown_trips=sum(flow.trips for flow in flows),
        precision=question.precision,
    )


def fetch_hours(connection: Connection, question: FlowQuestion) -> list[int]:
    """Count trips per hour of the day, 24 numbers; the question's own hours don't filter, so that they can be chosen on it."""
    parameters = _parameters(connection, question)
    hours = [0] * 24
    if parameters is not None:
        for row in execute(connection, "count_hours", **parameters):
            hours[row.hour] = row.trips
    return hours


def _make_location(row: Row[Any], question: FlowQuestion) -> FlowLocation:
    longitude, latitude = cell_middle(row.origin, question.cell_shift)
    return FlowLocation(
        format_geohash(row.origin, question.precision), longitude, latitude, row.in_trips, row.out_trips, row.internal_trips
    )


def _parameters(connection: Connection, question: FlowQuestion) -> dict[str, object] | None:
    filters = fetch_filters(connection, region=question.region, datasource=question.datasource)
    area: AxisArea = question.box.area() if question.box else WHOLE_WORLD
    if area.is_empty or filters.first_at is None:
        return None
    everywhere = WHOLE_WORLD.bounds()
    ends = {"origin": (area.bounds(), everywhere), "destination": (everywhere, area.bounds())}
    origin_area, destination_area = ends.get(question.end, (area.bounds(), area.bounds()))
    return {
        "region_id": filters.region_id,
        "datasource_id": filters.datasource_id,
        "origin_area": origin_area,
        "destination_area": destination_area,
        "is_either": question.end == "either",
        "cell_shift": question.cell_shift,
        "hour_from": question.hour_from,
        "hour_to": question.hour_to,
    }


def _validate(value: int, limits: tuple[int, int], parameter: str) -> None:
    if not limits[0] <= value <= limits[1]:
        raise RequestError(f"{parameter} lies between {limits[0]} and {limits[1]}, not {value}.", parameter=parameter)
