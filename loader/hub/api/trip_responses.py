"""What the questions about trips answer, for the OpenAPI document."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from loader.hub.api.responses import Response
from shared.questions.histograms import By

# The clock on the wall at the trip: without a zone, hence no date-time of RFC 3339.
WallClock = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$", description="Local wall clock at the trip, without zone.")
]


_NAME = "The largest place in the cell, or the nearest one with distance and bearing, as GeoNames calls it."


class WeekResponse(Response):
    """An ISO week, named by its Monday."""

    week: date
    trips: int
    is_partial: bool


class WeeklyCounts(Response):
    """Trips per week of a period."""

    weeks: list[WeekResponse]
    trips: int
    weeks_counted: int
    weekly_average: float | None
    weeks_with_trips: int
    average_over_weeks_with_trips: float | None
    from_on: date | None
    to_on: date | None


class WeeklyComparisonResponse(Response):
    """The other period, and how the weekly averages differ: those of the requested period minus, and divided by, the other's."""

    other: WeeklyCounts
    difference: float | None
    ratio: float | None


class WeeklyAverageResponse(WeeklyCounts):
    """Trips per week and their average."""

    comparison: WeeklyComparisonResponse | None = Field(description="With compare_from or compare_to only.")
    precision: str | None = Field(description="Says that the box is smaller than a zone whose trips lie at one point.")


class BinResponse(Response):
    """A bar. bin: the hour, the ISO weekday, or the first minute of its durations."""

    bin: int
    label: str
    trips: int


class HistogramResponse(Response):
    """Trips per hour, weekday or duration, empty bars too."""

    by: By
    bins: list[BinResponse]
    trips: int
    unknown_trips: int = Field(description="Those whose duration no file tells.")


class GroupResponse(Response):
    """A trip group."""

    region: str
    origin_cell: str
    origin_name: str = Field(description=_NAME)
    destination_cell: str
    destination_name: str = Field(description=_NAME)
    bucket_minute: int = Field(description="Start of the time of day, minutes after midnight.")
    trips: int
    origin_longitude: float
    origin_latitude: float
    destination_longitude: float
    destination_latitude: float
    first_on: date
    last_on: date
    datasources: list[str]


class GroupsResponse(Response):
    """Trip groups, largest first."""

    groups: list[GroupResponse]
    next: str | None = Field(description="Path of the next page.")

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Columns of the groups as a table."""
        return tuple(GroupResponse.model_fields)


class LocationResponse(Response):
    """A cell on the map."""

    id: str
    name: str = Field(description=_NAME)
    longitude: float
    latitude: float
    in_trips: int
    out_trips: int
    internal_trips: int


class FlowResponse(Response):
    """Trips from one cell to another."""

    origin: str
    destination: str
    trips: int


class FlowsResponse(Response):
    """The largest flows and the cells they join."""

    locations: list[LocationResponse]
    flows: list[FlowResponse]
    trips: int
    shown_trips: int
    precision: int
    next: str | None = Field(description="Path of the next page.")


class SampleTripResponse(Response):
    """A trip."""

    started_at: WallClock
    region: str
    datasource: str
    origin_longitude: float
    origin_latitude: float
    destination_longitude: float
    destination_latitude: float
    duration_s: int | None
    load_id: int


class WeekTripsResponse(Response):
    """An ISO week, named by its Monday."""

    week: date
    trips: int


class GroupDetailResponse(Response):
    """One trip group; hours count all trips between its two cells, whatever its time of day."""

    trips: int
    weeks: list[WeekTripsResponse]
    hours: Annotated[list[int], Field(min_length=24, max_length=24)] | None = Field(
        description="Null where small counts are hidden."
    )
    samples: list[SampleTripResponse]


class HoursResponse(Response):
    """Trips per hour of the day, 24 numbers."""

    hours: list[int] = Field(min_length=24, max_length=24)


class NamedCount(Response):
    """A region or datasource."""

    name: str
    trips: int
    first_at: WallClock
    last_at: WallClock


class RegionsResponse(Response):
    """Regions, most trips first."""

    regions: list[NamedCount]


class DatasourcesResponse(Response):
    """Datasources, most trips first."""

    datasources: list[NamedCount]


class QuestionResponse(Response):
    """A ready question."""

    name: str
    title: str
    sql: str
    parameters: dict[str, str] = Field(description="Name → default.")


class QuestionsResponse(Response):
    """The ready questions."""

    questions: list[QuestionResponse]


class SqlResponse(Response):
    """Columns and rows of an answer in SQL."""

    columns: list[str]
    rows: list[list[Any]]
    is_truncated: bool = Field(description="Whether the answer has more rows than the limit, or more than 16 MiB.")


class ResultResponse(Response):
    """Columns and rows."""

    columns: list[str]
    rows: list[list[Any]]
