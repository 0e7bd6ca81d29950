"""The whole product through a real PgBouncer in transaction mode, with the configuration of docker-compose.yml."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import Engine, make_url
from streamlit.testing.v1 import AppTest

from infra.embedded.postgres import ANALYST, connect_superuser
from infra.environment import make_environment
from infra.install_test_programs import find_pgbouncer
from loader.sample.generate import generate_trips
from shared.platform.errors import TransientError, TripdeckError
from shared.platform.settings import Settings
from shared.questions.analyst_sql import connect_analyst, run_sql
from shared.services.database import connect_database, transaction
from tests.command_line import CommandLine
from tests.conftest import skip_or_fail
from tests.hub import HubServer
from tests.hub_fixtures import hub_settings
from tests.loading import running_worker, wait_until
from tests.pooler import LOADS, Pooler
from tests.services import PASSWORD, PostgresServer, make_server_folder
from tests.shared_data import CHALLENGE_FILE, read_challenge_expected
from tests.ui.conftest import metrics
from ui.main import SCRIPT
from ui.services.resources import connect_resources, provide_resources

__all__ = ["hub_settings"]

TIMEOUT_MS = 4_321
CLIENTS = 12
ELSEWHERE = "Asia/Tokyo"
QUICK = {"batch_bytes": 32_768, "reconcile_interval_s": 0.5, "batch_lease_s": 3}
EXPECTED: dict[str, Any] = read_challenge_expected()


@pytest.fixture(scope="module")
def pooler(postgres_server: PostgresServer, hub_settings: Settings) -> Iterator[Pooler]:
    if find_pgbouncer() is None:
        skip_or_fail("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
    database_url = hub_settings.database_url.get_secret_value()
    with connect_superuser(port=postgres_server.port, password=PASSWORD) as connection:
        name = sql.Identifier(str(make_url(database_url).database))
        connection.execute(sql.SQL("alter database {} set timezone to {}").format(name, sql.Literal(ELSEWHERE)))
    folder = make_server_folder()
    server = Pooler.start(folder / "pgbouncer", database_url, statement_timeout_ms=TIMEOUT_MS)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def pooled(hub_settings: Settings, pooler: Pooler) -> Settings:
    """Settings of hub and web app."""
    return hub_settings.model_copy(update={"database_url": SecretStr(pooler.url())})


@pytest.fixture(scope="module")
def hub(pooled: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    server = HubServer.start(pooled, tmp_path_factory.mktemp("hub"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tripdeck(hub: HubServer, pooled: Settings, pooler: Pooler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line, a hub, and a worker on the pool for loads with batches of 300 rows."""
    loading = pooled.model_copy(update={"database_url": SecretStr(pooler.url(LOADS)), **QUICK})
    with running_worker(make_environment(loading), tmp_path_factory.mktemp("worker") / "worker.log"):
        yield CommandLine(pooled)


@pytest.fixture
def engine(pooled: Settings) -> Iterator[Engine]:
    engine = connect_database(pooled)
    yield engine
    engine.dispose()


def show(engine: Engine, name: str) -> str:
    with transaction(engine) as connection:
        return str(connection.exec_driver_sql(f"show {name}").scalar_one())


def test_questions_have_the_time_limit_of_the_setting_and_loads_their_own(
    engine: Engine, pooled: Settings, pooler: Pooler
) -> None:
    assert show(engine, "statement_timeout") == f"{TIMEOUT_MS}ms"
    assert show(engine, "idle_in_transaction_session_timeout") == "1min"
    loading = connect_database(pooled.model_copy(update={"database_url": SecretStr(pooler.url(LOADS))}))
    assert show(loading, "statement_timeout") == "10min"
    loading.dispose()


def test_a_question_that_exceeds_it_ends(engine: Engine) -> None:
    with pytest.raises(TransientError, match="time limit"), transaction(engine) as connection:
        connection.exec_driver_sql("select pg_sleep(60)")


def test_sessions_are_in_utc_though_the_database_and_the_client_do_not_ask_for_it(hub_settings: Settings, pooler: Pooler) -> None:
    zones = []
    for url in (hub_settings.database_url.get_secret_value(), pooler.url(), pooler.url(LOADS)):
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            zones.append(connection.execute("show timezone").fetchone())
    assert zones == [(ELSEWHERE,), ("UTC",), ("UTC",)]


def test_clients_share_a_connection_between_transactions(pooled: Settings) -> None:
    with ExitStack() as stack:
        backends = set()
        for _ in range(CLIENTS):
            engine = connect_database(pooled)
            stack.callback(engine.dispose)
            with transaction(engine) as connection:
                backends.add(connection.exec_driver_sql("select pg_backend_pid()").scalar_one())
        assert len(backends) < CLIENTS / 2


def test_the_challenge_is_loaded_asked_and_shown(tripdeck: CommandLine, pooled: Settings) -> None:
    answer = tripdeck.run("load", str(CHALLENGE_FILE), "--json")
    assert (answer.status, answer.json["rows_loaded"]) == (0, EXPECTED["rows"]), answer
    weekly = tripdeck.run("weekly", "--bbox=-180,-90,180,90", "--json").json
    assert (weekly["trips"], weekly["weekly_average"]) == (EXPECTED["rows"], EXPECTED["weekly_average_all"])
    groups = tripdeck.run("groups", "--limit", "100", "--json").json["groups"]
    assert sum(group["trips"] for group in groups) == EXPECTED["rows"]
    resources = connect_resources(pooled)
    provide_resources(resources)
    app = AppTest.from_file(SCRIPT, default_timeout=60).run()
    assert not app.exception
    assert metrics(app)["Trips"] == str(EXPECTED["rows"])
    resources.close()


def test_questions_in_sql_leave_no_trace_in_the_pool(pooled: Settings, pooler: Pooler) -> None:
    limits = {"sql_timeout_ms": 2_000, "sql_database_url": SecretStr(pooler.url(user=ANALYST))}
    asking = pooled.model_copy(update=limits)
    analyst = connect_analyst(asking)
    assert analyst is not None
    assert run_sql(analyst, "select count(*) from trips", settings=asking).table.rows == ((EXPECTED["rows"],),)
    lock = "select pg_advisory_lock(77), set_config('search_path', 'other', false), set_config('statement_timeout', '0', false)"
    run_sql(analyst, lock, settings=asking)
    for text, message in (("select pg_sleep(60)", "time limit"), ("delete from load", "no rows"), ("select 1; select 2", "One")):
        with pytest.raises(TripdeckError, match=message):
            run_sql(analyst, text, settings=asking)
    shown = (
        "select current_setting('search_path'), current_setting('statement_timeout'), count(*) from pg_locks "
        "where locktype = 'advisory'"
    )
    assert run_sql(analyst, shown, settings=asking).table.rows == (("public", "2s", 0),)
    answer = run_sql(analyst, "select n from generate_series(1, 1000000) as n", settings=asking, limit=1_000)
    assert (len(answer.table.rows), answer.is_truncated) == (1_000, True)
    analyst.dispose()


def test_a_killed_pooler_costs_no_row(
    tripdeck: CommandLine, hub: HubServer, pooler: Pooler, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("files") / "trips.csv"
    generate_trips(path, rows=8_000, seed=5)
    load = hub.put_file("trips.csv", path.read_bytes()).json()
    url = f"/api/v1/loads/{load['load_id']}"
    wait_until(lambda: hub.get(url).json()["batches_done"] > 0, what="for the first batch")
    pooler.kill()
    assert hub.get("/readyz").status == 503
    pooler.restart()
    wait_until(lambda: hub.get(url).json().get("state") == "succeeded", timeout_s=90, what="for the load to end")
    assert hub.get(url).json()["rows_loaded"] == 8_000
    assert tripdeck.run("check").status == 0
