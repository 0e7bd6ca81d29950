"""Trip groups and flows: trips that begin in one cell, end in another and start at the same time of day.

    groups = list_groups(connection, GroupQuestion(region="Turin", precision=6, bucket_minutes=60))
    flow_map = fetch_flows(connection, FlowQuestion(viewport=parse_bbox("7.5,45,7.7,45.1"), precision=6))

CRS: WGS 84. Clock: local wall clock of the trip.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from shared.area import WHOLE_WORLD, Box
from shared.database import execute
from shared.errors import RequestError
from shared.position import POSITION_BITS, cell_middle, format_geohash
from shared.weekly import End, fetch_filters, validate_end

MAX_PRECISION: Final = 12
MAX_LIMIT: Final = 50_000
RUN_PRECISION: Final = 6
"""Geohash characters of run_flow's cells."""

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

    @property
    def hours(self) -> tuple[int, int] | None:
        """First hour and the one after the last; None for the whole day."""
        return None if (self.hour_from, self.hour_to) == (0, 24) else (self.hour_from, self.hour_to)

    @property
    def fits_runs(self) -> bool:
        """Whether runs know these flows: cells no finer than theirs, no box, and hours or a datasource but not both."""
        return self.precision <= RUN_PRECISION and self.box is None and not (self.hours and self.datasource)


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
    """A cell that a shown flow joins, with the trips of all flows that touch the view. longitude, latitude: its middle.

    A cell in the view has all its trips under the filters; one outside only those from and to the view.
    """

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
    view = question.viewport.area().outer(question.cell_shift) if question.viewport else None
    while True:
        parameters = _parameters(connection, question)
        if parameters is None or (view and view.is_empty):
            return FlowMap((), (), 0, 0, question.precision)
        rows = execute(
            connection,
            "list_flows",
            **parameters,
            reads_runs=question.fits_runs,
            counts_days=question.box is None,
            view_area=view.bounds() if view else None,
            limit=question.limit,
        ).all()
        if all(row.is_current for row in rows):
            return _make_map(rows, question)


def fetch_hours(connection: Connection, question: FlowQuestion) -> list[int]:
    """Count trips per hour of the day, 24 numbers; the question's own hours don't filter, so that they can be chosen on it."""
    reads_runs = question.box is None
    while True:
        hours = [0] * 24
        parameters = _parameters(connection, replace(question, hour_from=0, hour_to=24))
        if parameters is None:
            return hours
        rows = execute(connection, "count_hours", **parameters, reads_runs=reads_runs).all()
        for row in rows:
            if row.hour is not None:
                hours[row.hour] = row.trips
        if rows[0].is_current:
            return hours


def _make_map(rows: Sequence[Row[Any]], question: FlowQuestion) -> FlowMap:
    flows = tuple(
        Flow(format_geohash(row.origin, question.precision), format_geohash(row.destination, question.precision), row.trips)
        for row in rows
        if row.kind == "flow"
    )
    return FlowMap(
        tuple(_make_location(row, question) for row in rows if row.kind == "location"),
        flows,
        trips=next(row.trips for row in rows if row.kind == "all"),
        shown_trips=sum(flow.trips for flow in flows),
        precision=question.precision,
    )


def _make_location(row: Row[Any], question: FlowQuestion) -> FlowLocation:
    longitude, latitude = cell_middle(row.origin, question.cell_shift)
    return FlowLocation(
        format_geohash(row.origin, question.precision), longitude, latitude, row.in_trips, row.out_trips, row.internal_trips
    )


def _parameters(connection: Connection, question: FlowQuestion) -> dict[str, object] | None:
    """The filters as the queries take them; None when no trip can pass them."""
    names = {"region": question.region, "datasource": question.datasource}
    filters = fetch_filters(connection, **names, needs_hours=question.hours is not None)
    area = question.box.area() if question.box else None
    if filters.first_at is None or (area and area.is_empty):
        return None
    bounds = area.bounds() if area and area != WHOLE_WORLD else None
    hour_from, hour_to = question.hours or (None, None)
    return {
        "region_id": filters.region_id,
        "datasource_id": filters.datasource_id,
        "loose_loads": filters.loose_loads,
        "origin_area": None if question.end == "destination" else bounds,
        "destination_area": None if question.end == "origin" else bounds,
        "is_either": question.end == "either",
        "cell_shift": question.cell_shift,
        "hour_from": hour_from,
        "hour_to": hour_to,
    }


def _validate(value: int, limits: tuple[int, int], parameter: str) -> None:
    if not limits[0] <= value <= limits[1]:
        raise RequestError(f"{parameter} lies between {limits[0]} and {limits[1]}, not {value}.", parameter=parameter)
