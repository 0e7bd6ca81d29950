"""Loads meet compressed chunks on a native TimescaleDB: added to, counted and taken back, beyond its limit of 100,000 rows."""

import pytest
from sqlalchemy import Connection

from loader.checks.consistency import find_problems
from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from shared.compaction.segments import compact_loads
from shared.loads import undo_load
from shared.questions.catalog import list_regions
from shared.services.database import transaction
from tests.loading import load_bytes, make_trips
from tests.services import TIMESCALE_BIN

pytestmark = [
    pytest.mark.timescale,
    pytest.mark.skipif(not TIMESCALE_BIN, reason="TRIPDECK_TEST_TIMESCALE_BIN names no PostgreSQL with TimescaleDB"),
]


def test_loads_are_added_to_compressed_chunks_and_taken_back(context: Context) -> None:
    large, large_tally = make_trips(130_000, seed=3, weeks=30)
    small, small_tally = make_trips(5_000, seed=4, weeks=30)
    first = load_bytes(context, large)
    compress(context)
    second = load_bytes(context, small)
    assert [load["state"] for load in (first, second)] == ["succeeded", "succeeded"]
    compact_loads(context.engine, least_trips=1)
    both = {name: trips + small_tally.regions[name] for name, trips in large_tally.regions.items()}
    with transaction(context.engine) as connection:
        assert count_by_region(connection) == both
    assert find_problems(context.engine) == []

    compress(context)
    undo_load(context.engine, context.broker, first["load_id"])
    clean_load(context, first["load_id"], rows_at_once=40_000)
    with transaction(context.engine) as connection:
        assert connection.exec_driver_sql("select count(*) from trip").scalar_one() == 5_000
        assert count_by_region(connection) == small_tally.regions
    assert find_problems(context.engine) == []


def compress(context: Context) -> None:
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("select compress_chunk(chunk) from show_chunks('trip') as chunk")
        left = connection.exec_driver_sql("select count(*) from timescaledb_information.chunks where not is_compressed")
        assert left.scalar_one() == 0


def count_by_region(connection: Connection) -> dict[str, int]:
    return {region["name"]: region["trips"] for region in list_regions(connection)}
