"""Events: what happened to loads, from the database's outbox to one Redis stream.

The outbox (load_event) is the log; the stream is a copy of its tail that many readers can follow cheaply.

1. Whoever changes a load inserts an event in the same transaction (record_event): a seq without gaps per load.
2. publish_events numbers committed events under one lock: positions without gaps over all loads, in commit order.
3. It then adds them to the stream under the id `<position>-0`. Redis refuses an id that isn't larger than its last, so adding
   twice, from two processes, or after a crash in between changes nothing, and a wiped Redis is filled again.
"""

import json
import logging
from typing import Any, Final

import redis
from sqlalchemy import Connection, Engine

from shared.services.database import execute, transaction
from shared.services.redis_client import redis_errors

LOG = logging.getLogger(__name__)

STREAM: Final = "tripdeck:events"


_PAGE: Final = 1_000

Event = dict[str, Any]


def record_event(connection: Connection, load_id: int, kind: str, *, min_gap_s: float = 0) -> bool:
    """Insert an event with a snapshot of the load, in the caller's transaction; last in it, for it locks the load's row.

    min_gap_s conflates: nothing is inserted when the load's last event is of the same kind and younger. Returns whether one was.
    """
    return execute(connection, "insert_event", load_id=load_id, kind=kind, min_gap_s=min_gap_s).first() is not None


def publish_events(engine: Engine, client: "redis.Redis", *, history: int) -> int:
    """Number what is new and add it to the stream; returns how many were added. Any process may call it at any time.

    Raises: TransientError when the database or Redis is away; the next call continues.
    """
    _number_events(engine)
    with redis_errors():
        last = fetch_stream_position(client)
        if last > _fetch_position(engine):
            # Read after the stream's, the database's position is never behind: these are events of a database that is gone.
            LOG.warning("the stream is another database's and begins anew", extra={"position": last})
            client.delete(STREAM)
            last = 0
    added = 0
    while page := _list_page(engine, last, history):
        with redis_errors():
            added += _add_page(client, page, history)
        last = page[-1]["position"]
    return added


def list_events_after(connection: Connection, position: int, limit: int) -> list[Event]:
    """Events after a position, oldest first, from the outbox."""
    rows = execute(connection, "list_events_after", after=position, limit=limit).mappings()
    return [make_event(dict(row)) for row in rows]


def fetch_stream_position(client: "redis.Redis") -> int:
    """Position of the stream's newest event; 0 when the stream is empty."""
    newest: Any = client.xrevrange(STREAM, count=1)
    return int(newest[0][0].split("-")[0]) if newest else 0


def make_event(row: dict[str, Any]) -> Event:
    """The event as every reader sees it: the load's snapshot with position, seq, kind and instant."""
    return {
        "position": row["position"],
        "seq": row["seq"],
        "kind": row["kind"],
        "at": row["at"].isoformat(),
        **row["body"],
    }


def _fetch_position(engine: Engine) -> int:
    with transaction(engine) as connection:
        position: int = execute(connection, "fetch_last_position").scalar_one()
        return position


def _number_events(engine: Engine) -> None:
    numbered = _PAGE
    while numbered == _PAGE:
        with transaction(engine) as connection:
            if not execute(connection, "count_unnumbered_events").scalar_one():
                return
            last_position = execute(connection, "lock_event_position").scalar_one()
            numbered = execute(connection, "number_events", last_position=last_position, limit=_PAGE).scalar_one()


def _list_page(engine: Engine, last: int, history: int) -> list[Event]:
    with transaction(engine) as connection:
        newest = execute(connection, "fetch_last_position").scalar_one()
        return list_events_after(connection, max(last, newest - history), _PAGE)


def _add_page(client: "redis.Redis", page: list[Event], history: int) -> int:
    """Add events in one round trip; returns how many were new."""
    pipeline = client.pipeline(transaction=False)
    for event in page:
        pipeline.xadd(STREAM, {"event": json.dumps(event)}, id=f"{event['position']}-0", maxlen=history, approximate=True)
    refused = [answer for answer in pipeline.execute(raise_on_error=False) if isinstance(answer, redis.ResponseError)]
    for error in refused:
        if "equal or smaller" not in str(error):  # those that somebody else added
            raise error
    return len(page) - len(refused)
