"""Responses of each call, for the OpenAPI document; tests compare real responses with it (questions: trip_responses.py)."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from loader.hub.api.params import State


class Response(BaseModel):
    """An answer; nothing else comes in it."""

    model_config = ConfigDict(extra="forbid", title=None)


class ChoiceResponse(Response):
    """One answer to a question that a file leaves open."""

    label: str
    options: dict[str, Any] = Field(description="Options that say so.")


class QuestionResponse(Response):
    """What a file leaves open."""

    parameter: str = Field(description="The option that answers it.")
    choices: list[ChoiceResponse] | None = Field(default=None, description="Answers, where they are few.")
    columns: list[str] | None = Field(default=None, description="The file's columns, where the question is about them.")
    statement: str | None = Field(default=None, description="What is open, without the words of a command line.")
    roles: dict[str, int] | None = Field(default=None, description="Index of the column of each role that is known.")


class ProblemResponse(Response):
    """An error, as a problem of RFC 9457: what happened and what to do."""

    type: str = Field(description="urn:tripdeck:problem: and the code.")
    title: str = Field(description="The kind of problem, for people.")
    status: int
    detail: str = Field(description="What happened and what to do, for people.")
    code: str = Field(description="The kind of problem, for programs; doesn't change.")
    parameter: str | None = Field(default=None, description="What to change.")
    choices: list[ChoiceResponse] | None = Field(default=None, description="Answers to the question that a file leaves open.")
    columns: list[str] | None = Field(default=None, description="The file's columns, where the question is about them.")
    statement: str | None = Field(default=None, description="What is open, without the words of a command line.")
    roles: dict[str, int] | None = Field(default=None, description="Index of the column of each role that is known.")


class LoadSnapshot(Response):
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
    notes: list[str] = Field(description="What a person should know of how it was read and how it ended.")
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class LoadEvent(LoadSnapshot):
    """A message of the feed."""

    position: int = Field(description="Without gaps over all loads.")
    seq: int = Field(description="Without gaps per load.")
    kind: str
    at: datetime


class FeedSnapshot(Response):
    """The feed's message where history is gone or was not requested: the newest event of each load in it."""

    kind: str = "snapshot"
    position: int
    loads: list[LoadEvent]


class LoadResponse(LoadSnapshot):
    """A load."""

    last_seq: int = Field(description="Its newest event.")
    options: dict[str, Any] = Field(description="Options of the request.")
    needs_cleaning: bool = Field(description="Ended, but its rows are still being removed or tidied up.")
    plan: dict[str, Any] | None = Field(description="How the file is read, once that is known.")
    question: QuestionResponse | None = Field(description="What a failed load asks; retry it with the options of a choice.")


class LoadDetailResponse(LoadResponse):
    """A load with its rejects per reason and its odd trips per kind."""

    rejects: dict[str, int]
    warnings: dict[str, int] = Field(description="Trips that were loaded although something is odd about them.")


class LoadsResponse(Response):
    """A page of loads."""

    loads: list[LoadResponse]
    next: str | None = Field(description="Path of the next page.")


class RejectResponse(Response):
    """A row that could not become a trip."""

    line: int
    record: int
    column: str | None
    reason: str
    value: str | None
    raw: str


class RejectsResponse(Response):
    """A page of rejects."""

    rejects: list[RejectResponse]
    next: str | None = Field(description="Path of the next page.")
    is_truncated: bool = Field(description="Whether there are more that no page lists; as CSV or as rows all of them come.")


class HandoverResponse(Response):
    """A published load on its way into an engine, or out of it."""

    engine: str
    state: Literal["queued", "running", "succeeded", "failed", "undo_queued", "undoing", "undone"]
    task_id: str | None = Field(description="The engine's task.")
    specification: dict[str, Any] | None = Field(description="What of the load it was made of, and the task as it was sent.")
    rows_counted: int | None = Field(description="Rows of the load that the engine counts.")
    error_code: str | None
    error_message: str | None
    requested_at: datetime
    finished_at: datetime | None


class PublicationResponse(Response):
    """A load's trips as files in the object store."""

    load_id: int
    state: Literal["queued", "publishing", "published", "failed", "withdrawing", "withdrawn"]
    folder: str = Field(description="Where the files are; its manifest.json says which.")
    rows_written: int
    files: int
    bytes: int
    error_code: str | None
    error_message: str | None
    requested_at: datetime
    finished_at: datetime | None
    handovers: list[HandoverResponse] = Field(description="Its way into engines.")


class NewWebhookResponse(Response):
    """A webhook as it was registered."""

    webhook_id: int
    url: str
    states: list[str] = Field(description="Ends of loads that it hears of.")
    secret: str = Field(description="Key of its signatures (Standard Webhooks). It is not shown again.")
    created_at: datetime


class WebhookResponse(Response):
    """A webhook with the deliveries of the last 30 days."""

    webhook_id: int
    url: str
    states: list[str]
    created_at: datetime
    pending: int = Field(description="Messages that are to be sent.")
    failed: int = Field(description="Messages that were given up.")
    delivered: int
    delivered_at: datetime | None = Field(description="When the last message arrived.")


class WebhooksResponse(Response):
    """Registered webhooks, oldest first."""

    webhooks: list[WebhookResponse]


class DeliveryResponse(Response):
    """A message to a webhook."""

    delivery_id: int
    message_id: str = Field(description="Its header webhook-id, the same at every attempt.")
    webhook_id: int
    type: str = Field(description="load.succeeded, load.failed, load.cancelled, load.undone or test.")
    load_id: int | None
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    status: int | None = Field(description="Status of the last answer; null when none came.")
    error_message: str | None
    created_at: datetime
    due_at: datetime | None = Field(description="When it is tried next.")
    finished_at: datetime | None


class DeliveriesResponse(Response):
    """A page of deliveries, newest first."""

    deliveries: list[DeliveryResponse]
    next: str | None = Field(description="Path of the next page.")


class WebhookMessage(Response):
    """The body of a message to a webhook."""

    type: str = Field(description="load.succeeded, load.failed, load.cancelled or load.undone; test for a test message.")
    timestamp: datetime = Field(description="When the load ended.")
    data: LoadEvent = Field(description="The event as the feed has it. Of a test message: webhook_id and at.")


class UploadedPartResponse(Response):
    """A part that the store has."""

    part_number: int
    bytes: int


class UploadResponse(Response):
    """An upload; part n holds the bytes from (n - 1) * part_bytes."""

    upload_id: UUID
    file_name: str
    bytes: int
    part_bytes: int
    part_count: int
    parts_done: list[UploadedPartResponse]
    load_id: int | None
    created_at: datetime


class SignedPart(Response):
    """Where to PUT a part."""

    part_number: int
    url: str


class PartsResponse(Response):
    """Signed URLs, good for an hour."""

    parts: list[SignedPart]


class RoleResponse(Response):
    """What a column is taken for."""

    role: str
    column: str
    number: int = Field(description="The column's number from 1.")
    confidence: float = Field(description="From 0 to 1; 1 for what was given.")


class ReadingResponse(Response):
    """Options remembered for files of the same kind, as far as they apply here."""

    header_hash: str = Field(description="To forget it: DELETE /api/v1/readings/{header_hash}.")
    load_id: int = Field(description="The load that they were given for.")
    given_at: datetime
    options: dict[str, Any]


class InspectResponse(Response):
    """What the loader makes of a file's first bytes."""

    plan: dict[str, Any] = Field(description="Format, columns, roles, time format.")
    roles: list[RoleResponse]
    clock: str = Field(description="as_written, or converted to the time zone.")
    timezone: str | None = Field(description="The zone that start times are converted to; null where they are kept as written.")
    rows_read: int = Field(description="Rows that were looked at.")
    rows_rejected: int
    reasons: dict[str, int] = Field(description="Rejects per reason.")
    warnings: dict[str, int] = Field(description="Odd rows that would be loaded, per kind.")
    trips: list[dict[str, Any]] = Field(description="The first good rows as they would be stored.")
    rejects: list[RejectResponse] = Field(description="The first rows that can't be loaded.")
    suggested_region: str | None = Field(description="The large city where most of these trips begin.")
    suggested_timezone: str | None
    notes: list[str] = Field(description="What a person may want to know before loading.")
    as_last_time: ReadingResponse | None
    wanted: list[tuple[int, int]] = Field(
        description="Offset and bytes of the parts of a large Parquet file to send besides, to see its first rows."
    )


class ServiceState(Response):
    """One thing the hub needs."""

    is_ready: bool
    reason: str | None


class ReadyResponse(Response):
    """What the hub needs to serve."""

    is_ready: bool
    services: dict[str, ServiceState]


class HealthResponse(Response):
    """The process is alive."""

    status: str
    version: str


class SourceResponse(Response):
    """An address that trip files are read from."""

    source_id: int
    address: str
    options: dict[str, Any] = Field(description="How its files are read.")
    on_drift: Literal["load", "refuse", "ask"]
    is_watched: bool = Field(description="Whether it is listed again and again; false: once.")
    state: Literal["active", "paused", "ended"]
    interval_s: int
    due_at: datetime = Field(description="When it is listed next, while it is active.")
    listed_at: datetime | None = Field(description="When it was listed to its end last.")
    created_at: datetime
    error_code: str | None
    error_message: str | None = Field(description="Why the last listing failed.")
    objects_found: int = Field(description="Objects that are to be read.")
    objects_loaded: int = Field(description="Objects whose load was requested.")
    objects_failed: int
    objects_waiting: int = Field(description="Objects that wait for a person, because their columns have changed.")
    objects_refused: int = Field(description="Objects that were refused, because their columns have changed.")
    loads_failed: int = Field(description="Loads of its objects that failed, those with a question included.")


class SourcesResponse(Response):
    """All sources."""

    sources: list[SourceResponse]


class SourceObjectResponse(Response):
    """One version of an object of a source."""

    source_object_id: int
    source_id: int
    key: str
    etag: str = Field(description="Of an object store or a web server; of a web server without one, date and size.")
    bytes: int | None
    state: Literal["found", "loaded", "failed", "waiting", "refused", "changed"]
    has_drifted: bool = Field(description="Whether its columns were none that the source had had.")
    load_id: int | None
    load_state: State | None
    error_code: str | None
    error_message: str | None
    attempts: int
    found_at: datetime


class SourceObjectsResponse(Response):
    """A page of a source's objects."""

    objects: list[SourceObjectResponse]
    next: str | None = Field(description="Path of the next page.")
