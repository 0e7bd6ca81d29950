"""TimescaleDB answers as PostgreSQL does: every migration and every named query, on compressed chunks.

The other integration tests run on TimescaleDB when TRIPDECK_TEST_TIMESCALE_BIN names one; this one brings its own.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date

import pytest
from sqlalchemy import Connection, Engine

from loader.sample.generate import generate_trips
from shared.compaction.segments import create_segment
from shared.domain.area import parse_bbox
from shared.domain.trip_end import ENDS
from shared.groups.listing import fetch_flows, fetch_hours, list_groups
from shared.groups.question import FlowQuestion, GroupQuestion
from shared.platform.settings import Settings
from shared.questions.catalog import fetch_extent, list_datasources, list_regions
from shared.questions.challenge import answer_question, list_questions
from shared.questions.density import fetch_density
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import connect_database, driver_connection, transaction
from shared.services.migrations import list_baseline
from shared.services.named_queries import SQL_DIR, list_queries
from tests.conftest import skip_or_fail
from tests.integration.timescale.wasm_server import WasmServer, to_text
from tests.recording import Statement, recorded_statements
from tests.services import PostgresServer
from tests.trip_maker import insert_trips, read_challenge
from ui.components.build import BuildError

TURIN = parse_bbox("7.62,45.03,7.70,45.09")
ODD = parse_bbox("14.4011,50.0612,14.4433,50.1001")
WEEKS = 40  # four chunks

NAMES = sorted(list_queries())
_COPY_TARGET = re.compile(r"^copy (\w+) \(([^)]+)\)\s+from stdin(.*);", re.MULTILINE)
COPIES = [name for name in NAMES if "from stdin" in list_queries()[name].text]
READS = [name for name in NAMES if "to stdout" in list_queries()[name].text]
_OUTSIDE_TRANSACTIONS = ("vacuum_batch_blocks", "vacuum_rollup_week")

Question = Callable[[Connection], object]

QUESTIONS: dict[str, Question] = {
    **{f"weekly-{end}": lambda c, end=end: fetch_weekly(c, WeeklyQuestion(area=TURIN, end=end)) for end in ENDS},
    **{
        f"weekly-odd-{end}": lambda c, end=end: fetch_weekly(
            c, WeeklyQuestion(area=ODD, end=end, region="Prague", from_on=date(2026, 1, 14), to_on=date(2026, 5, 2))
        )
        for end in ENDS
    },
    "weekly-region": lambda c: fetch_weekly(c, WeeklyQuestion(region="Hamburg")),
    "weekly-datasource": lambda c: fetch_weekly(
        c, WeeklyQuestion(region="Turin", datasource="baba_car", from_on=date(2026, 2, 4), to_on=date(2026, 3, 5))
    ),
    "groups": lambda c: list_groups(c, GroupQuestion(limit=40)),
    "groups-coarse": lambda c: list_groups(c, GroupQuestion(precision=5, bucket_minutes=120, region="Prague", limit=40)),
    "groups-fine-box": lambda c: list_groups(
        c, GroupQuestion(precision=7, bucket_minutes=15, area=TURIN, end="either", hour_from=22, hour_to=9, limit=40)
    ),
    "flows": lambda c: fetch_flows(c, FlowQuestion(limit=60)),
    "flows-viewport": lambda c: fetch_flows(c, FlowQuestion(precision=5, viewport=ODD, area=ODD, end="both", limit=60)),
    "hours": lambda c: fetch_hours(c, FlowQuestion(region="Turin", area=TURIN)),
    "regions": list_regions,
    "datasources": list_datasources,
    "extent": fetch_extent,
    "density": fetch_density,
    **{f"challenge-{q.name}": lambda c, name=q.name: answer_question(c, name) for q in list_questions()},
}

# What queries are tried with: by query, or by name of the parameter, where its type says too little; else by type.
SAMPLES_BY_NAME: dict[str, object] = {
    "cell_trips": [3],
    "state": "failed",
    "names": ["Turin", "Prague"],
    "batches": '[{"batch_no": 7, "slice": {}, "bytes": 1, "lines_before": 0, "records_before": 0}]',
    "batch_no": 7,
    "cell_shift": 32,
    "precision": 6,
    "bucket_minutes": 60,
    "hour_from": 7,
    "hour_to": 10,
    "kind": "queued",
    "from_on": date(2026, 1, 7),
    "to_on": date(2026, 6, 7),
    "whole_from": date(2026, 1, 12),
    "whole_to": date(2026, 5, 31),
}
# Of these no row is added: it would need the row of another table.
_NO_OBJECTS: dict[str, object] = {key: [] for key in ("keys", "etags", "bytes")}
_NO_PLACES: dict[str, object] = {key: [] for key in ("keys", "names", "positions", "polygons", "west", "south", "east", "north")}
SAMPLES_BY_QUERY: dict[str, dict[str, object]] = {
    "add_source_objects": _NO_OBJECTS,
    "begin_analyst_sql": {"timeout_ms": "1000", "work_mem": "4MB"},
    "insert_place_set": {"kind": "zones"},
    "insert_places": _NO_PLACES,
    "insert_source": {"on_drift": "ask"},
}
SAMPLES_BY_TYPE: dict[str, object] = {
    "smallint": 1,
    "integer": 1,
    "bigint": 1,
    "float8": 1.5,
    "boolean": True,
    "text": "made",
    "bytea": "\\x01",
    "jsonb": "{}",
    "uuid": "6b1f4f3e-1111-4222-8333-444455556666",
    "date": date(2026, 2, 2),
    "timestamp": "2026-02-02 10:00:00",
    "timestamptz": "2026-02-02 10:00:00+00",
    "bigint[]": TURIN.on_grid().bounds(),
    "smallint[]": [1, 2],
    "integer[]": [1, 2],
    "boolean[]": [True],
    "text[]": ["made"],
}


@pytest.fixture(scope="module")
def plain(postgres_server: PostgresServer) -> Iterator[Engine]:
    """PostgreSQL with generated trips."""
    url = postgres_server.clone_template()
    engine = connect_database(Settings(database_url=url))
    yield engine
    engine.dispose()
    postgres_server.drop(url)


@pytest.fixture(scope="module")
def server(plain: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WasmServer]:
    """TimescaleDB with the same rows, its chunks compressed."""
    path = tmp_path_factory.mktemp("timescale") / "trips.csv"
    generate_trips(path, rows=3_000, weeks=WEEKS)
    with transaction(plain) as connection:
        trips = read_challenge(path)
        packed = insert_trips(connection, trips[:2_000])
        insert_trips(connection, trips[2_000:])
        create_segment(connection, [packed], 2_000)
    try:
        started = WasmServer.start()
    except (OSError, subprocess.SubprocessError, BuildError) as error:
        skip_or_fail(f"TimescaleDB for Node can't be installed: {error}")
    with started as running:
        _migrate(running)
        with transaction(plain) as connection:
            _copy_rows(connection, running)
        running.run("select compress_chunk(c) from show_chunks('trip') as c")
        yield running


def test_trip_is_a_hypertable_with_columnstore(server: WasmServer) -> None:
    found = server.run(
        "select num_chunks >= 3, compression_enabled from timescaledb_information.hypertables where hypertable_name = 'trip'"
    )
    assert found.rows == [["t", "t"]]
    compressed = server.run("select count(*) filter (where not is_compressed) from timescaledb_information.chunks")
    assert compressed.rows == [["0"]]
    assert server.run("select count(*) from trip").rows == [["3000"]]
    jobs = server.run("select count(*) from timescaledb_information.jobs where hypertable_name = 'trip'")
    assert jobs.rows == [["1"]]


@pytest.mark.parametrize("name", QUESTIONS)
def test_compressed_chunks_answer_as_plain_postgres(name: str, plain: Engine, server: WasmServer) -> None:
    with recorded_statements(plain) as statements, transaction(plain) as connection:
        QUESTIONS[name](connection)
        answers = [_run_as_text(connection, statement) for statement in list(statements)]
    assert answers
    assert any(answers)
    for (sql, parameters), expected in zip(statements, answers, strict=False):
        found = server.run(sql, parameters).rows
        # Rows of a query without an order of its own come as the server likes.
        is_ordered = re.search(r"order by [^()]*;\s*$", sql)
        assert found == expected if is_ordered else Counter(map(tuple, found)) == Counter(map(tuple, expected))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {*COPIES, *READS}])
def test_named_query_runs(name: str, server: WasmServer) -> None:
    query = list_queries()[name]
    samples = SAMPLES_BY_NAME | SAMPLES_BY_QUERY.get(name, {})
    parameters = {key: samples[key] if key in samples else SAMPLES_BY_TYPE[kind] for key, kind in query.parameters.items()}
    with nullcontext() if name in _OUTSIDE_TRANSACTIONS else rolled_back(server):
        server.run(query.text, parameters)


@pytest.mark.parametrize("name", COPIES)
def test_copy_takes_rows(name: str, plain: Engine, server: WasmServer) -> None:
    text = list_queries()[name].text
    table, columns, form = _COPY_TARGET.search(text).groups()  # type: ignore[union-attr]
    with transaction(plain) as connection:
        data = _copy_out(connection, f"copy (select {columns} from {table}) to stdout {form}")
    with rolled_back(server):
        before = int(server.run(f"select count(*) from {table}").rows[0][0] or 0)
        server.run("set local session_replication_role = replica")
        server.copy(text, data)
        assert int(server.run(f"select count(*) from {table}").rows[0][0] or 0) == 2 * before


def test_trips_come_back_from_a_compressed_chunk_by_load(server: WasmServer) -> None:
    with rolled_back(server):
        server.run(list_queries()["begin_writing"].text)
        server.run(list_queries()["delete_trips"].text, {"load_id": 1, "gone_from": "2026-01-01", "gone_to": "2027-01-01"})
        assert server.run("select count(*) from trip").rows == [["1000"]]


@contextmanager
def rolled_back(server: WasmServer) -> Iterator[None]:
    server.run("begin")
    try:
        yield
    finally:
        server.run("rollback")


def _migrate(server: WasmServer) -> None:
    server.run("create extension timescaledb")
    folder = SQL_DIR / "migrations"
    for path in [*(folder / name for name in list_baseline("timescaledb")), *sorted(folder.glob("*.sql"))]:
        if not path.stem.endswith(("_plain", "_citus")):
            server.run_script(path.read_text(encoding="utf-8"))


def _copy_rows(connection: Connection, server: WasmServer) -> None:
    """Fill every table with plain PostgreSQL's rows, through COPY BINARY."""
    tables = connection.exec_driver_sql(
        "select relname, string_agg(quote_ident(attname), ', ' order by attnum) from pg_class "
        "join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped and attgenerated = '' "
        "where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relname <> 'alembic_version' "
        "group by relname order by relname"
    )
    server.run("set session_replication_role = replica")
    for table, columns in tables.all():
        server.run(f"delete from {table}")
        data = _copy_out(connection, f"copy (select {columns} from {table}) to stdout (format binary)")
        server.copy(f"copy {table} ({columns}) from stdin (format binary)", data)
    server.run("set session_replication_role = origin")
    identities = server.run(
        "select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid "
        "where attidentity <> '' and relnamespace = 'public'::regnamespace"
    )
    for table, column in identities.rows:
        server.run(
            f"select setval(pg_get_serial_sequence('{table}', '{column}'), (select coalesce(max({column}), 1) from {table}))"
        )


def _copy_out(connection: Connection, sql: str) -> bytes:
    with driver_connection(connection).cursor().copy(sql) as copy:
        return b"".join(copy)


def _run_as_text(connection: Connection, statement: Statement) -> list[list[str | None]]:
    sql, parameters = statement
    cursor = driver_connection(connection).execute(sql, {name: to_text(value) for name, value in parameters.items()})
    result = cursor.pgresult
    assert result is not None
    cells = [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
    return [[None if cell is None else bytes(cell).decode() for cell in row] for row in cells]
