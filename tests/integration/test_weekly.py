"""Weekly averages: the challenge's own figures, each rule of the semantics, and equality with brute force on random trips."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from shared.compaction.merger import Sizes
from shared.compaction.segments import create_segment
from shared.domain.area import Box, parse_bbox
from shared.domain.position import AXIS_STEPS
from shared.domain.trip_end import ENDS
from shared.index.block_cache import BlockCache
from shared.index.snapshot import StaleError, cache_index, open_snapshot
from shared.platform.errors import RequestError
from shared.platform.settings import Settings
from shared.questions.area_counts import find_complement_regions
from shared.questions.histograms import fetch_histogram
from shared.questions.period import Period
from shared.questions.weekly import WeeklyAnswer, WeeklyQuestion, count_trips, fetch_weekly
from shared.services.database import connect_database, transaction
from tests.brute_force import count_weeks, list_weekly_trips
from tests.random_shapes import draw_area
from tests.random_trips import DATASOURCES, MONDAY, REGIONS, TURIN, draw_times, draw_trips, make_trip
from tests.shared_data import CHALLENGE_FILE, read_challenge_expected
from tests.trip_maker import KINDS, Kinds, MadeTrip, insert_trips, read_challenge


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = cache_index(connect_database(Settings(database_url=database_url)), mib=256)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with transaction(engine) as connection:
        yield connection


def ask(connection: Connection, **question: Any) -> WeeklyAnswer:
    return fetch_weekly(connection, WeeklyQuestion(**question))


def counts(answer: WeeklyAnswer) -> list[int]:
    return [week.trips for week in answer.weeks]


def partial(answer: WeeklyAnswer) -> list[bool]:
    return [week.is_partial for week in answer.weeks]


# The challenge's own figures.


@pytest.mark.parametrize("kind", KINDS)
def test_challenge_figures(connection: Connection, kind: Kinds) -> None:
    expected = read_challenge_expected()
    insert_trips(connection, read_challenge(CHALLENGE_FILE), kind=kind)
    whole = ask(connection)
    assert whole.weekly_average == expected["weekly_average_all"] == 20.0
    assert {week.week.isoformat(): week.trips for week in whole.weeks} == expected["weeks"]
    assert partial(whole) == [True, False, False, False, True]
    for region, figures in expected["by_region"].items():
        answer = ask(connection, region=region)
        assert {week.week.isoformat(): week.trips for week in answer.weeks} == figures["weeks"]
        assert answer.weekly_average == figures["weekly_average_over_weeks_with_trips"]
    for name, ends in expected["bbox"].items():
        box = parse_bbox(",".join(name.split("_")[1:]))
        assert set(ends) == set(ENDS)
        for end, figures in ends.items():
            answer = ask(connection, area=box, end=end)
            assert {week.week.isoformat(): week.trips for week in answer.weeks if week.trips} == figures["weeks"]
            assert answer.trips == figures["trips"]
            assert answer.average_over_weeks_with_trips == figures["weekly_average_over_weeks_with_trips"]
            assert answer.weekly_average == figures["trips"] / 5


# Each rule.


def test_weeks_are_iso_weeks_also_over_new_year(connection: Connection) -> None:
    insert_trips(connection, [make_trip(date(2018, 12, 31)), make_trip(date(2019, 1, 1)), make_trip(date(2018, 12, 30))])
    assert [(week.week, week.trips) for week in ask(connection).weeks] == [(date(2018, 12, 24), 1), (date(2018, 12, 31), 2)]


def test_a_week_ends_with_sunday(connection: Connection) -> None:
    sunday = MONDAY + timedelta(days=6)
    insert_trips(connection, [make_trip(sunday, hour=23), make_trip(sunday + timedelta(days=1), hour=0)])
    assert counts(ask(connection)) == [1, 1]


def test_weeks_without_trips_count_as_zero(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY), make_trip(MONDAY), make_trip(MONDAY + timedelta(weeks=3))])
    answer = ask(connection)
    assert counts(answer) == [2, 0, 0, 1]
    assert (answer.trips, answer.weeks_counted, answer.weekly_average) == (3, 4, 0.75)
    assert (answer.weeks_with_trips, answer.average_over_weeks_with_trips) == (2, 1.5)


def test_the_period_is_that_of_the_filters_and_not_of_the_box(connection: Connection) -> None:
    far = (14.4, 50.1)
    insert_trips(
        connection,
        [
            make_trip(MONDAY),
            make_trip(MONDAY + timedelta(weeks=1), datasource="funny_car"),
            make_trip(MONDAY + timedelta(weeks=2), origin=far, region="Prague"),
        ],
    )
    assert counts(ask(connection, area=Box(7.6, 45.0, 7.7, 45.1))) == [1, 1, 0]
    assert counts(ask(connection, region="Turin", area=Box(14, 50, 15, 51))) == [0, 0]
    assert counts(ask(connection, datasource="funny_car")) == [1]


def test_an_asked_period_may_be_wider_than_the_data(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY + timedelta(weeks=1))])
    answer = ask(connection, from_on=MONDAY, to_on=MONDAY + timedelta(days=20))
    assert counts(answer) == [0, 1, 0]
    assert answer.from_on == MONDAY


def test_an_open_period_ends_with_the_data(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY), make_trip(MONDAY + timedelta(weeks=2))])
    assert counts(ask(connection, from_on=MONDAY + timedelta(weeks=1))) == [0, 1]
    assert counts(ask(connection, to_on=MONDAY + timedelta(days=9))) == [1, 0]
    assert ask(connection, from_on=MONDAY + timedelta(weeks=9)).weeks == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_period_may_reach_over_nearly_all_days(connection: Connection, kind: Kinds) -> None:
    insert_trips(connection, [make_trip(MONDAY)] * 3, kind=kind)
    for box in (None, Box(7.6, 45.0, 7.7, 45.1)):
        for first in (date(1, 1, 8), date(1, 1, 10)):
            answer = ask(connection, area=box, from_on=first, to_on=date(9999, 12, 24))
            assert (answer.trips, answer.weeks_with_trips) == (3, 1)


def test_no_trips_give_no_weeks_and_no_average(connection: Connection) -> None:
    answer = ask(connection)
    assert answer.weeks == ()
    assert answer.to_json() == {
        "weeks": [],
        "trips": 0,
        "weeks_counted": 0,
        "weekly_average": None,
        "weeks_with_trips": 0,
        "average_over_weeks_with_trips": None,
        "from_on": None,
        "to_on": None,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_period_that_begins_or_ends_in_a_week_is_exact(connection: Connection, kind: Kinds) -> None:
    insert_trips(connection, [make_trip(MONDAY + timedelta(days=number)) for number in range(28)], kind=kind)
    for box in (None, Box(7.6, 45.0, 7.7, 45.1), Box(7, 44, 8, 46)):
        wednesday, tuesday = MONDAY + timedelta(days=2), MONDAY + timedelta(days=22)
        answer = ask(connection, area=box, from_on=wednesday, to_on=tuesday)
        assert counts(answer) == [5, 7, 7, 2]
        assert partial(answer) == [True, False, False, True]
        assert counts(ask(connection, area=box, from_on=wednesday, to_on=wednesday)) == [1]


def test_partial_weeks_are_those_the_period_or_the_data_covers_in_part(connection: Connection) -> None:
    thursday, friday = MONDAY + timedelta(days=3), MONDAY + timedelta(days=18)
    insert_trips(connection, [make_trip(thursday), make_trip(friday)])
    assert partial(ask(connection)) == [True, False, True]
    insert_trips(connection, [make_trip(MONDAY), make_trip(MONDAY + timedelta(days=20))])
    assert partial(ask(connection)) == [False, False, False]
    assert partial(ask(connection, from_on=thursday)) == [True, False, False]
    assert partial(ask(connection, from_on=MONDAY - timedelta(weeks=1))) == [False, False, False, False]


def test_edges_of_a_box_count_as_inside(connection: Connection) -> None:
    corners = [(7.6, 45.0), (7.7, 45.1), (7.6, 45.1), (7.7, 45.0)]
    insert_trips(connection, [make_trip(MONDAY, origin=corner) for corner in corners])
    assert ask(connection, area=Box(7.6, 45.0, 7.7, 45.1)).trips == 4
    step = 360 / AXIS_STEPS
    assert ask(connection, area=Box(7.6 + 2 * step, 45.0, 7.7, 45.1)).trips == 2


def test_a_box_without_area_counts_what_lies_on_it(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY), make_trip(MONDAY, origin=(7.68, 45.07))])
    assert ask(connection, area=Box(*TURIN, *TURIN)).trips == 1
    assert ask(connection, area=Box(7.0, 45.07, 8.0, 45.07)).trips == 2


def test_a_box_whose_west_is_east_of_its_east_crosses_the_antimeridian(connection: Connection) -> None:
    places = [(179.9, 0.0), (-179.9, 0.0), (180.0, 0.0), (-180.0, 0.0), (0.0, 0.0)]
    insert_trips(connection, [make_trip(MONDAY, origin=place, destination=place) for place in places])
    for end in ENDS:
        assert ask(connection, area=Box(179.5, -1, -179.5, 1), end=end).trips == 4
        assert ask(connection, area=Box(-179.5, -1, 179.5, 1), end=end).trips == 1


def test_the_whole_world_holds_every_trip(connection: Connection) -> None:
    places = [(-180.0, -90.0), (180.0, 90.0), (0.0, 0.0)]
    insert_trips(connection, [make_trip(MONDAY, origin=place, destination=place) for place in places])
    for end in ENDS:
        assert ask(connection, area=Box(-180, -90, 180, 90), end=end).trips == 3


def test_a_box_without_trips_has_weeks_of_zero(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY)])
    answer = ask(connection, area=Box(0, 0, 1, 1))
    assert (counts(answer), answer.weekly_average, answer.average_over_weeks_with_trips) == ([0], 0.0, None)


def test_ends(connection: Connection) -> None:
    inside, outside = (7.65, 45.05), (9.0, 46.0)
    insert_trips(
        connection,
        [
            *[make_trip(MONDAY, origin=inside, destination=outside)] * 1,
            *[make_trip(MONDAY, origin=outside, destination=inside)] * 2,
            *[make_trip(MONDAY, origin=inside, destination=inside)] * 4,
            *[make_trip(MONDAY, origin=outside, destination=outside)] * 8,
        ],
    )
    box = Box(7.6, 45.0, 7.7, 45.1)
    assert {end: ask(connection, area=box, end=end).trips for end in ENDS} == {
        "origin": 5,
        "destination": 6,
        "both": 4,
        "either": 7,
    }


@pytest.mark.parametrize(
    ("question", "parameter"),
    [
        ({"region": "Atlantis"}, "region"),
        ({"datasource": "nobody"}, "datasource"),
        ({"end": "middle"}, "end"),
        ({"from_on": MONDAY, "to_on": MONDAY - timedelta(days=1)}, "from"),
        ({"from_on": date.min}, "from"),
        ({"to_on": date.max}, "to"),
        ({"hour_from": 25}, "hour_from"),
        ({"hour_from": 3, "hour_to": 3}, "hour_to"),
        ({"weekdays": frozenset()}, "weekdays"),
    ],
)
def test_a_question_without_sense_names_its_parameter(connection: Connection, question: dict[str, Any], parameter: str) -> None:
    insert_trips(connection, [make_trip(MONDAY)])
    with pytest.raises(RequestError) as caught:
        ask(connection, **question)
    assert caught.value.parameter == parameter


def test_a_snapshot_answers_as_it_was_or_says_that_it_is_stale(connection: Connection) -> None:
    load_id = insert_trips(connection, [make_trip(MONDAY)])
    question = WeeklyQuestion(area=Box(7.6, 45.0, 7.7, 45.1), hour_to=23)
    period = Period(MONDAY, MONDAY, question.hours)
    reader = open_snapshot(connection)
    create_segment(connection, [load_id], 1)
    assert count_trips(reader, question, period).sum() == 1
    connection.exec_driver_sql("delete from batch_block")
    # With a cache of its own, as another process has it.
    other = reader._replace(snapshot=replace(reader.snapshot, cache=BlockCache(1)))
    with pytest.raises(StaleError):
        count_trips(other, question, period)
    assert ask(connection, area=question.area, hour_to=23).trips == 1


@pytest.mark.parametrize("kind", KINDS)
def test_hours_and_weekdays_are_those_of_the_start(connection: Connection, kind: Kinds) -> None:
    trips = [make_trip(MONDAY + timedelta(days=day), hour=hour) for day in range(14) for hour in range(24)]
    insert_trips(connection, trips, kind=kind)
    for box in (None, Box(7.6, 45.0, 7.7, 45.1)):
        assert counts(ask(connection, area=box, hour_from=7, hour_to=10)) == [21, 21]
        assert counts(ask(connection, area=box, hour_from=22, hour_to=6)) == [56, 56]
        assert counts(ask(connection, area=box, weekdays=frozenset({6, 7}))) == [48, 48]
        assert counts(ask(connection, area=box, hour_from=22, hour_to=6, weekdays=frozenset({5}))) == [8, 8]
        assert counts(ask(connection, area=box, weekdays=frozenset({1}), from_on=MONDAY + timedelta(days=1))) == [0, 24]


# Equality with brute force.


def draw_question(dice: random.Random, trips: list[MadeTrip]) -> WeeklyQuestion:
    from_on = MONDAY + timedelta(days=dice.randrange(-10, 40)) if dice.random() < 0.4 else None
    return WeeklyQuestion(
        region=dice.choice([None, None, *REGIONS]),
        datasource=dice.choice([None, None, None, *DATASOURCES]),
        area=draw_area(dice, trips),
        end=dice.choice(ENDS),
        from_on=from_on,
        to_on=(from_on or MONDAY + timedelta(days=10)) + timedelta(days=dice.randrange(30)) if dice.random() < 0.4 else None,
        **draw_times(dice),
    )


def check_questions(connection: Connection, trips: list[MadeTrip], dice: random.Random, questions: int = 12) -> None:
    for _ in range(questions):
        question = draw_question(dice, trips)
        try:
            answer = fetch_weekly(connection, question)
        except RequestError:
            assert question.region not in {trip.region for trip in trips} or question.datasource not in {
                trip.datasource for trip in trips
            }
            continue
        assert answer.weeks == count_weeks(trips, question), question


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), size=st.integers(1, 300), loads=st.integers(1, 3), packed=st.integers(0, 3))
@example(seed=1, size=300, loads=3, packed=2)
def test_answers_equal_brute_force(engine: Engine, seed: int, size: int, loads: int, packed: int) -> None:
    dice = random.Random(seed)
    with engine.connect() as connection:
        batches = [draw_trips(dice, size) for _ in range(loads)]
        load_ids = [
            insert_trips(connection, batch, kind=dice.choice(["unindexed", "uncompacted"]), block_trips=3) for batch in batches
        ]
        if packed:
            sizes = Sizes(part_trips=dice.choice([50, 10_000]), block_trips=dice.choice([3, 4_096]))
            create_segment(connection, load_ids[:packed], size * len(load_ids[:packed]), sizes=sizes)
        check_questions(connection, [trip for batch in batches for trip in batch], dice)
        connection.rollback()


@pytest.mark.parametrize(("part_trips", "is_cut"), [(1_500, True), (10_000, False)])
def test_answers_equal_brute_force_where_trips_crowd(connection: Connection, part_trips: int, *, is_cut: bool) -> None:
    """Several blocks of points in one cell, and cells on every side of it."""
    dice = random.Random(5)
    trips = [
        make_trip(
            MONDAY + timedelta(days=dice.randrange(30)),
            hour=dice.randrange(24),
            origin=(dice.gauss(7.67, 0.004), dice.gauss(45.07, 0.004)),
            destination=(dice.gauss(7.68, 0.004), dice.gauss(45.07, 0.004)),
            datasource=dice.choice(DATASOURCES),
        )
        for _ in range(6000)
    ]
    load_id = insert_trips(connection, trips)
    create_segment(connection, [load_id], len(trips), sizes=Sizes(part_trips, block_trips=200))
    blocks = connection.exec_driver_sql("select count(*), max(trips), sum(trips) from segment_block").one()
    assert blocks[0] > 45
    assert 300 < blocks[1] <= 400
    assert blocks[2] == 12_000
    text = "select count(hours), count(*), count(distinct (corner, is_origin)) from segment_cell"
    with_hours, rows, cells = connection.exec_driver_sql(text).one()
    assert (with_hours > 0, rows > cells) == (not is_cut, is_cut), "too few trips of a cell in each part for its hours"
    around, thursday = Box(7.5, 44.9, 7.9, 45.3), MONDAY + timedelta(days=3)
    for end in ENDS:
        question = WeeklyQuestion(area=around, end=end, hour_from=7, hour_to=19, from_on=thursday)
        assert fetch_weekly(connection, question).weeks == count_weeks(trips, question), question
        found = fetch_histogram(connection, replace(question, to_on=MONDAY + timedelta(days=17)), by="hour")
        assert found.trips == len(list_weekly_trips(trips, replace(question, to_on=MONDAY + timedelta(days=17))))
    for _ in range(25):
        west, south = dice.gauss(7.67, 0.01), dice.gauss(45.07, 0.01)
        size = dice.choice([0.002, 0.02, 0.1])
        box = Box(west, south, west + dice.random() * size, south + dice.random() * size)
        from_on = MONDAY + timedelta(days=dice.randrange(9)) if dice.random() < 0.5 else None
        question = WeeklyQuestion(area=box, end=dice.choice(ENDS), from_on=from_on, **draw_times(dice))
        assert fetch_weekly(connection, question).weeks == count_weeks(trips, question), question


@pytest.mark.parametrize("kind", KINDS)
def test_regions_mostly_inside_are_counted_by_what_lies_outside(engine: Engine, kind: Kinds) -> None:
    dice = random.Random(7)
    trips = [
        make_trip(
            MONDAY + timedelta(days=dice.randrange(30)),
            origin=(dice.gauss(longitude, 0.05), dice.gauss(latitude, 0.05)),
            destination=(dice.gauss(longitude, 0.08), dice.gauss(latitude, 0.08)),
            region=region,
            datasource=dice.choice(DATASOURCES),
        )
        for _ in range(1_500)
        for region, (longitude, latitude) in {"Turin": TURIN, "Milan": (9.19, 45.46), "Prague": (14.42, 50.08)}.items()
    ]
    covered = []
    with transaction(engine) as connection:
        packed = insert_trips(connection, trips[:3_000])
        create_segment(connection, [packed], 3_000, sizes=Sizes(10_000, block_trips=100))
        insert_trips(connection, trips[3_000:], kind=kind, block_trips=100)
        for _ in range(16):
            west, south = dice.uniform(7.4, 7.6), dice.uniform(44.9, 45.05)
            box = Box(west, south, west + dice.choice([0.02, 0.3, 1.9]), south + dice.uniform(0.2, 0.7))
            region, datasource = dice.choice([None, "Turin"]), dice.choice([None, *DATASOURCES])
            for end in ("both", "either"):
                question = WeeklyQuestion(region=region, datasource=datasource, area=box, end=end)
                assert fetch_weekly(connection, question).weeks == count_weeks(trips, question), question
                reader = open_snapshot(connection, region=region, datasource=datasource)
                covered.append(find_complement_regions(reader, box.on_grid(), end))
        connection.rollback()
    # Trips that are in no block can't be told from what lies outside.
    expected = {0} if kind == "unindexed" else {0, 1, 2}
    assert {len(regions) for regions in covered} == expected
