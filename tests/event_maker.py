"""Events for tests of the feed: many, fast, and published as maintenance does it."""

import redis
from sqlalchemy import Engine

from shared.events import publish_events, record_event
from shared.loads import insert_load
from shared.services.database import execute, transaction
from shared.services.objects import StoredObject

HISTORY = 100_000


def make_load(engine: Engine, file_name: str = "trips.csv") -> int:
    """A queued load and its first event, not yet numbered."""
    with transaction(engine) as connection:
        return insert_load(connection, StoredObject("files/x", "tag", 10), file_name=file_name, options={})


def add_events(engine: Engine, load_id: int, count: int) -> None:
    """Batch events of a running load: rows_read counts them."""
    with transaction(engine) as connection:
        connection.exec_driver_sql(
            """
            with grown as (
                update load set state = 'loading', last_seq = last_seq + %(count)s, rows_read = rows_read + %(count)s
                where load_id = %(load_id)s
                returning *
            )
            insert into load_event (load_id, seq, kind, body)
            select load_id, last_seq - %(count)s + n, 'batch', old.body || jsonb_build_object(
                'state', 'loading', 'file_name', file_name, 'rows_read', rows_read - %(count)s + n)
            from grown, generate_series(1, %(count)s) as n,
                 lateral (select body from load_event where load_id = %(load_id)s order by seq desc limit 1) as old
            order by n
            """,
            {"load_id": load_id, "count": count},
        )


def end_load(engine: Engine, load_id: int) -> None:
    """Fail a load."""
    with transaction(engine) as connection:
        facts = {"state": "failed", "error_code": "x", "error_message": "y", "duplicate_of": None}
        execute(connection, "end_load", load_id=load_id, **facts)
        record_event(connection, load_id, "failed")


def publish(engine: Engine, client: "redis.Redis") -> int:
    """Number and publish; returns the newest position."""
    publish_events(engine, client, history=HISTORY)
    return fetch_position(engine)


def fetch_position(engine: Engine) -> int:
    """The newest position given."""
    with transaction(engine) as connection:
        return int(execute(connection, "fetch_last_position").scalar_one())
