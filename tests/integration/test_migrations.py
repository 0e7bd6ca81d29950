"""Migrating a database that has a schema: the newest stays as it is; one that no revision goes on from is left alone."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import Engine

from shared.compaction.segments import create_segment
from shared.groups.listing import list_groups
from shared.groups.question import GroupQuestion
from shared.index.snapshot import cache_index
from shared.platform.errors import TerminalError
from shared.platform.settings import Settings
from shared.questions.histograms import fetch_histogram
from shared.questions.weekly import WeeklyQuestion
from shared.services.database import connect_database, execute, transaction
from shared.services.migrations import migrate
from tests.random_trips import MONDAY, make_trip
from tests.recording import recorded_statements
from tests.services import PostgresServer
from tests.trip_maker import insert_trips

HALF_HOURS = GroupQuestion(bucket_minutes=30)
BLOCK = "1, true, 0, 0, 0, '2026-01-05', 0, 0, 0, 0, 0, '{1}', '', ''"
BOUNDS = "x_low, x_high, y_low, y_high"
COLUMNS = f"region_id, is_origin, times_at, x_at, y_at, base_on, base, {BOUNDS}, datasource_ids, week_trips, bits"
ROWS_OF_THE_BASELINE = (
    "insert into run (trips, has_hours) values (5, true)",
    "insert into load (state, file_name, object_key, object_etag, bytes_total, rows_loaded, run_id) "
    "values ('succeeded', 'a.csv', 'a', '', 1, 5, 1)",
    "insert into load (state, file_name, object_key, object_etag, bytes_total, rows_loaded, rows_in_blocks) "
    "values ('succeeded', 'b.csv', 'b', '', 1, 3, 3)",
    f"insert into run_point (run_id, has_cell_hours, trips, runs, {COLUMNS}) values (1, false, 5, 'a', {BLOCK})",
    f"insert into batch_point (load_id, trips, runs, {COLUMNS}) values (2, 3, 'b', {BLOCK})",
)


def read_revision(engine: Engine) -> str:
    with transaction(engine) as connection:
        return str(connection.exec_driver_sql("select version_num from alembic_version").scalar_one())


def set_revision(engine: Engine, revision: str) -> None:
    with transaction(engine) as connection:
        connection.exec_driver_sql("update alembic_version set version_num = %(revision)s", {"revision": revision})


def test_a_database_at_the_newest_schema_has_nothing_to_do(engine: Engine) -> None:
    before = read_revision(engine)
    with recorded_statements(engine) as statements:
        migrate(engine)
    assert statements
    assert [sql for sql, _ in statements if not sql.lower().lstrip().startswith(("select", "set local"))] == []
    assert read_revision(engine) == before


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        ("0024", "revision 0024, older than the oldest .* Run tripdeck-migrate of the previous version first"),
        ("9999", "revision 9999, newer than the newest that this version knows"),
    ],
)
def test_an_unknown_schema_is_left_alone(engine: Engine, revision: str, message: str) -> None:
    set_revision(engine, revision)
    with pytest.raises(TerminalError, match=message):
        migrate(engine)
    assert read_revision(engine) == revision


def test_the_command_says_it_too(engine: Engine) -> None:
    set_revision(engine, "0024")
    environment = os.environ | {"TRIPDECK_DATABASE_URL": engine.url.render_as_string(hide_password=False).replace("+psycopg", "")}
    command = [sys.executable, "-c", "from shared.services.migrations import main; main()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("tripdeck-migrate: The database's schema is revision 0024")
    assert "Run tripdeck-migrate of the previous version first" in done.stderr


def test_loads_are_indexed_anew(postgres_server: PostgresServer) -> None:
    url = postgres_server.make_empty()
    # Kernels may be compiled meanwhile.
    engine = cache_index(connect_database(Settings(database_url=url), statement_timeout_ms=0), mib=16)
    timed, plain = ([make_trip(MONDAY, minute=40, duration_s=duration_s)] * 9 for duration_s in (90, None))
    try:
        migrate(engine, "0029")
        with transaction(engine) as connection:
            loads = [insert_trips(connection, trips, kind="unindexed") for trips in (timed, timed, plain, plain)]
            for segment_id, load_id in enumerate((loads[0], loads[2]), start=1):
                connection.exec_driver_sql("insert into segment (trips) values (9)")
                connection.exec_driver_sql(f"update load set segment_id = {segment_id} where load_id = {load_id}")
            connection.exec_driver_sql(f"update load set rows_untimed = 9 where load_id in ({loads[2]}, {loads[3]})")
            connection.exec_driver_sql("update load set rows_in_blocks = 9 where segment_id is null")
        migrate(engine)
        with transaction(engine) as connection:
            visible = execute(connection, "open_snapshot", region=None, datasource=None).one()
            assert (visible.segment_ids, visible.load_ids, visible.load_has_blocks) == ([], loads, [False] * 4)
            before = fetch_histogram(connection, WeeklyQuestion(), by="duration"), list_groups(connection, HALF_HOURS)
            create_segment(connection, loads, 36)
            durations, groups = fetch_histogram(connection, WeeklyQuestion(), by="duration"), list_groups(connection, HALF_HOURS)
            assert (durations.trips, durations.unknown_trips, durations.bins[0].trips) == (36, 18, 18)
            assert [(group.bucket_minute, group.trips) for group in groups] == [(750, 36)]
            assert (before[0], [group.token for group in before[1]]) == (durations, [group.token for group in groups])
    finally:
        engine.dispose()
        postgres_server.drop(url)


def test_a_database_at_the_baseline_goes_on_with_its_rows(postgres_server: PostgresServer) -> None:
    url = postgres_server.make_empty()
    engine = connect_database(Settings(database_url=url))
    try:
        migrate(engine, "0025")
        with transaction(engine) as connection:
            for statement in ROWS_OF_THE_BASELINE:
                connection.exec_driver_sql(statement)
        migrate(engine)
        with transaction(engine) as connection:
            assert execute(connection, "list_merge_candidates").all() == [(None, 8, [1, 2])]
            assert connection.exec_driver_sql("select count(*) from block").scalar_one() == 0
            visible = execute(connection, "open_snapshot", region=None, datasource=None).one()
            assert (visible.segment_ids, visible.load_ids) == ([], [1, 2])
            assert (visible.load_trips, visible.load_has_blocks) == ([5, 3], [False, False])
    finally:
        engine.dispose()
        postgres_server.drop(url)
