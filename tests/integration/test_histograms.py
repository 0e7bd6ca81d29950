"""Histograms: each kind, and equality with brute force on random trips."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from shared.compaction.merger import Sizes
from shared.compaction.segments import create_segment
from shared.domain.area import Box
from shared.index.snapshot import cache_index
from shared.platform.errors import RequestError
from shared.platform.settings import Settings
from shared.questions.histograms import DURATION_MINUTES, KINDS, By, Histogram, fetch_histogram
from shared.questions.weekly import WeeklyQuestion
from shared.services.database import connect_database, transaction
from shared.services.named_queries import list_queries
from tests.brute_force import list_weekly_trips
from tests.integration.test_weekly import draw_question
from tests.random_trips import MONDAY, draw_trips, make_trip
from tests.recording import recorded_statements
from tests.trip_maker import MadeTrip, insert_trips


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = cache_index(connect_database(Settings(database_url=database_url)), mib=256)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with transaction(engine) as connection:
        yield connection


def filled(histogram: Histogram) -> dict[int, int]:
    return {each.bin: each.trips for each in histogram.bins if each.trips}


def test_every_bar_is_there_with_its_name(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY + timedelta(days=6), hour=7, duration_s=900), make_trip(MONDAY, hour=7)])
    hours = fetch_histogram(connection, WeeklyQuestion(), by="hour")
    assert ([each.bin for each in hours.bins], filled(hours)) == ([*range(24)], {7: 2})
    weekdays = fetch_histogram(connection, WeeklyQuestion(box=Box(7, 44, 8, 46)), by="weekday")
    assert [(each.label, each.trips) for each in weekdays.bins if each.trips] == [("Monday", 1), ("Sunday", 1)]
    durations = fetch_histogram(connection, WeeklyQuestion(), by="duration")
    assert (durations.trips, durations.unknown_trips, filled(durations)) == (2, 1, {15: 1})
    assert [each.label for each in durations.bins][-2:] == ["720 to 1440 min", "1440 min or more"]
    assert durations.to_json()["bins"][3] == {"bin": 15, "label": "15 to 20 min", "trips": 1}


def test_where_no_load_has_durations_no_trip_is_read_for_them(engine: Engine) -> None:
    dice = random.Random(7)
    trips = [replace(trip, duration_s=None) for trip in draw_trips(dice, 300)]
    with transaction(engine) as connection:
        for first in (0, 100, 200):
            load_id = insert_trips(connection, trips[first : first + 100])
            if first < 200:
                create_segment(connection, [load_id], 100)
        connection.exec_driver_sql("update load set rows_untimed = rows_loaded")
    asked = [WeeklyQuestion(), *(draw_question(dice) for _ in range(30))]
    asked = [question for question in asked if list_weekly_trips(trips, question)]
    assert len(asked) > 10
    text = list_queries()["histogram_durations"].text
    with recorded_statements(engine) as statements, transaction(engine) as connection:
        for question in asked:
            found = fetch_histogram(connection, question, by="duration")
            expected = len(list_weekly_trips(trips, question))
            assert (found.trips, found.unknown_trips, filled(found)) == (expected, expected, {})
        assert text not in [statement for statement, _ in statements]
        # With one that may have some all is read as before.
        insert_trips(connection, [make_trip(MONDAY, duration_s=60)])
        timed = fetch_histogram(connection, WeeklyQuestion(), by="duration")
        assert (timed.trips, timed.unknown_trips, filled(timed)) == (301, 300, {0: 1})
        assert text in [statement for statement, _ in statements]


def test_without_trips_bars_are_empty(connection: Connection) -> None:
    for by in KINDS:
        histogram = fetch_histogram(connection, WeeklyQuestion(), by=by)
        assert (histogram.trips, filled(histogram)) == (0, {})


def test_another_kind_is_refused(connection: Connection) -> None:
    with pytest.raises(RequestError) as caught:
        fetch_histogram(connection, WeeklyQuestion(), by="colour")  # type: ignore[arg-type]
    assert caught.value.parameter == "by"


def name_bin(trip: MadeTrip, by: By) -> int | None:
    if by == "hour":
        return trip.started_at.hour
    if by == "weekday":
        return trip.started_at.isoweekday()
    return None if trip.duration_s is None else max(minute for minute in DURATION_MINUTES if 60 * minute <= trip.duration_s)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), size=st.integers(1, 200), packed=st.integers(0, 2))
@example(seed=1, size=200, packed=1)
def test_bars_equal_brute_force(engine: Engine, seed: int, size: int, packed: int) -> None:
    dice = random.Random(seed)
    with engine.connect() as connection:
        batches = [draw_trips(dice, size) for _ in range(2)]
        load_ids = [
            insert_trips(connection, batch, kind=dice.choice(["unindexed", "uncompacted"]), block_trips=3) for batch in batches
        ]
        trips = [trip for batch in batches for trip in batch]
        if packed:
            create_segment(connection, load_ids[:packed], size * packed, sizes=Sizes(block_trips=dice.choice([3, 4_096])))
        for _ in range(8):
            question = draw_question(dice)
            if not any(question.region in (None, t.region) and question.datasource in (None, t.datasource) for t in trips):
                continue
            expected = list_weekly_trips(trips, question)
            for by in KINDS:
                found = fetch_histogram(connection, question, by=by)
                named = Counter(name_bin(trip, by) for trip in expected)
                assert (found.trips, found.unknown_trips) == (len(expected), named.pop(None, 0)), question
                assert filled(found) == named, question
        connection.rollback()
