"""Moments: answers of several statements, from one committed state of the data.

    version, answer = answer_at_one_moment(engine, lambda connection: fetch_weekly(connection, question))

A transaction of REPEATABLE READ sees one state in all its statements. TimescaleDB, however, can lose rows of a chunk that is
compressed meanwhile (timescale/timescaledb #6841, #6842), and each shard of Citus has its own state. So questions that read trips
are computed with READ COMMITTED, and again when another transaction committed in between.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine

from shared.services.database import execute, snapshot, transaction

_Answer = TypeVar("_Answer")

# Under a load that commits ten times a second a question of 60 ms meets a commit every other time; after five of those it
# is asked of one state whatever it reads.
_ATTEMPTS: Final = 5


def answer_at_one_moment(engine: Engine, compute: Callable[[Connection, str], _Answer], *, reads_trips: bool = False) -> _Answer:
    """Compute an answer from one committed state; compute gets a text that differs for every state.

    reads_trips: whether the question reads trips themselves, not only what is derived from them.
    """
    for _ in range(_ATTEMPTS if reads_trips or _has_unindexed_loads(engine) else 0):
        with transaction(engine) as connection:
            version = fetch_data_version(connection)
            answer = compute(connection, version)
            if fetch_data_version(connection) == version:
                return answer
    with snapshot(engine) as connection:
        return compute(connection, fetch_data_version(connection))


def fetch_data_version(connection: Connection) -> str:
    """A text that differs after every commit that changes loads or trips."""
    version: str = execute(connection, "fetch_data_version").scalar_one()
    return version


def _has_unindexed_loads(engine: Engine) -> bool:
    with transaction(engine) as connection:
        return bool(execute(connection, "has_unindexed_loads").scalar_one())
