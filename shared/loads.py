"""Loads as everybody sees them: request, look up, list, their rejects. The loader moves them through their states."""

import logging
from typing import Any

import dramatiq
from sqlalchemy import Connection, Engine

from shared.database import execute, transaction
from shared.errors import NotFoundError, TransientError
from shared.events import record_event
from shared.objects import StoredObject
from shared.queueing import PLAN_ACTOR, enqueue

LOG = logging.getLogger(__name__)

Load = dict[str, Any]

_FIELDS = (
    "load_id",
    "state",
    "file_name",
    "options",
    "rows_read",
    "rows_loaded",
    "rows_rejected",
    "bytes_read",
    "bytes_total",
    "batches_done",
    "batches_total",
    "duplicate_of",
    "error_code",
    "error_message",
    "requested_at",
    "started_at",
    "finished_at",
    "plan",
)


def insert_load(connection: Connection, stored: StoredObject, *, file_name: str, options: dict[str, Any]) -> int:
    """Write a queued load and its event in the caller's transaction; returns the load's id."""
    load_id: int = execute(
        connection,
        "insert_load",
        file_name=file_name,
        object_key=stored.key,
        object_etag=stored.etag,
        bytes_total=stored.bytes,
        options=options,
    ).scalar_one()
    record_event(connection, load_id, "queued")
    return load_id


def ring_for_load(broker: dramatiq.Broker, load_id: int) -> None:
    """Tell the workers of a queued load; when Redis is away the reconciler finds it in the database."""
    try:
        enqueue(broker, PLAN_ACTOR, load_id=load_id)
    except TransientError as error:
        LOG.warning("load is queued but nobody was told", extra={"load_id": load_id, "reason": error.message})


def fetch_load(engine: Engine, load_id: int) -> Load:
    """One load with its rejects per reason. Raises: NotFoundError."""
    with transaction(engine) as connection:
        row = execute(connection, "fetch_load", load_id=load_id).mappings().one_or_none()
        if row is None:
            raise NotFoundError(f"There is no load {load_id}.", load_id=load_id)
        reasons = execute(connection, "count_rejects_by_reason", load_id=load_id).mappings()
        return {**_make_load(dict(row)), "rejects": {reason["reason"]: reason["rows"] for reason in reasons}}


def list_loads(engine: Engine, *, before: int | None = None, limit: int = 50, state: str | None = None) -> list[Load]:
    """Loads, newest first; before is the key to page on."""
    with transaction(engine) as connection:
        rows = execute(connection, "list_loads", before=before, limit=limit, state=state).mappings()
        return [_make_load(dict(row)) for row in rows]


def list_rejects(
    engine: Engine, load_id: int, *, after: int = 0, limit: int = 100, reason: str | None = None
) -> list[dict[str, Any]]:
    """Rejects in file order; after is the record number to page on.

    Shape: line, record, column, reason, value, raw. line and record count from 1 in the whole file.
    """
    with transaction(engine) as connection:
        rows = execute(connection, "list_rejects", load_id=load_id, after=after, limit=limit, reason=reason).mappings()
        return [dict(row) for row in rows]


def _make_load(row: dict[str, Any]) -> Load:
    load = {name: row[name] for name in _FIELDS}
    for name in ("requested_at", "started_at", "finished_at"):
        load[name] = load[name].isoformat() if load[name] else None
    return load
