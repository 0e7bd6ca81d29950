"""Plans: every named query can be planned, and the main ones read what they are meant to read (shapes, not timings)."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from shared.compaction.segments import create_segment
from shared.domain.area import Box
from shared.domain.clock import parse_weekdays
from shared.domain.position import encode_position, format_geohash
from shared.domain.trip_end import ENDS
from shared.groups.detail import fetch_group
from shared.groups.detail_question import GroupDetailQuestion
from shared.groups.listing import fetch_flows, list_groups
from shared.groups.question import FlowQuestion, GroupQuestion
from shared.platform.settings import Settings
from shared.questions.density import fetch_density
from shared.questions.histograms import fetch_histogram
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import connect_database, driver_connection, transaction
from shared.services.named_queries import list_queries
from tests.recording import Statement, make_recording_cursor
from tests.services import CITUS_BIN, TIMESCALE_BIN, PostgresServer

CITY = (7.67, 45.07)
SMALL = Box(7.670, 45.070, 7.672, 45.072)
LOOSE_ROWS, PACKED_ROWS = 1_000_000, 50_000
PLANNED = [
    name
    for name, named in list_queries().items()
    if not re.search(r"from stdin|^(copy|analyze|vacuum|truncate|lock) ", named.text, re.MULTILINE)
]

SAMPLES: dict[str, object] = {
    "smallint": 1,
    "integer": 60,
    "bigint": 1,
    "float8": 1.5,
    "boolean": True,
    "text": "made",
    "jsonb": "{}",
    "uuid": "6b1f4f3e-1111-4222-8333-444455556666",
    "date": date(2026, 2, 2),
    "timestamp": datetime(2026, 2, 2),  # noqa: DTZ001 - a wall clock
    "timestamptz": datetime(2026, 2, 2, tzinfo=UTC),
    "boolean[]": [True],
    "smallint[]": [1],
    "integer[]": [1],
    "bigint[]": SMALL.on_grid().bounds(),
    "text[]": ["made"],
    "bytea": b"made",
    "bytea[]": [b"made"],
    "float8[]": [1.5],
}

Plan = dict[str, Any]


@pytest.fixture(scope="module")
def engine(postgres_server: PostgresServer) -> Iterator[Engine]:
    """A million loose trips in eight batches sorted by origin, and a packed load."""
    url = postgres_server.clone_template()
    engine = connect_database(Settings(database_url=url), statement_timeout_ms=0)  # a million rows on a busy machine
    with transaction(engine) as connection:
        for load_id, rows, batches in ((1, LOOSE_ROWS, 8), (2, PACKED_ROWS, 1)):
            connection.exec_driver_sql(_INSERT_LOAD, {"rows": rows})
            for batch in range(batches):
                values = {
                    "load_id": load_id,
                    "rows": rows // batches,
                    "seed": batch / 10,
                    "base": encode_position(*CITY) >> 40 << 40,
                }
                connection.exec_driver_sql("select setseed(%(seed)s)", values)
                connection.exec_driver_sql(_INSERT_TRIPS, values)
        connection.exec_driver_sql(_INSERT_WEEKS)
        create_segment(connection, [2], PACKED_ROWS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
    yield engine
    engine.dispose()
    postgres_server.drop(url)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """What a test changes is rolled back."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()


_INSERT_LOAD = """
    insert into load (state, file_name, object_key, object_etag, bytes_total, rows_loaded)
    values ('succeeded', 'made', 'made', 'made', 0, %(rows)s)
"""
# Positions anywhere in a cell of 11 bits an axis, ten times as wide as SMALL's neighbourhood.
_INSERT_TRIPS = """
    insert into trip (started_at, origin, destination, load_id, region_id, datasource_id)
    select timestamp '2026-01-05' + random() * interval '180 days', %(base)s + (random() * 1099511627775)::bigint as origin,
           %(base)s + (random() * 1099511627775)::bigint, %(load_id)s, 1, 1 + n %% 3
    from generate_series(1, %(rows)s) as n
    order by origin
"""
_INSERT_WEEKS = """
    with region as (insert into region (name) values ('Turin')),
         datasource as (insert into datasource (name) values ('a'), ('b'), ('c'))
    insert into rollup_week (load_id, week, region_id, datasource_id, trips, first_at, last_at)
    select load_id, date_trunc('week', started_at), region_id, datasource_id, count(*), min(started_at), max(started_at)
    from trip group by 1, 2, 3, 4
"""

plain_storage = pytest.mark.skipif(bool(TIMESCALE_BIN or CITUS_BIN), reason="about plain PostgreSQL's table and index of trips")
# What Citus sends to nodes, itself included, stands in its plans as text.
open_plans = pytest.mark.skipif(bool(CITUS_BIN), reason="Citus shows no plan of what it sends to nodes")


def explain(connection: Connection, text: str, parameters: dict[str, Any]) -> Plan:
    row = driver_connection(connection).execute(f"explain (format json, verbose) {text}", parameters).fetchone()
    assert row is not None
    plan: Plan = row[0][0]["Plan"]
    return plan


def explain_sample(connection: Connection, name: str) -> Plan:
    """The plan of the named query with any parameters."""
    named = list_queries()[name]
    return explain(connection, named.text, {parameter: SAMPLES[sql_type] for parameter, sql_type in named.parameters.items()})


def explain_question(connection: Connection, name: str, ask: Any) -> Plan:
    """The plan of the named query as our code asks it."""
    text = list_queries()[name].text
    return explain(connection, text, [parameters for statement, parameters in record(connection, ask) if statement == text][-1])


def record(connection: Connection, ask: Any) -> list[Statement]:
    """The statements that our code sends."""
    statements: list[Statement] = []
    driver = driver_connection(connection)
    usual, driver.cursor_factory = driver.cursor_factory, make_recording_cursor(statements)
    try:
        ask()
    finally:
        driver.cursor_factory = usual
    return statements


def walk(plan: Plan) -> Iterator[Plan]:
    yield plan
    for child in plan.get("Plans", []):
        yield from walk(child)


def scans_of(plan: Plan, relation: str) -> list[Plan]:
    """Scans of a table; on TimescaleDB trip's rows lie in its chunks."""
    return [node for node in walk(plan) if is_of(node.get("Relation Name", ""), relation)]


def is_of(name: str, relation: str) -> bool:
    return name == relation or (relation == "trip" and name.startswith("_hyper_"))


@pytest.mark.parametrize("name", PLANNED)
def test_every_query_can_be_planned(connection: Connection, name: str) -> None:
    plan = explain_sample(connection, name)
    if CITUS_BIN:
        return
    assert "position_in_area" not in json.dumps(plan), "the planner must see through it"


def list_asked(connection: Connection, ask: Any) -> set[str]:
    """Names of the queries that our code asks."""
    statements = record(connection, ask)
    names = {named.text: name for name, named in list_queries().items()}
    return {names[statement] for statement, _ in statements if statement in names}


# What reads trips, of the queries that questions ask.
READING_TRIPS = {
    "count_unindexed_times",
    "count_unindexed_flows",
    "count_unindexed_groups",
    "describe_groups",
}
QUESTIONS: dict[str, Any] = {
    "weeks": lambda connection: fetch_weekly(connection, WeeklyQuestion(region="Turin")),
    "hours": lambda connection: fetch_weekly(connection, WeeklyQuestion(hour_from=7, hour_to=9)),
    "weekend": lambda connection: fetch_histogram(connection, WeeklyQuestion(weekdays=parse_weekdays("weekend")), by="hour"),
    "hours of a box": lambda connection: fetch_histogram(connection, WeeklyQuestion(area=SMALL), by="hour"),
    **{end: lambda connection, end=end: fetch_weekly(connection, WeeklyQuestion(area=SMALL, end=end)) for end in ENDS},
    "flows": lambda connection: fetch_flows(connection, FlowQuestion(viewport=SMALL)),
    "fine flows": lambda connection: fetch_flows(connection, FlowQuestion(area=SMALL, precision=8, datasource="a", hour_from=7)),
    "groups": lambda connection: list_groups(connection, GroupQuestion()),
    "groups of half hours": lambda connection: list_groups(connection, GroupQuestion(bucket_minutes=30, precision=8)),
    "durations": lambda connection: fetch_histogram(connection, WeeklyQuestion(area=SMALL, end="either"), by="duration"),
    "density": fetch_density,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_trips_of_segments_are_not_read(connection: Connection, name: str) -> None:
    connection.exec_driver_sql("update load set rows_loaded = 0 where load_id = 1")  # no load is unindexed
    asked = list_asked(connection, lambda: QUESTIONS[name](connection))
    assert "open_snapshot" in asked
    assert not asked & READING_TRIPS


def test_whole_weeks_are_counted_without_reading_trips(connection: Connection) -> None:
    asked = list_asked(connection, lambda: fetch_weekly(connection, WeeklyQuestion()))
    assert "open_snapshot" in asked
    assert not asked & READING_TRIPS


@plain_storage
@pytest.mark.parametrize("end", ["origin", "both"])
def test_a_small_box_reads_unindexed_trips_through_their_index(connection: Connection, end: Any) -> None:
    plan = explain_question(
        connection, "count_unindexed_times", lambda: fetch_weekly(connection, WeeklyQuestion(area=SMALL, end=end))
    )
    scans = scans_of(plan, "trip")
    assert scans
    assert {node["Node Type"] for node in scans} == {"Bitmap Heap Scan"}
    conditions = [node["Index Cond"] for node in walk(plan) if node.get("Index Name") == "trip_brin"]
    assert all("origin >=" in condition and "origin <=" in condition for condition in conditions)
    assert any("load_id = ANY" in condition for condition in conditions)


@open_plans
def test_bits_are_found_by_their_blocks_numbers(connection: Connection) -> None:
    """Through an index for each, so that the first come at once."""
    connection.exec_driver_sql("set local enable_seqscan = off")
    named = list_queries()["list_block_bits"]
    block_ids = [row.block_id for row in connection.exec_driver_sql("select block_id from segment_block")]
    plan = explain(
        connection, named.text, {"block_ids": block_ids, "first_words": [0] * len(block_ids), "words": [1] * len(block_ids)}
    )
    for table in ("segment_block", "batch_block"):
        [scan] = scans_of(plan, table)
        assert scan["Index Name"] == f"{table}_by_id"


@plain_storage
@pytest.mark.parametrize("name", ["count_group", "list_group_trips"])
def test_a_group_reads_the_trips_of_its_origin_cell(connection: Connection, name: str) -> None:
    cell = format_geohash(encode_position(*CITY) >> 27, 7)
    question = GroupDetailQuestion(origin_cell=cell, destination_cell=cell, bucket_minute=480)
    plan = explain_question(connection, name, lambda: fetch_group(connection, question))
    assert {node["Node Type"] for node in scans_of(plan, "trip")} == {"Bitmap Heap Scan"}
    [condition] = [node["Index Cond"] for node in walk(plan) if node.get("Index Name") == "trip_brin"]
    assert "origin >=" in condition
    assert "origin <=" in condition


@open_plans
def test_groups_of_hours_read_unindexed_trips_and_segments_only(connection: Connection) -> None:
    question = GroupQuestion()
    for name in ("count_unindexed_groups", "describe_groups"):
        plan = explain_question(connection, name, lambda: list_groups(connection, question))
        assert all("load_id" in json.dumps(node) for node in scans_of(plan, "trip"))


@plain_storage
def test_a_period_reads_the_unindexed_trips_of_its_odd_days_only(connection: Connection) -> None:
    question = WeeklyQuestion(from_on=date(2026, 1, 7), to_on=date(2026, 3, 10))
    text = list_queries()["count_unindexed_times"].text
    found = [
        parameters
        for statement, parameters in record(connection, lambda: fetch_weekly(connection, question))
        if statement == text
    ]
    assert [(each["from_on"], each["to_on"]) for each in found] == [
        (date(2026, 1, 7), date(2026, 1, 11)),
        (date(2026, 3, 9), date(2026, 3, 10)),
    ]
