"""Runs: what is packed with what, that packing and undoing change no answer, and that the checks see every disagreement."""

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from loader.checks.consistency import list_problems
from shared.compaction.merge_policy import MergeCandidate, list_merge_candidates, select_loads
from shared.compaction.merger import Sizes
from shared.compaction.segments import clear_batch_blocks, compact_loads, create_segment
from shared.domain.area import Box
from shared.domain.trip_end import ENDS
from shared.index.snapshot import cache_index, open_snapshot
from shared.platform.errors import TransientError
from shared.platform.settings import Settings
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import connect_database, execute, transaction
from tests.random_trips import MONDAY, TURIN, draw_trips, make_trip
from tests.trip_maker import insert_trips

CHECKS = ("check_segment_day", "check_segment_cell", "check_blocks", "check_segment_flow")


def flip(column: str, bit: int | str, table: str, *, where: str = "true") -> str:
    return f"update {table} set {column} = set_bit({column}, {bit}, 1 - get_bit({column}, {bit})) where {where}"


def flip_places(table: str = "segment_block") -> str:
    return flip("bits", 12, table, where="x_at > 1")


def flip_column(name: str) -> str:
    """Change the first number of a column, where its numbers have bits."""
    has_bits = f"case when length(bits) / 8 > {name}_at then get_byte(bits, 8 * {name}_at) & 63 > 0 end"
    return flip("bits", f"64 * {name}_at + 6", "segment_block", where=has_bits)


def flip_others(axis: str, table: str = "segment_block") -> str:
    begin, end = {"x": ("x_at", "y_at"), "y": ("y_at", "times_at")}[axis]
    return flip("bits", f"64 * {begin} + 12", table, where=f"{end} > {begin} + 1")


DAMAGES = {
    "day off": ("update segment_day set trips[1] = trips[1] + 1", "check_segment_day"),
    "day lost": ("delete from segment_day", "check_segment_day"),
    "cell off": ("update segment_cell set trips[1] = trips[1] + 1 where not is_origin", "check_segment_cell"),
    "cell's sum off": ("update segment_cell set sum_trips[1] = sum_trips[1] + 1 where is_origin", "check_segment_cell"),
    "cell twice": ("insert into segment_cell select * from segment_cell limit 1", "check_segment_cell"),
    "density off": ("update segment_cell set fine_trips[1] = 9 where is_origin", "check_segment_cell"),
    "cell's hours off": (flip("hours", 8, "segment_cell", where="length(hours) > 8"), "check_blocks"),
    "cell's hours lost": ("update segment_cell set hours = null where is_origin", "check_blocks"),
    "points lost": ("delete from segment_block where not is_origin", "check_blocks"),
    "points moved": ("update segment_block set base = base + 1", "check_blocks"),
    "a place off": (flip_places(), "check_blocks"),
    "another hour": (flip_column("times"), "check_blocks"),
    "another duration": (flip_column("durations"), "check_blocks"),
    "durations lost": ("update segment_block set durations_at = minutes_at", "check_blocks"),
    "another minute": (flip_column("minutes"), "check_blocks"),
    "another end's x": (flip_others("x"), "check_blocks"),
    "another end's y": (flip_others("y"), "check_blocks"),
    "a run more or less": (flip("week_index", 0, "segment_block"), "check_blocks"),
    "a thousand runs more": (flip("week_index", 10, "segment_block"), "check_blocks"),
    "a run of another week": (flip("week_index", 64 + 6, "segment_block", where="length(week_index) > 16"), "check_blocks"),
    "other ends moved": ("update segment_block set other_x_low = other_x_low + 2 where is_origin", "check_blocks"),
    "another week": ("update segment_block set base_on = base_on + 7", "check_blocks"),
    "another datasource": ("update segment_block set datasource_ids[1] = datasource_ids[1] + 1::smallint", "check_blocks"),
    "bounds too narrow": ("update segment_block set x_high = x_low - 1", "check_blocks"),
    "bounds of other ends too narrow": (
        "update segment_block set other_x_high = other_x_low - 1 where is_origin",
        "check_blocks",
    ),
    "sum off": ("update segment_block set week_trips = set_byte(week_trips, 0, get_byte(week_trips, 0) # 1)", "check_blocks"),
    "sum lost": ("update segment_block set week_trips = ''", "check_blocks"),
    "a flow off": (flip("trips", 6, "segment_flow"), "check_segment_flow"),
    "a flow elsewhere": ("update segment_flow set first_cell = first_cell - 1", "check_segment_flow"),
    "flows without their last": ("update segment_flow set last_cell = first_cell - 1 where slot is null", "check_segment_flow"),
    "flow lost": ("delete from segment_flow where datasource_id is not null", "check_segment_flow"),
    "trip lost": ("delete from trip where origin = (select min(origin) from trip)", "check_blocks"),
}


BATCH_DAMAGES = {
    "points lost": "delete from batch_block where not is_origin",
    "points twice": "insert into batch_block select * from batch_block limit 1",
    "points moved": "update batch_block set base = base + 1",
    "another end": flip_others("y", "batch_block"),
    "sum off": "update batch_block set week_trips = set_byte(week_trips, 0, get_byte(week_trips, 0) # 1)",
    "trip lost": "delete from trip where origin = (select min(origin) from trip)",
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = cache_index(connect_database(Settings(database_url=database_url)), mib=256)
    yield engine
    engine.dispose()


def find_problems(connection: Connection) -> list[tuple[str, str]]:
    return [(check, problem.place) for check in CHECKS for problem in list_problems(connection, check)]


def insert(engine: Engine, size: int, *, seed: int = 1, equal: int = 60) -> int:
    dice = random.Random(seed)
    with transaction(engine) as connection:
        return insert_trips(connection, [*draw_trips(dice, size), *[make_trip(MONDAY, hour=8)] * equal])


def count(engine: Engine, what: str) -> Any:
    with transaction(engine) as connection:
        return connection.exec_driver_sql(f"select {what}").scalar_one()


def test_loose_loads_are_packed_with_runs_no_larger_than_they_are() -> None:
    loose = MergeCandidate(None, 100, [7, 8])
    assert select_loads([loose], least_trips=100) == ([7, 8], 100)
    assert select_loads([loose], least_trips=101) == ([], 0)
    assert select_loads(
        [loose, MergeCandidate(1, 90, [1]), MergeCandidate(2, 190, [2]), MergeCandidate(3, 381, [3])], least_trips=1
    ) == ([1, 2, 7, 8], 380)
    assert select_loads([loose, MergeCandidate(1, 101, [1]), MergeCandidate(2, 102, [2])], least_trips=1) == ([7, 8], 100)
    assert select_loads([MergeCandidate(1, 5, [1])], least_trips=0) == ([], 0)
    assert select_loads([], least_trips=0) == ([], 0)


def test_packing_leaves_nothing_loose_and_merges_runs(engine: Engine) -> None:
    for seed in range(3):
        insert(engine, 50, seed=seed)
        assert compact_loads(engine, least_trips=1)
        assert compact_loads(engine, least_trips=1) == 0
    assert count(engine, "count(*) from load where segment_id is null") == 0
    assert count(engine, "sum(trips) from segment") == 330
    assert count(engine, "count(*) from batch_block") == 0
    for table in ("segment_day", "segment_cell", "segment_block", "segment_flow"):
        assert count(engine, f"count(*) from {table} where segment_id not in (select segment_id from segment)") == 0
    with transaction(engine) as connection:
        assert find_problems(connection) == []


def test_blocks_of_batches_go_when_nobody_has_them_open(engine: Engine) -> None:
    insert(engine, 200)
    question = WeeklyQuestion(area=Box(7, 44, 8, 46))
    with transaction(engine) as asking:
        before = fetch_weekly(asking, question)
        assert compact_loads(engine, least_trips=1) == 1
        assert count(engine, "count(*) from batch_block") > 0
        assert fetch_weekly(asking, question) == before
    with transaction(engine) as connection:
        assert find_problems(connection) == []
    # Packed once more, by themselves, with those of another load, which is loose then.
    insert(engine, 100, seed=2)
    with transaction(engine) as connection:
        [run, loose] = sorted(list_merge_candidates(connection), key=lambda candidate: -candidate.trips)
        create_segment(connection, run.load_ids, run.trips)
        assert find_problems(connection) == []
        assert fetch_weekly(connection, question).trips > before.trips
    clear_batch_blocks(engine)
    assert count(engine, "array_agg(distinct load_id) from batch_block") == loose.load_ids
    assert compact_loads(engine, least_trips=1) == 1
    assert count(engine, "count(*) from batch_block") == 0
    with transaction(engine) as connection:
        assert find_problems(connection) == []


def test_blocks_that_do_not_hold_all_trips_count_for_nothing(engine: Engine) -> None:
    """As when a worker that knows no blocks has loaded some batches."""
    load_id = insert(engine, 50)
    with transaction(engine) as connection:
        connection.exec_driver_sql("delete from batch_block where not is_origin")
        connection.exec_driver_sql("update load set rows_in_blocks = rows_in_blocks - 1")
        assert open_snapshot(connection).snapshot.unindexed_loads == [load_id]
        box = Box(-180, -90, 180, 89.9)
        trips = fetch_weekly(connection, WeeklyQuestion(area=box, end="destination")).trips
        assert trips > 0
    assert compact_loads(engine, least_trips=1) == 1
    with transaction(engine) as connection:
        assert find_problems(connection) == []
        assert fetch_weekly(connection, WeeklyQuestion(area=box, end="destination")).trips == trips


def test_too_few_trips_stay_loose(engine: Engine) -> None:
    insert(engine, 50)
    assert compact_loads(engine) == 0
    assert count(engine, "count(*) from segment") == 0


def test_undoing_a_load_dissolves_its_run(engine: Engine) -> None:
    first, second = insert(engine, 50), insert(engine, 80, seed=2)
    assert compact_loads(engine, least_trips=1) == 2
    with transaction(engine) as connection:
        trips = fetch_weekly(connection, WeeklyQuestion()).trips
        assert execute(connection, "undo_load", load_id=first).one().state == "undone"
        assert fetch_weekly(connection, WeeklyQuestion()).trips == trips
        assert [candidate.load_ids for candidate in list_merge_candidates(connection)] == [[second]]
        assert open_snapshot(connection).snapshot.unindexed_loads == [first, second]
    assert compact_loads(engine, least_trips=1) == 1
    with transaction(engine) as connection:
        assert find_problems(connection) == []


def test_a_load_undone_while_it_is_packed_stays_out(engine: Engine) -> None:
    load_id = insert(engine, 50)
    with transaction(engine) as connection:
        execute(connection, "undo_load", load_id=load_id)
    with pytest.raises(TransientError), transaction(engine) as connection:
        create_segment(connection, [load_id], 110)
    assert count(engine, "count(*) from segment") == 0


def test_one_packs_at_a_time(engine: Engine) -> None:
    insert(engine, 50)
    with transaction(engine) as connection:
        assert execute(connection, "lock_compaction").scalar_one()
        assert compact_loads(engine, least_trips=1) == 0
    assert compact_loads(engine, least_trips=1) == 1


def test_weeks_may_be_centuries_apart(engine: Engine) -> None:
    years = (1, 1257, 1884, 1886, 2026, 2099, 9999)
    with transaction(engine) as connection:
        trips = [make_trip(MONDAY.replace(year=year)) for year in years]
        create_segment(connection, [insert_trips(connection, trips)], len(trips))
        assert find_problems(connection) == []
        for end in ENDS:
            answer = fetch_weekly(
                connection, WeeklyQuestion(area=Box(7, 45, 8, 46), end=end, from_on=date(1800, 1, 1), to_on=MONDAY)
            )
            assert answer.weeks_with_trips == 3


def test_parts_and_pieces_make_the_same_run(engine: Engine) -> None:
    """A run of many parts, one origin on both sides of a cut, and more equal destinations than fit a part."""
    trips = [*draw_trips(random.Random(4), 300), *[make_trip(MONDAY, hour=hour % 24, minute=hour % 60) for hour in range(300)]]
    with transaction(engine) as connection:
        load_id = insert_trips(connection, trips)
        create_segment(connection, [load_id], len(trips), sizes=Sizes(part_trips=60, block_trips=16))
        assert find_problems(connection) == []
        assert connection.exec_driver_sql("select sum(trips) from segment_block").scalar_one() == 1_200


@pytest.mark.parametrize("name", DAMAGES)
def test_the_checks_see(engine: Engine, name: str) -> None:
    load_id = insert(engine, 60, equal=1_000)
    with transaction(engine) as connection:
        create_segment(connection, [load_id], 1_060)
    statement, check = DAMAGES[name]
    with transaction(engine) as connection:
        assert connection.exec_driver_sql("select has_hours from segment").scalar_one()
        assert find_problems(connection) == []
        assert connection.exec_driver_sql(statement).rowcount > 0
        assert check in {problem[0] for problem in find_problems(connection)}
        connection.rollback()


@pytest.mark.parametrize("name", BATCH_DAMAGES)
def test_the_checks_see_in_batches(engine: Engine, name: str) -> None:
    insert(engine, 60)
    with transaction(engine) as connection:
        assert find_problems(connection) == []
        assert connection.exec_driver_sql(BATCH_DAMAGES[name]).rowcount > 0
        assert {problem[0] for problem in find_problems(connection)} == {"check_blocks"}
        connection.rollback()


def test_hours_are_packed_only_where_they_save_rows(engine: Engine) -> None:
    with transaction(engine) as connection:
        few = insert_trips(connection, [make_trip(MONDAY, hour=hour, origin=TURIN) for hour in range(12)])
        create_segment(connection, [few], 12)
        many = insert_trips(connection, [make_trip(MONDAY, hour=hour) for hour in (7, 8)] * 30)
        create_segment(connection, [many], 60)
        assert connection.exec_driver_sql("select has_hours from segment order by segment_id").scalars().all() == [False, True]
        assert find_problems(connection) == []


@pytest.mark.parametrize(("sparse", "has_hours"), [(20, True), (200, False)])
@pytest.mark.parametrize("is_first", [True, False])
def test_all_parts_decide_whether_hours_are_packed(engine: Engine, *, sparse: int, has_hours: bool, is_first: bool) -> None:
    """Parts of 20 trips; the sparse ones lie before or after the dense ones."""
    west, south = (-70.0, -40.0) if is_first else (10.0, 50.0)
    trips = [make_trip(MONDAY, hour=number % 24, origin=(west + number / 10, south)) for number in range(sparse)]
    trips += [make_trip(MONDAY, hour=7 + number % 2) for number in range(100)]
    with transaction(engine) as connection:
        load_id = insert_trips(connection, trips)
        create_segment(connection, [load_id], len(trips), sizes=Sizes(part_trips=20))
        assert connection.exec_driver_sql("select has_hours from segment").scalar_one() == has_hours
        slots = connection.exec_driver_sql("select count(*) from segment_flow where slot is not null").scalar_one()
        assert (slots > 0) == has_hours
        assert find_problems(connection) == []
