"""Driver errors become ours at one border."""

import pytest
from sqlalchemy import create_engine

from shared.database import transaction
from shared.errors import TransientError


def test_a_pool_without_a_free_connection_passes_by_itself(database_url: str) -> None:
    engine = create_engine(
        database_url.replace("postgresql://", "postgresql+psycopg://"), pool_size=1, max_overflow=0, pool_timeout=0.05
    )
    with transaction(engine), pytest.raises(TransientError, match="in use") as refused, transaction(engine):
        pass
    assert refused.value.error_code == "busy"
    engine.dispose()
