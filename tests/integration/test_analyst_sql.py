"""Questions in an analyst's own SQL: what they answer, and that no statement writes, reads what is not theirs, or has no end."""

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import Engine

from infra.embedded.postgres import ANALYST, connect_superuser
from loader.pipeline.context import Context
from shared.platform.errors import RequestError, SettingsError, TransientError
from shared.platform.hub_tokens import ForbiddenError
from shared.platform.settings import Settings
from shared.questions.analyst_sql import connect_analyst, list_columns, run_sql
from shared.services.database import transaction
from tests.analysts import ROW_LIMIT, TIMEOUT_MS, as_analyst
from tests.command_line import CommandLine, assert_one_line
from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_engine, hub_redis
from tests.hub_fixtures import hub_settings as plain_settings
from tests.loading import load_bytes
from tests.services import CITUS_BIN, PASSWORD, PostgresServer
from tests.shared_data import CHALLENGE_FILE, read_challenge_expected

__all__ = ["hub", "hub_engine", "hub_redis", "plain_settings"]

pytestmark = pytest.mark.skipif(bool(CITUS_BIN), reason="questions in SQL are off on Citus")


@pytest.fixture
def asking(settings: Settings) -> Settings:
    return as_analyst(settings)


@pytest.fixture
def analyst(asking: Settings) -> Iterator[Engine]:
    engine = connect_analyst(asking)
    assert engine is not None
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def hub_settings(plain_settings: Settings) -> Settings:
    return as_analyst(plain_settings)


def ask(analyst: Engine, asking: Settings, text: str) -> list[tuple[Any, ...]]:
    return list(run_sql(analyst, text, settings=asking).table.rows)


def test_statements_read_the_views(analyst: Engine, asking: Settings, context: Context) -> None:
    load_bytes(context, CHALLENGE_FILE.read_bytes())
    expected = read_challenge_expected()
    assert ask(analyst, asking, "select count(*) from trips;  ") == [(expected["rows"],)]
    rows = ask(analyst, asking, "select distinct region from trips where datasource like 'cheap%' order by 1 -- by name")
    assert [row[0] for row in rows] == expected["bonus_cheap_mobile_regions"]
    for text in ("table weekly_trips", "with t as (select * from load_history) select * from t", "values (1, 'a'), (2, 'b')"):
        assert ask(analyst, asking, text)
    views = {row[0] for row in list_columns(analyst).rows}
    assert views == {"trips", "weekly_trips", "rejects", "load_history", "region", "datasource", "place", "place_set"}
    for view in views:
        run_sql(analyst, f"select * from {view}", settings=asking)


def test_values_are_those_that_tables_hold(analyst: Engine, asking: Settings) -> None:
    text = """
        select 1 as a, 2.5 as a, 3::numeric as n, null as nothing, date '2026-01-05' as day, 'NaN'::float8 as nan,
               interval '1 hour' as i, '{"b": [1]}'::jsonb as j, array[1, 2] as l, decode('00ff', 'hex') as y, 'it''s 5%' as s
    """
    answer = run_sql(analyst, text, settings=asking)
    assert answer.table.columns == ("a", "a_2", "n", "nothing", "day", "nan", "i", "j", "l", "y", "s")
    document = answer.to_json()
    assert document["rows"] == [[1, 2.5, 3, None, "2026-01-05", None, "1:00:00", '{"b": [1]}', "[1, 2]", "00ff", "it's 5%"]]
    assert document["is_truncated"] is False
    assert ask(analyst, asking, "select 10 % 3, 'a%b' like '%b'") == [(1, True)]


REFUSED = [
    "insert into load (file_name) values ('x')",
    "update load set state = 'failed'",
    "delete from trip",
    "truncate trip",
    "drop table load",
    "create table made (a integer)",
    "create temporary table made (a integer)",
    "select 1 into made",
    "select * into temporary made from trips",
    "alter role tripdeck_sql superuser",
    "with gone as (delete from load returning *) select * from gone",
    "select * from trips for update",
    "select 1; select 2",
    "select 1; drop table load",
    "copy trips to stdout",
    "copy (select 1) to '/tmp/x'",
    "copy (select 1) to program 'id'",
    "copy trip from stdin",
    "do $$ begin perform 1; end $$",
    "call made()",
    "set role tripdeck",
    "set session authorization tripdeck",
    "select set_config('role', 'tripdeck', true)",
    "select set_config('session_authorization', 'postgres', true)",
    "select set_config('transaction_read_only', 'off', true)",
    "begin",
    "commit",
    "rollback",
    "listen made",
    "notify made",
    "vacuum",
    "lock table trips",
    "prepare made as select 1",
    "declare made cursor with hold for select 1",
    "show all",
    "explain select 1",
    "select * from load",
    "select * from load_event",
    "select secret from webhook",
    "select query_to_xml('select secret from webhook', true, false, '')",
    "select table_to_xml('webhook', true, false, '')",
    "select query_to_xml('delete from load', true, false, '')",
    "select * from pg_authid",
    "select * from pg_shadow",
    "select * from pg_hba_file_rules",
    "select * from pg_file_settings",
    "select pg_read_file('/etc/passwd')",
    "select pg_read_binary_file('PG_VERSION')",
    "select pg_ls_dir('.')",
    "select pg_stat_file('PG_VERSION')",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/x')",
    "select lo_from_bytea(0, 'x')",
    "select pg_reload_conf()",
    "select pg_switch_wal()",
    "select nextval('load_load_id_seq')",
    "select pg_terminate_backend(pg_postmaster_start_time()::text::integer)",
    "select 1) as a, (select 2",
    "select 1) as a union all (select 2",
    "select 1 /*",
    "select 'open",
    "select $$open",
    "select $1",
    "select",
    "  ; ",
    "select 1 \0",
    "select 1" + " " * 20_000 + "+ 1",
    "select 'infinity'::date",
    "select repeat('x', 2000000)",
    "select repeat('x', 2000000000)",
    "select 1 / 0",
    "select nobody from trips",
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
def test_hostile_statements_are_refused_with_a_reason(analyst: Engine, asking: Settings, engine: Engine, text: str) -> None:
    with pytest.raises(RequestError) as refusal:
        run_sql(analyst, text, settings=asking)
    assert refusal.value.parameter == "sql"
    assert ask(analyst, asking, "select current_user::text, current_setting('transaction_read_only')") == [(ANALYST, "on")]


def test_the_reason_names_the_line(analyst: Engine, asking: Settings) -> None:
    with pytest.raises(RequestError, match=r"^Column \"nobody\" does not exist \(line 3\)\.$"):
        run_sql(analyst, "select region,\n  datasource,\n  nobody\nfrom trips", settings=asking)


def test_what_is_not_theirs_is_named_with_what_is(analyst: Engine, asking: Settings) -> None:
    with pytest.raises(RequestError, match="Permission denied for table webhook; analysts read trips, weekly_trips"):
        run_sql(analyst, "select * from webhook", settings=asking)


def test_other_sessions_and_passwords_are_not_seen(analyst: Engine, asking: Settings, engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.exec_driver_sql("select 'a secret of the loader'")
        rows = ask(analyst, asking, "select coalesce(query, '') || coalesce(application_name, '') from pg_stat_activity")
    assert not any("a secret of the loader" in row[0] for row in rows)
    assert {row[0] for row in ask(analyst, asking, "select distinct rolpassword from pg_roles")} == {"********"}
    settings = " ".join(str(row) for row in ask(analyst, asking, "select name, setting from pg_settings"))
    assert PASSWORD not in settings


@pytest.mark.parametrize(
    "text",
    [
        "select pg_sleep(60)",
        "select pg_sleep(0.1), n from generate_series(1, 100000) as n",
        "select count(*) from generate_series(1, 100000) as a, generate_series(1, 100000) as b, generate_series(1, 100000) as c",
        "with recursive r as (select 1 as n union all select n + 1 from r) select max(n) from r",
        "select set_config('statement_timeout', '0', false), pg_sleep(60)",
    ],
    ids=lambda text: text[:30],
)
def test_a_statement_without_an_end_ends_at_the_time_limit(analyst: Engine, asking: Settings, text: str) -> None:
    began = time.monotonic()
    with pytest.raises(TransientError, match="time limit"):
        run_sql(analyst, text, settings=asking)
    assert time.monotonic() - began < 10 * TIMEOUT_MS / 1000  # of a busy machine
    assert ask(analyst, asking, "select 1") == [(1,)]


def test_a_huge_answer_is_cut(analyst: Engine, asking: Settings) -> None:
    answer = run_sql(analyst, "select n from generate_series(1, 2000000) as n", settings=asking)
    assert ([row[0] for row in answer.table.rows], answer.is_truncated) == (list(range(1, ROW_LIMIT + 1)), True)
    exact = run_sql(analyst, f"select n from generate_series(1, {ROW_LIMIT}) as n", settings=asking)
    assert (len(exact.table.rows), exact.is_truncated) == (ROW_LIMIT, False)
    few = run_sql(analyst, "select n from generate_series(1, 100) as n", settings=asking, limit=7)
    assert (len(few.table.rows), few.is_truncated) == (7, True)
    wide = run_sql(analyst, "select repeat(n::text, 300000) from generate_series(1, 400) as n", settings=asking)
    assert wide.is_truncated
    assert 10 < len(wide.table.rows) < 60


def test_nothing_stays_in_the_session(analyst: Engine, asking: Settings, engine: Engine) -> None:
    changes = "select set_config('search_path', 'other', false), set_config('work_mem', '2GB', false)"
    lock = "select pg_advisory_lock(hashtext('tripdeck.clean'), 1)"
    for text in (changes, lock):
        ask(analyst, asking, text)
    names = "current_setting('search_path'), current_setting('work_mem'), current_setting('statement_timeout')"
    assert ask(analyst, asking, f"select {names}") == [("public", "16MB", f"{TIMEOUT_MS // 1000}s")]
    with pytest.raises(TransientError):
        run_sql(analyst, f"{lock}, pg_sleep(60)", settings=asking)
    with transaction(engine) as connection:
        assert connection.exec_driver_sql("select pg_try_advisory_xact_lock(hashtext('tripdeck.clean'), 1)").scalar_one()


def test_a_connection_that_is_cut_is_made_anew(analyst: Engine, asking: Settings, postgres_server: PostgresServer) -> None:
    errors: list[Exception] = []

    def sleep() -> None:
        try:
            run_sql(analyst, "select pg_sleep(30)", settings=asking.model_copy(update={"sql_timeout_ms": 30_000}))
        except TransientError as error:
            errors.append(error)

    thread = threading.Thread(target=sleep)
    thread.start()
    with connect_superuser(port=postgres_server.port, password=PASSWORD) as connection:
        found = "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s and query like '%%pg_sleep%%'"
        while not connection.execute(found, [ANALYST]).fetchall():
            time.sleep(0.05)
    thread.join()
    assert len(errors) == 1
    assert ask(analyst, asking, "select 1") == [(1,)]


def test_a_role_that_may_more_is_refused(settings: Settings, asking: Settings, postgres_server: PostgresServer) -> None:
    owner = asking.model_copy(update={"sql_database_url": settings.database_url})
    refuse(owner)
    with connect_superuser(port=postgres_server.port, password=PASSWORD) as connection:
        grant = sql.SQL("grant pg_read_server_files to {}").format(sql.Identifier(ANALYST))
        connection.execute(grant)
        try:
            refuse(asking)
        finally:
            connection.execute(sql.SQL("revoke pg_read_server_files from {}").format(sql.Identifier(ANALYST)))


def refuse(settings: Settings) -> None:
    engine = connect_analyst(settings)
    assert engine is not None
    with pytest.raises(ForbiddenError, match="may do more than tripdeck_analyst"):
        run_sql(engine, "select pg_read_file('PG_VERSION')", settings=settings)
    engine.dispose()


def test_it_is_off_unless_it_is_set(settings: Settings) -> None:
    for value in (None, SecretStr("")):
        plain = settings.model_copy(update={"sql_database_url": value})
        assert connect_analyst(plain) is None
        with pytest.raises(ForbiddenError, match="are off"):
            run_sql(None, "select 1", settings=plain)


def test_small_counts_and_sql_exclude_each_other(asking: Settings) -> None:
    with pytest.raises(SettingsError, match="TRIPDECK_MIN_GROUP_TRIPS"):
        connect_analyst(asking.model_copy(update={"min_group_trips": 5}))


def test_rest_answers_in_each_form(hub: HubServer) -> None:
    body = {"sql": "select n, 'row ' || n as name from generate_series(1, 3) as n"}
    answer = hub.post("/api/v1/sql", body)
    assert answer.json() == {
        "columns": ["n", "name"],
        "rows": [[1, "row 1"], [2, "row 2"], [3, "row 3"]],
        "is_truncated": False,
    }
    assert hub.post("/api/v1/sql", body, format="csv").data == b"n,name\r\n1,row 1\r\n2,row 2\r\n3,row 3\r\n"
    for form, read in (("parquet", pl.read_parquet), ("arrow", pl.read_ipc_stream)):
        found = hub.post("/api/v1/sql", body | {"limit": 2}, format=form)
        assert read(io.BytesIO(found.data)).to_dict(as_series=False) == {"n": [1, 2], "name": ["row 1", "row 2"]}
        assert found.headers["Tripdeck-Truncated"] == "true"
    assert b"'=1+1" in hub.post("/api/v1/sql", {"sql": "select '=1+1' as a"}, format="csv").data


def test_rest_says_what_is_wrong(hub: HubServer, plain_settings: Settings, tmp_path: Path) -> None:
    for body in ({}, {"sql": "drop table load"}, {"sql": "select 1", "limit": 0}, {"sql": "select 1", "other": 1}):
        assert read_error(hub.post("/api/v1/sql", body)) == (400, "bad_request")
    assert read_error(hub.post("/api/v1/sql", {"sql": "select pg_sleep(60)"})) == (503, "query_timeout")
    assert hub.get("/api/v1/sql").status == 405


def test_the_command_line(hub: HubServer, hub_settings: Settings, tmp_path: Path) -> None:
    tripdeck = CommandLine(hub_settings)
    text = "select n from generate_series(1, 5) as n"
    assert tripdeck.run("sql", text, "--json").json["rows"] == [[1], [2], [3], [4], [5]]
    table = tripdeck.run("sql", text, "--limit", "2")
    assert (table.status, table.output.split()) == (0, ["n", "1", "2"])
    assert table.errors == "tripdeck: The answer ends at the limit; it has more rows.\n"
    path = tmp_path / "answer.parquet"
    assert tripdeck.run("sql", text, "-o", str(path)).status == 0
    assert pl.read_parquet(path)["n"].to_list() == [1, 2, 3, 4, 5]
    assert_one_line(tripdeck.run("sql", text, "-o", "answer.xlsx"), 2, ".parquet")
    assert_one_line(tripdeck.run("sql", "select nobody"), 2, 'Column "nobody" does not exist (line 1).')


def test_it_is_forbidden_where_it_is_off(plain_settings: Settings, tmp_path: Path, hub: HubServer) -> None:
    from infra.embedded import find_free_ports

    [port] = find_free_ports(1)
    off = HubServer.start(plain_settings.model_copy(update={"hub_port": port}), tmp_path)
    try:
        assert read_error(off.post("/api/v1/sql", {"sql": "select 1"})) == (403, "forbidden")
    finally:
        off.stop()
