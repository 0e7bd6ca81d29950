"""What each call answers, for the OpenAPI document; tests hold real answers against it."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from loader.hub.asked import State

# The clock on the wall at the trip: without a zone, hence no date-time of RFC 3339.
WallClock = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$", description="Local wall clock at the trip, without zone.")
]


class Answer(BaseModel):
    """An answer; nothing else comes in it."""

    model_config = ConfigDict(extra="forbid", title=None)


class ErrorFacts(Answer):
    """What happened and what to do."""

    code: str = Field(description="For programs; doesn't change.")
    message: str = Field(description="For people.")
    parameter: str | None = Field(default=None, description="What to change.")


class ErrorAnswer(Answer):
    """An error."""

    error: ErrorFacts


class LoadSnapshot(Answer):
    """A load as events carry it."""

    load_id: int
    state: State
    file_name: str
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    bytes_read: int
    bytes_total: int
    batches_done: int
    batches_total: int | None = Field(description="Null until the load is planned.")
    duplicate_of: int | None = Field(description="The load that has these bytes already.")
    error_code: str | None
    error_message: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class LoadEvent(LoadSnapshot):
    """A message of the feed."""

    position: int = Field(description="Without gaps over all loads.")
    seq: int = Field(description="Without gaps per load.")
    kind: str
    at: datetime


class FeedSnapshot(Answer):
    """The feed's message where history is gone or was not asked for: the newest event of each load in it."""

    kind: str = "snapshot"
    position: int
    loads: list[LoadEvent]


class LoadAnswer(LoadSnapshot):
    """A load."""

    options: dict[str, Any] = Field(description="What was asked for.")
    needs_cleaning: bool = Field(description="Ended, but its rows are still being removed or tidied up.")
    plan: dict[str, Any] | None = Field(description="How the file is read, once that is known.")


class LoadDetailAnswer(LoadAnswer):
    """A load with its rejects per reason."""

    rejects: dict[str, int]


class LoadsAnswer(Answer):
    """A page of loads."""

    loads: list[LoadAnswer]
    next: str | None = Field(description="Path of the next page.")


class RejectAnswer(Answer):
    """A row that could not become a trip."""

    line: int
    record: int
    column: str | None
    reason: str
    value: str | None
    raw: str


class RejectsAnswer(Answer):
    """A page of rejects."""

    rejects: list[RejectAnswer]
    next: str | None = Field(description="Path of the next page.")


class UploadedPartAnswer(Answer):
    """A part that the store has."""

    part_number: int
    bytes: int


class UploadAnswer(Answer):
    """An upload; part n holds the bytes from (n - 1) * part_bytes."""

    upload_id: UUID
    file_name: str
    bytes: int
    part_bytes: int
    part_count: int
    parts_done: list[UploadedPartAnswer]
    load_id: int | None
    created_at: datetime


class SignedPart(Answer):
    """Where to PUT a part."""

    part_number: int
    url: str


class PartsAnswer(Answer):
    """Signed URLs, good for an hour."""

    parts: list[SignedPart]


class WeekAnswer(Answer):
    """An ISO week, named by its Monday."""

    week: date
    trips: int
    is_partial: bool


class WeeklyAverageAnswer(Answer):
    """Trips per week and their average."""

    weeks: list[WeekAnswer]
    trips: int
    weeks_counted: int
    weekly_average: float | None
    weeks_with_trips: int
    average_over_weeks_with_trips: float | None
    from_on: date | None
    to_on: date | None


class GroupAnswer(Answer):
    """A trip group."""

    region: str
    origin_cell: str
    destination_cell: str
    bucket_minute: int = Field(description="Start of the time of day, minutes after midnight.")
    trips: int
    origin_longitude: float
    origin_latitude: float
    destination_longitude: float
    destination_latitude: float
    first_at: WallClock
    last_at: WallClock
    datasources: list[str]


class GroupsAnswer(Answer):
    """Trip groups, largest first."""

    groups: list[GroupAnswer]

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Columns of the groups as a table."""
        return tuple(GroupAnswer.model_fields)


class LocationAnswer(Answer):
    """A cell on the map."""

    id: str
    longitude: float
    latitude: float
    in_trips: int
    out_trips: int
    internal_trips: int


class FlowAnswer(Answer):
    """Trips from one cell to another."""

    origin: str
    destination: str
    trips: int


class FlowsAnswer(Answer):
    """The largest flows and the cells they join."""

    locations: list[LocationAnswer]
    flows: list[FlowAnswer]
    trips: int
    shown_trips: int
    precision: int


class HoursAnswer(Answer):
    """Trips per hour of the day, 24 numbers."""

    hours: list[int] = Field(min_length=24, max_length=24)


class NamedCount(Answer):
    """A region or datasource."""

    name: str
    trips: int
    first_at: WallClock
    last_at: WallClock


class RegionsAnswer(Answer):
    """Regions, most trips first."""

    regions: list[NamedCount]


class DatasourcesAnswer(Answer):
    """Datasources, most trips first."""

    datasources: list[NamedCount]


class QuestionAnswer(Answer):
    """A ready question."""

    name: str
    title: str
    sql: str
    parameters: dict[str, str] = Field(description="Name → default.")


class QuestionsAnswer(Answer):
    """The ready questions."""

    questions: list[QuestionAnswer]


class ResultAnswer(Answer):
    """Columns and rows."""

    columns: list[str]
    rows: list[list[Any]]


class InspectAnswer(Answer):
    """What the loader makes of a file's first bytes."""

    plan: dict[str, Any] = Field(description="Format, columns, roles, time format.")
    rows_read: int
    trips: list[dict[str, Any]] = Field(description="The first good rows as they would be stored.")
    rejects: list[RejectAnswer] = Field(description="The first rows that can't be loaded.")
    rows_rejected: int


class ServiceState(Answer):
    """One thing the hub needs."""

    is_ready: bool
    reason: str | None


class ReadyAnswer(Answer):
    """What the hub needs to serve."""

    is_ready: bool
    services: dict[str, ServiceState]


class HealthAnswer(Answer):
    """The process is alive."""

    status: str
    version: str
