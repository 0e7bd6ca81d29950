"""Holding somebody else's work at a chosen point: a lock that its next statement needs, and the wait until it stands there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine

from tests.loading import wait_until

# Where a load can be held: before its ledger is written; a batch: before its claim counts, its first row, its commit.
BEFORE_CLAIM: Final = ("lock table load_batch in share mode", "update load_batch as b")
BEFORE_COPY: Final = ("lock table trip in share mode", "copy trip")
BEFORE_COMMIT: Final = ("select from load for update", "update load%set rows_read")
BEFORE_PLAN: Final = ("lock table load_batch in share mode", "insert into load_batch")


@contextmanager
def holding(engine: Engine, statement: str) -> Iterator[Connection]:
    """Hold the statement's locks for the length of the block; they go with the session."""
    connection = engine.connect()
    try:
        connection.exec_driver_sql("set idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql(statement)
        yield connection
    finally:
        connection.invalidate()  # closes it without a word to the server, which may be dead by now
        connection.close()


def wait_for_blocked(engine: Engine, query: str, *, count: int = 1) -> list[int]:
    """Wait until so many sessions wait for a lock in a query; returns their process ids."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

        def look() -> list[int] | None:
            rows = connection.exec_driver_sql(
                "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like %(query)s"
                " and datname = current_database()",
                {"query": f"%{query}%"},
            )
            found = [row.pid for row in rows]
            return found if len(found) >= count else None

        pids: list[int] = wait_until(look, what=f"for {count} to wait in {query!r}")
        return pids
