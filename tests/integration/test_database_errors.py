"""Driver errors become ours at one border."""

import pytest
from sqlalchemy import create_engine

from shared.database import connect_database, transaction
from shared.errors import TransientError
from shared.settings import Settings


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
