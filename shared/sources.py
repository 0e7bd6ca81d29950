"""Sources as everybody sees them: add one, list them and their objects, pause, run, retry, remove. Workers read them.

A source is an address that trip files are read from: once, or again and again. Each version of an object (key and ETag) is a row
that is read once; its load is like any other. What fails waits for a person.
"""

import logging
from typing import Any, Final, Literal

import dramatiq
from sqlalchemy import Engine

from shared.platform.errors import ConflictError, NotFoundError, TransientError
from shared.platform.settings import Settings
from shared.platform.source_address import parse_address
from shared.services.database import execute, transaction
from shared.services.queueing import SOURCE_ACTOR, enqueue
from shared.services.web_files import check_allowed

LOG = logging.getLogger(__name__)

Source = dict[str, Any]
OnDrift = Literal["load", "refuse", "ask"]

_FIELDS: Final = (
    *("source_id", "address", "options", "on_drift", "is_watched", "state", "interval_s", "due_at", "listed_at", "created_at"),
    *("error_code", "error_message", "objects_found", "objects_loaded", "objects_failed", "objects_waiting", "objects_refused"),
    "loads_failed",
)
_OBJECT_FIELDS: Final = (
    *("source_object_id", "source_id", "key", "etag", "bytes", "state", "has_drifted", "load_id", "load_state", "error_code"),
    *("error_message", "attempts", "found_at"),
)


def add_source(
    engine: Engine,
    broker: dramatiq.Broker,
    address: str,
    *,
    options: dict[str, Any],
    on_drift: OnDrift,
    is_watched: bool,
    interval_s: int,
    settings: Settings,
) -> Source:
    """Add a source; a worker lists it at once. Raises: RequestError for an address that may not be read."""
    parsed = parse_address(address)
    check_allowed(parsed, settings)
    with transaction(engine) as connection:
        source_id = execute(
            connection,
            "insert_source",
            address=str(parsed),
            options=options,
            on_drift=on_drift,
            is_watched=is_watched,
            interval_s=interval_s,
        ).scalar_one()
    enqueue_source(broker, source_id)
    return fetch_source(engine, source_id)


def enqueue_source(broker: dramatiq.Broker, source_id: int) -> None:
    """Send a message for a source. While Redis is away none is sent; the reconciler finds the source in the database."""
    try:
        enqueue(broker, SOURCE_ACTOR, source_id=source_id)
    except TransientError as error:
        LOG.warning("a source waits for the reconciler", extra={"source_id": source_id, "reason": error.message})


def list_sources(engine: Engine) -> list[Source]:
    """Sources, newest first, with the number of their objects by state."""
    with transaction(engine) as connection:
        return [_make(row, _FIELDS) for row in execute(connection, "list_sources", source_id=None).mappings()]


def fetch_source(engine: Engine, source_id: int) -> Source:
    """One source. Raises: NotFoundError."""
    with transaction(engine) as connection:
        row = execute(connection, "list_sources", source_id=source_id).mappings().one_or_none()
    if row is None:
        raise _missing(source_id)
    return _make(row, _FIELDS)


def list_source_objects(
    engine: Engine, source_id: int, *, after: int = 0, limit: int = 100, state: str | None = None
) -> list[dict[str, Any]]:
    """Objects of a source in the order they were found; after is the id to page on. Raises: NotFoundError."""
    fetch_source(engine, source_id)
    with transaction(engine) as connection:
        rows = execute(connection, "list_source_objects", source_id=source_id, after=after, limit=limit, state=state).mappings()
        found = [dict(row) for row in rows]
    for row in found:
        row["error_message"] = row["error_message"] or row["load_error"]
    return [_make(row, _OBJECT_FIELDS) for row in found]


def pause_source(engine: Engine, source_id: int) -> Source:
    """Stop reading a source after the object at hand. Raises: NotFoundError, ConflictError when it has ended."""
    return _set_state(engine, source_id, "paused")


def resume_source(engine: Engine, broker: dramatiq.Broker, source_id: int) -> Source:
    """Go on with a paused source. Raises: as pause_source."""
    _set_state(engine, source_id, "active")
    enqueue_source(broker, source_id)
    return fetch_source(engine, source_id)


def run_source_now(engine: Engine, broker: dramatiq.Broker, source_id: int) -> Source:
    """List a source now instead of at its time. Raises: NotFoundError, ConflictError when it is not active."""
    with transaction(engine) as connection:
        is_active = execute(connection, "run_source", source_id=source_id).first() is not None
    source = fetch_source(engine, source_id)
    if not is_active:
        raise ConflictError(f"Source {source_id} is {source['state']}.", source_id=source_id, state=source["state"])
    enqueue_source(broker, source_id)
    return source


def retry_source(engine: Engine, broker: dramatiq.Broker, source_id: int, *, source_object_id: int | None = None) -> Source:
    """Read objects again that failed, wait or were refused (or one of them); a changed header is taken.

    Raises: NotFoundError, ConflictError when there is none.
    """
    with transaction(engine) as connection:
        found = execute(connection, "retry_source_objects", source_id=source_id, source_object_id=source_object_id).first()
        if found is not None:
            execute(connection, "reopen_source", source_id=source_id)
            execute(connection, "run_source", source_id=source_id)
    source = fetch_source(engine, source_id)
    if found is None:
        raise ConflictError(f"No object of source {source_id} waits for a decision.", source_id=source_id)
    enqueue_source(broker, source_id)
    return source


def remove_source(engine: Engine, source_id: int) -> None:
    """Forget a source and which objects it has had; their loads stay. Raises: NotFoundError."""
    with transaction(engine) as connection:
        if execute(connection, "delete_source", source_id=source_id).first() is None:
            raise _missing(source_id)


def _set_state(engine: Engine, source_id: int, state: str) -> Source:
    with transaction(engine) as connection:
        is_set = execute(connection, "set_source_state", source_id=source_id, state=state).first() is not None
    source = fetch_source(engine, source_id)
    if not is_set:
        raise ConflictError(f"Source {source_id} has ended.", source_id=source_id, state=source["state"])
    return source


def _make(row: Any, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401 - a mapping of SQLAlchemy's, or a dictionary
    return {name: value.isoformat() if hasattr(value := row[name], "isoformat") else value for name in names}


def _missing(source_id: int) -> NotFoundError:
    return NotFoundError(f"There is no source {source_id}.", source_id=source_id)
