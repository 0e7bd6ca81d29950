"""What the questions about trips take: one model an endpoint."""

from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr
from sqlalchemy import Connection

from loader.hub.api.params import FORMAT, Params, TableFormat
from shared.areas.named_area import find_area
from shared.areas.shape import MAX_VERTICES, parse_shape
from shared.domain.area import Area, parse_bbox
from shared.domain.clock import WEEKDAYS, parse_weekdays
from shared.domain.trip_end import End
from shared.groups.detail_question import MAX_SAMPLES
from shared.groups.question import MAX_LIMIT, MAX_PRECISION
from shared.platform.errors import RequestError
from shared.questions.analyst_sql import MAX_CHARACTERS
from shared.questions.histograms import By
from shared.questions.weekly import WeeklyQuestion


def _parse_day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_parse_day)]
MapFormat = Literal["json", "csv", "parquet", "arrow", "geojson"]
_BBOX: Final[Any] = Field(
    None, description="Box: west,south,east,north in degrees, edges included.", examples=["7.5,45.0,7.7,45.1"]
)
_END: Final[Any] = Field("origin", description="Which end must lie in the area.")
_AFTER: Final[Any] = Field(None, max_length=500, description="Where the page begins: as in the next of the page before it.")


class ShapeBody(Params):
    """An area of any shape."""

    shape: dict[str, Any] = Field(
        description="GeoJSON in WGS 84: a Polygon or MultiPolygon, a Feature of such, or a FeatureCollection of such features; "
        f"{MAX_VERTICES:,} vertices at most. Edges are included, rings in rings are holes (even-odd).",
        examples=[{"type": "Polygon", "coordinates": [[[7.6, 45.0], [7.7, 45.0], [7.65, 45.1], [7.6, 45.0]]]}],
    )


class AreaParams(Params):
    """Filters that every question about trips takes."""

    hour_from: int = Field(0, ge=0, le=24, description="Trips that start at this hour or later.")
    hour_to: int = Field(24, ge=0, le=24, description="Trips that start before this hour; less than hour_from passes midnight.")
    weekdays: str | None = Field(
        None, description="Trips that start on these days: 1 (Monday) to 7 as in 1-5 or 6,7, weekday, weekend.", examples=["1-5"]
    )
    region: str | None = Field(None, description="Trips of this region only.")
    datasource: str | None = Field(None, description="Trips of this datasource only.")
    bbox: str | None = _BBOX
    area_name: str | None = Field(
        None,
        alias="area",
        max_length=1_000,
        description="Named area or zone: its id, its name or key, or SET/NAME.",
        examples=["42"],
    )
    end: End = _END

    _shape: Area | None = PrivateAttr(None)

    def within(self, body: "ShapeBody") -> Self:
        """The same parameters with the area of a body. Raises: RequestError."""
        for name, given in (("bbox", self.bbox), ("area", self.area_name)):
            if given is not None:
                raise RequestError(f"Give either {name} or a shape, not both.", parameter=name)
        return self._take(parse_shape(body.shape))

    def within_named(self, connection: Connection) -> Self:
        """The same parameters with the shape of the named area. Raises: NotFoundError, RequestError."""
        if self.area_name is None:
            return self
        if self.bbox is not None:
            raise RequestError("Give either bbox or area, not both.", parameter="area")
        return self._take(find_area(connection, self.area_name))

    def _take(self, shape: Area) -> Self:
        params = self.model_copy()
        params._shape = shape
        return params

    @property
    def area(self) -> Area | None:
        """The box or shape; a named area must have been read. Raises: RequestError."""
        return parse_bbox(self.bbox) if self.bbox is not None else self._shape

    def filters(self) -> dict[str, Any]:
        """The filters as the questions of shared take them. Raises: RequestError."""
        return {
            "region": self.region,
            "datasource": self.datasource,
            "area": self.area,
            "end": self.end,
            "hour_from": self.hour_from,
            "hour_to": self.hour_to,
            "weekdays": parse_weekdays(self.weekdays) if self.weekdays is not None else WEEKDAYS,
        }


class PeriodParams(AreaParams):
    """The same with a period."""

    from_on: Day | None = Field(None, alias="from", description="First day of the period, included.")
    to_on: Day | None = Field(None, alias="to", description="Last day of the period, included.")

    def weekly_question(self) -> WeeklyQuestion:
        """The question. Raises: RequestError."""
        return WeeklyQuestion(**self.filters(), from_on=self.from_on, to_on=self.to_on)


class WeeklyParams(PeriodParams):
    """Which weekly average."""

    compare_from: Day | None = Field(None, description="First day of another period to compare with, included.")
    compare_to: Day | None = Field(None, description="Last day of that period, included.")
    format: TableFormat | None = FORMAT


class HistogramParams(PeriodParams):
    """Which trips to count, per what."""

    by: By = Field("hour", description="What a bar stands for: an hour of the day, a weekday, or a range of durations.")
    format: TableFormat | None = FORMAT


class HoursParams(AreaParams):
    """Which trips to count per hour; their own hours don't filter."""

    format: TableFormat | None = FORMAT


class FlowsParams(AreaParams):
    """Which flows."""

    viewport: str | None = Field(None, description="Only flows that touch this box (west,south,east,north), whole.")
    precision: int | None = Field(None, ge=1, le=MAX_PRECISION, description="Size of a cell, geohash characters.")
    limit: int = Field(500, ge=1, le=MAX_LIMIT, description="Flows at most, largest first.")
    after: str | None = _AFTER
    format: MapFormat | None = FORMAT


class GroupsParams(AreaParams):
    """Which trip groups."""

    precision: int | None = Field(None, ge=1, le=MAX_PRECISION, description="Size of a cell, geohash characters.")
    bucket_minutes: int | None = Field(None, ge=1, le=1440, description="Length of the time of day, a divisor of 1440.")
    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="Groups at most, largest first.")
    after: str | None = _AFTER
    format: MapFormat | None = FORMAT


class GroupParams(AreaParams):
    """Which trip group."""

    origin_cell: str = Field(description="Geohash of the cell where the trips begin.", examples=["u0j2w1"])
    destination_cell: str = Field(description="Geohash of the cell where they end.", examples=["u0j2w2"])
    bucket_minute: int | None = Field(None, ge=0, lt=1440, description="First minute of the time of day; without it, all day.")
    bucket_minutes: int | None = Field(None, ge=1, le=1440, description="Length of the time of day, a divisor of 1440.")
    samples: int = Field(20, ge=1, le=MAX_SAMPLES, description="Trips to show, newest first.")
    format: MapFormat | None = FORMAT


class QuestionParams(Params):
    """A ready question; its own parameters come beside these."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="The question's name.")
    format: TableFormat | None = FORMAT


class SqlBody(Params):
    """An analyst's own question."""

    sql: str = Field(min_length=1, max_length=MAX_CHARACTERS, description="One SELECT over the views that analysts read.")
    limit: int | None = Field(None, ge=1, description="Rows at most; TRIPDECK_SQL_ROW_LIMIT at most and without it.")
