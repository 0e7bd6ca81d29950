"""Publications as everybody sees them: request one, look it up. The loader writes and removes the files.

A load that succeeded can be published as GeoParquet files in the object store, and be handed over to an engine from there.
Undoing the load takes both back.
"""

from typing import Any, Final

import dramatiq
from sqlalchemy import Connection, Engine

from shared.loads import enqueue_load
from shared.platform.errors import ConflictError, NotFoundError
from shared.platform.settings import Settings
from shared.services.database import execute, transaction
from shared.services.queueing import HANDOVER_ACTOR, PUBLISH_ACTOR

Publication = dict[str, Any]

_HANDOVER_FIELDS: Final = (
    "engine",
    "state",
    "task_id",
    "specification",
    "rows_counted",
    "error_code",
    "error_message",
    "requested_at",
    "finished_at",
)
_FIELDS: Final = ("load_id", "state", "rows_written", "error_code", "error_message", "requested_at", "finished_at")


def request_publication(engine: Engine, broker: dramatiq.Broker, load_id: int, *, settings: Settings) -> Publication:
    """Have a succeeded load published; one that is published, or on its way, stays as it is.

    A published load is handed over to the engine that is set, where it is not yet.

    Raises: NotFoundError, ConflictError when the load has not succeeded or its former publication is still being removed.
    """
    with transaction(engine) as connection:
        load = execute(connection, "lock_load", load_id=load_id).mappings().one_or_none()
        if load is None:
            raise NotFoundError(f"There is no load {load_id}.", load_id=load_id)
        if load["state"] != "succeeded":
            state = load["state"]
            raise ConflictError(f"Load {load_id} is {state} and can't be published.", load_id=load_id, state=state)
        is_new = execute(connection, "request_publication", load_id=load_id).first() is not None
        publication = _fetch(connection, load_id, settings)
        is_handed_over = publication["state"] == "published" and _request_handover(connection, load_id, settings)
        if is_handed_over:
            publication = _fetch(connection, load_id, settings)
        if publication["state"] == "withdrawing":
            message = f"The former publication of load {load_id} is still being removed; try again in a moment."
            raise ConflictError(message, load_id=load_id)
    if is_new:
        enqueue_load(broker, load_id, actor=PUBLISH_ACTOR)
    if is_handed_over:
        enqueue_load(broker, load_id, actor=HANDOVER_ACTOR)
    return publication


def fetch_publication(engine: Engine, load_id: int, *, settings: Settings) -> Publication:
    """A load's publication. Raises: NotFoundError."""
    with transaction(engine) as connection:
        return _fetch(connection, load_id, settings)


def name_folder(load_id: int, settings: Settings) -> str:
    """Key prefix of a load's files in the bucket, with a slash at its end."""
    return f"{settings.publish_prefix.strip('/')}/{load_id}/"


def _request_handover(connection: Connection, load_id: int, settings: Settings) -> bool:
    """Hand a published load over to the engine that is set; False where none is, or it is there or on its way."""
    engine = settings.publish_engine
    return engine != "none" and execute(connection, "request_handover", load_id=load_id, engine=engine).first() is not None


def _fetch(connection: Connection, load_id: int, settings: Settings) -> Publication:
    row = execute(connection, "fetch_publication", load_id=load_id).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"Load {load_id} has not been published.", load_id=load_id)
    files = (row["manifest"] or {}).get("files", [])
    publication: Publication = {name: row[name] for name in _FIELDS}
    for name in ("requested_at", "finished_at"):
        publication[name] = row[name].isoformat() if row[name] else None
    publication["folder"] = f"s3://{settings.s3_bucket}/{name_folder(load_id, settings)}"
    publication["files"] = len(files)
    publication["bytes"] = sum(file["bytes"] for file in files)
    publication["handovers"] = [
        _make_handover(dict(found)) for found in execute(connection, "list_handovers", load_id=load_id).mappings()
    ]
    return publication


def _make_handover(row: dict[str, Any]) -> dict[str, Any]:
    handover = {name: row[name] for name in _HANDOVER_FIELDS}
    for name in ("requested_at", "finished_at"):
        handover[name] = row[name].isoformat() if row[name] else None
    return handover
