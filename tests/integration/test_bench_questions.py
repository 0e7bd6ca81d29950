"""The bench's questions: DuckDB and we count the same, in each kind; a difference is an error, no figure."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from infra.bench.duckdb_questions import DuckQuestions
from infra.bench.questions import time_questions
from shared.compaction.segments import create_segment
from shared.domain.trip_end import ENDS
from shared.index.snapshot import cache_index
from shared.platform.settings import Settings
from shared.questions.weekly import WeeklyQuestion
from shared.services.database import connect_database, transaction
from tests.random_trips import MONDAY, make_trip
from tests.trip_maker import insert_trips


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A crowd of trips around one centre, half of them packed."""
    engine = cache_index(connect_database(Settings(database_url=database_url)), mib=256)
    dice = random.Random(3)
    for number in range(2):
        trips = [
            make_trip(
                MONDAY + timedelta(days=dice.randrange(30)),
                hour=dice.randrange(24),
                origin=(dice.gauss(7.67, 0.02), dice.gauss(45.07, 0.02)),
                destination=(dice.gauss(7.67, 0.02), dice.gauss(45.07, 0.02)),
            )
            for _ in range(2_000)
        ]
        with transaction(engine) as connection:
            load_id = insert_trips(connection, trips)
            if number:
                create_segment(connection, [load_id], len(trips))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("is_sorted", [False, True])
def test_every_kind_is_timed_and_counts_the_same(engine: Engine, tmp_path: Path, is_sorted: bool) -> None:
    with DuckQuestions.copy(engine, tmp_path, is_sorted=is_sorted) as duck:
        timings = time_questions(engine, repeats=4, duck=duck)
    assert {f"weekly, box, end {end}" for end in ENDS} < {timing.question for timing in timings}
    assert all(timing.asked == 4 and timing.ratio for timing in timings)
    assert list(tmp_path.iterdir()) == []


def test_another_count_is_an_error(engine: Engine, tmp_path: Path) -> None:
    with DuckQuestions.copy(engine, tmp_path, is_sorted=False) as duck:
        assert duck.ask(WeeklyQuestion()) == 4_000
        with transaction(engine) as connection:
            insert_trips(connection, [make_trip(MONDAY)])
        with pytest.raises(ValueError, match="DuckDB counts"):
            time_questions(engine, repeats=1, duck=duck)


def test_without_duckdb_there_is_no_ratio(engine: Engine) -> None:
    timings: list[Any] = time_questions(engine, repeats=1)
    assert {timing.ratio for timing in timings} == {None}
