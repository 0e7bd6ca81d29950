"""Histograms: each kind, and equality with brute force on random trips."""

import random
from collections import Counter
from collections.abc import Iterator
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
from tests.brute_force import list_weekly_trips
from tests.integration.test_weekly import draw_question
from tests.random_trips import MONDAY, draw_trips, make_trip
from tests.trip_maker import KINDS as KINDS_OF_LOADS
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
    weekdays = fetch_histogram(connection, WeeklyQuestion(area=Box(7, 44, 8, 46)), by="weekday")
    assert [(each.label, each.trips) for each in weekdays.bins if each.trips] == [("Monday", 1), ("Sunday", 1)]
    durations = fetch_histogram(connection, WeeklyQuestion(), by="duration")
    assert (durations.trips, durations.unknown_trips, filled(durations)) == (2, 1, {15: 1})
    assert [each.label for each in durations.bins][-2:] == ["720 to 1440 min", "1440 min or more"]
    assert durations.to_json()["bins"][3] == {"bin": 15, "label": "15 to 20 min", "trips": 1}


def test_blocks_tell_durations_to_the_minute(connection: Connection) -> None:
    seconds = [None, 0, 59, 60, 86_399, 86_400, 2**31 - 1]
    trips = [make_trip(MONDAY, duration_s=duration) for duration in seconds]
    for kind in KINDS_OF_LOADS:
        insert_trips(connection, trips, kind=kind)
    found = fetch_histogram(connection, WeeklyQuestion(), by="duration")
    assert (found.trips, found.unknown_trips, filled(found)) == (21, 3, {0: 9, 720: 3, 1440: 6})


def test_blocks_without_durations_store_none(connection: Connection) -> None:
    for duration_s in (None, 0):
        insert_trips(connection, [make_trip(MONDAY, duration_s=duration_s)] * 9)
    stored = connection.exec_driver_sql(
        "select load_id, is_origin, durations_at = minutes_at, length(bits) / 8 from batch_block order by 1, 2"
    ).all()
    # Deltas and times: a word each; of origins both axes of the other ends and minutes, too; then the durations.
    words = {False: 2, True: 5}
    assert [tuple(row) for row in stored] == [
        (load_id, is_origin, load_id == 1, words[is_origin] + load_id - 1) for load_id in (1, 2) for is_origin in (False, True)
    ]


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
            question = draw_question(dice, trips)
            if not any(question.region in (None, t.region) and question.datasource in (None, t.datasource) for t in trips):
                continue
            expected = list_weekly_trips(trips, question)
            for by in KINDS:
                found = fetch_histogram(connection, question, by=by)
                named = Counter(name_bin(trip, by) for trip in expected)
                assert (found.trips, found.unknown_trips) == (len(expected), named.pop(None, 0)), question
                assert filled(found) == named, question
        connection.rollback()
