"""Block cache: a question that is asked again reads no bits from the database, and is answered the same at any limit."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from shared.compaction.segments import compact_loads, create_segment
from shared.domain.area import Box
from shared.domain.clock import parse_weekdays
from shared.domain.trip_end import ENDS
from shared.groups.listing import fetch_flows, list_groups
from shared.groups.question import FlowQuestion, GroupQuestion
from shared.index.block_cache import DELTAS, BlockCache
from shared.index.block_fetch import BlockScan, read_blocks
from shared.index.snapshot import StaleError, cache_index, open_snapshot
from shared.platform.settings import Settings
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import connect_database, transaction
from tests.random_trips import draw_trips
from tests.trip_maker import insert_trips

BOXES = (Box(7.6, 45.0, 7.7, 45.1), Box(6, 44, 7.68, 46), Box(-180, -90, 179, 45.05))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Two packed loads and one that is loose."""
    engine = cache_index(connect_database(Settings(database_url=database_url)), mib=256)
    for seed in range(3):
        with transaction(engine) as connection:
            load_id = insert_trips(connection, draw_trips(random.Random(seed), 400))
            if seed < 2:
                create_segment(connection, [load_id], 400)
    yield engine
    engine.dispose()


def ask(connection: Connection) -> list[Any]:
    questions = [
        *(WeeklyQuestion(area=box, end=end) for box in BOXES for end in ENDS),
        WeeklyQuestion(area=BOXES[0], weekdays=parse_weekdays("weekend"), hour_from=7, hour_to=19),
    ]
    others = [FlowQuestion(area=box, precision=8, hour_from=7) for box in BOXES]
    return [
        *(fetch_weekly(connection, question) for question in questions),
        *(fetch_flows(connection, question) for question in others),
        list_groups(connection, GroupQuestion(area=BOXES[1], precision=7)),
    ]


def count_scans(connection: Connection) -> list[int]:
    """How often this session looked lately for blocks of runs and of batches by their numbers, which is how bits are read."""
    indexes = ("segment_block_by_id", "batch_block_by_id")
    text = "select pg_stat_get_xact_numscans(%(index)s::regclass)"
    return [connection.exec_driver_sql(text, {"index": index}).scalar_one() for index in indexes]


def test_what_was_read_is_not_read_again(engine: Engine) -> None:
    with transaction(engine) as connection:
        before = ask(connection)
        read = count_scans(connection)
        assert ask(connection) == before
        assert count_scans(connection) == read
    assert min(read) > 0
    assert sum(each.trips for each in before[:12]) > 0


@pytest.mark.parametrize("mib", [0, 1])
def test_answers_are_the_same_however_little_is_kept(engine: Engine, mib: int) -> None:
    with transaction(engine) as connection:
        before = ask(connection)
    with transaction(cache_index(engine, mib=mib)) as connection:
        assert ask(connection) == before
        assert ask(connection) == before


def test_what_is_packed_anew_is_read_anew(engine: Engine) -> None:
    with transaction(engine) as connection:
        before = ask(connection)
    assert compact_loads(engine, least_trips=1) == 3
    with transaction(engine) as connection:
        assert ask(connection) == before


def test_a_block_that_is_gone_is_told(engine: Engine) -> None:
    with transaction(engine) as connection:
        headers = open_snapshot(connection).snapshot.data.origins
        gone = int(headers.block_id[headers.is_compacted].max())
        connection.exec_driver_sql("delete from segment_block where block_id = %(block_id)s", {"block_id": gone})
        scan = BlockScan.without_tests(headers, DELTAS, np.full(headers.size, -1))
        left = scan.select(headers.block_id != gone)
        assert [len(blocks.table) for _, blocks in read_blocks(connection, BlockCache(1), left)] == [headers.size - 1]
        with pytest.raises(StaleError):
            list(read_blocks(connection, BlockCache(1), scan))


def test_no_two_blocks_have_the_same_number(engine: Engine) -> None:
    with transaction(engine) as connection:
        counts = connection.exec_driver_sql("select count(*), count(distinct block_id) from block").one()
    assert counts[0] == counts[1] > 0
