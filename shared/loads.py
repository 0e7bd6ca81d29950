"""Loads as everybody sees them: request, look up, list, their rejects; cancel, undo, retry. The loader does the rest.

State changes are one transaction with their event. What a cancelled or undone load had loaded is removed afterwards by the
loader; until then the load has needs_cleaning.
"""

import logging
from collections.abc import Mapping
from typing import Any

import dramatiq
from sqlalchemy import Connection, Engine

from shared.events import record_event
from shared.platform.errors import ConflictError, NotFoundError, TransientError
from shared.services.database import execute, transaction
from shared.services.objects import StoredObject
from shared.services.queueing import CLEAN_ACTOR, HANDOVER_ACTOR, PLAN_ACTOR, PUBLISH_ACTOR, enqueue

LOG = logging.getLogger(__name__)

Load = dict[str, Any]

_FIELDS = (
    "load_id",
    "state",
    "last_seq",
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
    "question",
    "notes",
    "requested_at",
    "started_at",
    "finished_at",
    "needs_cleaning",
    "plan",
)

# Of a plan, what only workers need: the footer of a Parquet file, which may take megabytes.
_INTERNAL = ("footer", "options")


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


def enqueue_load(broker: dramatiq.Broker, load_id: int, *, actor: str = PLAN_ACTOR) -> None:
    """Send a message for a load. While Redis is away none is sent; the reconciler finds the load in the database."""
    try:
        enqueue(broker, actor, load_id=load_id)
    except TransientError as error:
        LOG.warning("a load waits for the reconciler", extra={"load_id": load_id, "reason": error.message})


def cancel_load(engine: Engine, broker: dramatiq.Broker, load_id: int) -> Load:
    """Stop a load that has not ended; what it loaded is removed.

    Raises: NotFoundError, ConflictError when it has ended.
    """
    with transaction(engine) as connection:
        facts = {"state": "cancelled", "error_code": None, "error_message": None, "duplicate_of": None}
        if execute(connection, "end_load", load_id=load_id, **facts).first() is None:
            raise _refuse(connection, load_id, "can't be cancelled")
        record_event(connection, load_id, "cancelled")
    enqueue_load(broker, load_id, actor=CLEAN_ACTOR)
    return fetch_load(engine, load_id)


def undo_load(engine: Engine, broker: dramatiq.Broker, load_id: int) -> Load:
    """Take a succeeded load back, or a failed one that left rows: its trips, rollups and publication are removed.

    Raises: NotFoundError, ConflictError when there is nothing to take back.
    """
    with transaction(engine) as connection:
        if execute(connection, "undo_load", load_id=load_id).first() is None:
            raise _refuse(connection, load_id, "has nothing to undo")
        is_published = execute(connection, "withdraw_publication", load_id=load_id).first() is not None
        is_handed_over = execute(connection, "undo_handovers", load_id=load_id).first() is not None
        record_event(connection, load_id, "undone")
    enqueue_load(broker, load_id, actor=CLEAN_ACTOR)
    if is_published:
        enqueue_load(broker, load_id, actor=PUBLISH_ACTOR)
    if is_handed_over:
        enqueue_load(broker, load_id, actor=HANDOVER_ACTOR)
    return fetch_load(engine, load_id)


def retry_load(engine: Engine, broker: dramatiq.Broker, load_id: int, *, options: dict[str, Any] | None = None) -> Load:
    """Go on with a load that failed where it stood; begin a cancelled, undone or wholly failed one anew.

    options: those that answer what the load asked, beside those that it has; it then begins anew.
    Raises: NotFoundError, ConflictError when it runs, has succeeded, is still being cleaned, or another load has its file.
    """
    try:
        with transaction(engine) as connection:
            load = execute(connection, "lock_load", load_id=load_id).mappings().one_or_none()
            if load is None or load["needs_cleaning"] or not _restart(connection, dict(load), options):
                raise _refuse(connection, load_id, "can't be retried")
            record_event(connection, load_id, "retried")
    except ConflictError as error:
        if error.facts.get("constraint") != "load_by_content":
            raise
        raise ConflictError(f"The file of load {load_id} has been loaded by another load meanwhile.", load_id=load_id) from error
    enqueue_load(broker, load_id)
    return fetch_load(engine, load_id)


def _restart(connection: Connection, load: Mapping[str, Any], options: dict[str, Any] | None) -> bool:
    load_id = load["load_id"]
    if options and load["rows_loaded"]:
        raise ConflictError(f"Load {load_id} has loaded rows; undo it before it is read in another way.", load_id=load_id)
    if not options and execute(connection, "revive_batches", load_id=load_id).all():
        return execute(connection, "resume_load", load_id=load_id).first() is not None
    completed = _complete(load["options"], options) if options else None
    if execute(connection, "restart_load", load_id=load_id, options=completed).first() is None:
        return False
    execute(connection, "delete_rejects", load_id=load_id)
    execute(connection, "delete_batches", load_id=load_id)
    return True


def _complete(before: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    return {**before, **options, "roles": {**before.get("roles", {}), **options.get("roles", {})}}


def _refuse(connection: Connection, load_id: int, what: str) -> NotFoundError | ConflictError:
    load = execute(connection, "fetch_load", load_id=load_id).mappings().one_or_none()
    if load is None:
        return NotFoundError(f"There is no load {load_id}.", load_id=load_id)
    if load["needs_cleaning"] and load["state"] != "succeeded":
        return ConflictError(f"Load {load_id} is {load['state']} and its rows are still being removed; try again in a moment.")
    if load["object_state"] != "kept":
        return ConflictError(f"The file of load {load_id} has been deleted since; upload it again.", load_id=load_id)
    return ConflictError(f"Load {load_id} is {load['state']} and {what}.", load_id=load_id, state=load["state"])


def fetch_load(engine: Engine, load_id: int) -> Load:
    """One load with its rejects per reason and its odd trips per kind. Raises: NotFoundError."""
    with transaction(engine) as connection:
        row = execute(connection, "fetch_load", load_id=load_id).mappings().one_or_none()
        if row is None:
            raise NotFoundError(f"There is no load {load_id}.", load_id=load_id)
        rejects = {found.reason: found.rows for found in execute(connection, "count_rejects_by_reason", load_id=load_id)}
        warnings = {found.warning: found.rows for found in execute(connection, "count_warnings", load_id=load_id)}
        return {**_make_load(dict(row)), "rejects": rejects, "warnings": warnings}


def list_loads(engine: Engine, *, before: int | None = None, limit: int = 50, state: str | None = None) -> list[Load]:
    """Loads, newest first; before is the key to page on."""
    with transaction(engine) as connection:
        rows = execute(connection, "list_loads", before=before, limit=limit, state=state).mappings()
        return [_make_load(dict(row)) for row in rows]


def list_rejects(
    engine: Engine, load_id: int, *, after: int = 0, limit: int = 100, reason: str | None = None
) -> list[dict[str, Any]]:
    """Rejects in file order, as far as the database keeps them; after is the record number to page on.

    Shape: line, record, column, reason, value, raw. line and record count from 1 in the whole file.
    """
    with transaction(engine) as connection:
        rows = execute(connection, "list_rejects", load_id=load_id, after=after, limit=limit, reason=reason).mappings()
        return [dict(row) for row in rows]


def has_unlisted_rejects(engine: Engine, load_id: int, *, reason: str | None = None) -> bool:
    """Whether a load has more rejects than the database keeps; the object store has all of them."""
    with transaction(engine) as connection:
        return bool(execute(connection, "has_unlisted_rejects", load_id=load_id, reason=reason).scalar_one())


def _make_load(row: dict[str, Any]) -> Load:
    load = {name: row[name] for name in _FIELDS}
    if load["plan"]:
        load["plan"] = {name: value for name, value in load["plan"].items() if name not in _INTERNAL}
    for name in ("requested_at", "started_at", "finished_at"):
        load[name] = load[name].isoformat() if load[name] else None
    load["notes"] = [*load["notes"], *(load["plan"] or {}).get("notes", ())]  # how it ended, then how it was read
    return load
