"""Driver errors become ours at one border."""

import time

import pytest
from sqlalchemy import Connection, create_engine

from shared.platform.errors import TransientError, TripdeckError
from shared.platform.settings import Settings
from shared.services.database import connect_database, transaction


def test_a_pool_without_a_free_connection_passes_by_itself(database_url: str) -> None:
    engine = create_engine(
        database_url.replace("postgresql://", "postgresql+psycopg://"), pool_size=1, max_overflow=0, pool_timeout=0.05
    )
    with transaction(engine), pytest.raises(TransientError, match="in use") as refused, transaction(engine):
        pass
    assert refused.value.error_code == "busy"
    engine.dispose()


def test_a_full_disk_is_named_and_passes_by_itself(database_url: str) -> None:
    engine = connect_database(Settings(database_url=database_url))
    statement = "do $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$"
    with pytest.raises(TransientError, match=r"disk is full.*could not extend") as refused, transaction(engine) as connection:
        connection.exec_driver_sql(statement)
    assert refused.value.error_code == "database_unavailable"
    engine.dispose()


# Source: PostgreSQL, Appendix A. PostgreSQL Error Codes; 25P04 is new in 17, 57P05 in 14.
PASSING = {
    "08006": "connection failure",
    "08P01": "protocol violation, as a pooler says it",
    "25006": "read-only server",
    "25P03": "transaction that idled",
    "25P04": "transaction that took too long",
    "40001": "serialisation failure",
    "40P01": "deadlock",
    "53200": "out of memory",
    "53300": "too many connections",
    "53400": "limit of the configuration",
    "55P03": "lock timeout",
    "57P01": "shutdown by the administrator",
    "57P02": "crash of another session",
    "57P03": "server that starts or stops",
    "57P05": "session that idled",
    "58030": "I/O error",
}


@pytest.mark.parametrize("state", [*PASSING, "57014", "53100"])
def test_states_that_pass_by_themselves(database_url: str, state: str) -> None:
    engine = connect_database(Settings(database_url=database_url))
    with pytest.raises(TransientError), transaction(engine) as connection:
        connection.exec_driver_sql(f"do $$ begin raise exception 'away' using errcode = '{state}'; end $$")
    engine.dispose()


@pytest.mark.parametrize("state", ["22003", "22P02", "23502", "25P02", "42P01", "42501", "54001", "XX000"])
def test_states_that_stay(database_url: str, state: str) -> None:
    engine = connect_database(Settings(database_url=database_url))
    with pytest.raises(TripdeckError) as refused, transaction(engine) as connection:
        connection.exec_driver_sql(f"do $$ begin raise exception 'wrong' using errcode = '{state}'; end $$")
    assert not isinstance(refused.value, TransientError)
    engine.dispose()


def test_a_session_that_the_server_ended_for_idleness_passes_by_itself(database_url: str) -> None:
    engine = connect_database(Settings(database_url=database_url))
    with pytest.raises(TransientError), transaction(engine) as connection:
        _idle(connection)
    engine.dispose()


def _idle(connection: Connection) -> None:
    connection.exec_driver_sql("set idle_in_transaction_session_timeout = 50")
    time.sleep(0.3)
    connection.exec_driver_sql("select 1")
