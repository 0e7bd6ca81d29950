"""A streaming replica: questions go there, answers follow the database, and everything else stays where it was."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.embedded import find_free_ports, prepare_postgres
from infra.embedded.account import find_account, place_data
from infra.embedded.postgres import find_install, make_postgres_url, remove_data
from shared.events import record_event
from shared.platform.errors import SettingsError
from shared.platform.settings import Settings
from shared.services.database import connect_database, connect_reader, transaction
from tests.hub import HubServer, read_error
from tests.loading import wait_until
from tests.random_trips import MONDAY, make_trip
from tests.services import (
    CITUS_BIN,
    FAST,
    PASSWORD,
    TIMESCALE_BIN,
    PostgresServer,
    S3Server,
    Server,
    ValkeyServer,
    make_server_folder,
)
from tests.trip_maker import insert_trips

pytestmark = pytest.mark.skipif(bool(TIMESCALE_BIN or CITUS_BIN), reason="replication is PostgreSQL's own matter")

SENDING = {"wal_level": "replica", "max_wal_senders": "4"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = make_server_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def primary(folder: Path) -> Iterator[PostgresServer]:
    server = PostgresServer.start(folder, SENDING)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def settings(
    primary: PostgresServer,
    folder: Path,
    valkey_server: ValkeyServer,
    s3_server: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """A hub's settings, the replica's URL beside the database's."""
    replica_port, hub_port = find_free_ports(2)
    url = primary.clone_template()
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        database_url=url,
        read_database_url=make_postgres_url(url.rsplit("/", 1)[1], port=replica_port, password=PASSWORD),
        redis_url=valkey_server.url(),
        s3_endpoint=s3_server.endpoint,
        hub_port=hub_port,
        api_url=f"http://127.0.0.1:{hub_port}",
    )


@pytest.fixture(scope="module")
def replica(primary: PostgresServer, folder: Path, settings: Settings) -> Iterator[Server]:
    assert settings.read_database_url is not None
    port = int(settings.read_database_url.get_secret_value().rsplit(":", 1)[1].partition("/")[0])
    account = find_account(folder / "replica")
    data_dir = place_data(folder / "replica", account)
    subprocess.run(
        [find_install(account).bin_dir / "pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", f"--pgdata={data_dir}"],
        env=os.environ | {"PGHOST": "127.0.0.1", "PGPORT": str(primary.port), "PGUSER": "postgres", "PGPASSWORD": PASSWORD},
        check=True,
    )
    if account is not None:
        for path in (data_dir, *data_dir.rglob("*")):
            os.chown(path, account.uid, account.gid)
    server = Server(prepare_postgres(folder / "replica", port=port, password=PASSWORD, options={**FAST, **SENDING}), port)
    yield server
    server.stop()
    remove_data(folder / "replica")


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = connect_database(settings)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def hub(settings: Settings, replica: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    server = HubServer.start(settings, tmp_path_factory.mktemp("hub"))
    yield server
    server.stop()


def insert(engine: Engine) -> None:
    with transaction(engine) as connection:
        record_event(connection, insert_trips(connection, [make_trip(MONDAY)]), "succeeded")


def pause_replay(settings: Settings, *, is_paused: bool) -> None:
    assert settings.read_database_url is not None
    url = settings.read_database_url.get_secret_value().replace("tripdeck:", "postgres:", 1)
    engine = connect_database(settings.model_copy(update={"database_url": Settings(database_url=url).database_url}))
    with engine.connect() as connection:
        connection.exec_driver_sql("select pg_wal_replay_pause()" if is_paused else "select pg_wal_replay_resume()")
        if is_paused:
            wait_until(
                lambda: connection.exec_driver_sql("select pg_get_wal_replay_pause_state()").scalar_one() == "paused",
                what="for the replica to pause",
            )
    engine.dispose()


def test_answers_and_their_tags_are_of_the_replicas_own_state(hub: HubServer, engine: Engine, settings: Settings) -> None:
    def ask() -> int:
        return int(hub.get("/api/v1/weekly-average").json()["trips"])

    insert(engine)
    wait_until(lambda: ask() == 1, what="for the first trip to reach the replica")
    pause_replay(settings, is_paused=True)
    tag = hub.get("/api/v1/weekly-average").headers["ETag"]
    insert(engine)
    assert ask() == 1
    assert hub.get("/api/v1/weekly-average", headers={"If-None-Match": tag}).status == 304
    assert len(hub.get("/api/v1/loads").json()["loads"]) == 2, "lists of loads come from the database itself"
    pause_replay(settings, is_paused=False)
    wait_until(lambda: ask() == 2, what="for the second trip to reach the replica")
    assert hub.get("/api/v1/weekly-average", headers={"If-None-Match": tag}).status == 200


def test_every_question_is_asked_there(hub: HubServer, replica: Server) -> None:
    assert hub.get("/readyz").json()["services"]["read_database"]["is_ready"]
    replica.stop()
    try:
        detail = "/api/v1/trip-groups/detail?origin_cell=u&destination_cell=u"
        paths = ["weekly-average", "trip-groups", "flows", "hours", "histograms", "regions", "datasources"]
        for path in [*(f"/api/v1/{name}" for name in paths), detail, "/api/v1/questions/regions_of_datasource"]:
            assert read_error(hub.get(path)) == (503, "database_unavailable"), path
        assert hub.get("/api/v1/loads").status == 200
        assert not hub.get("/readyz").json()["services"]["read_database"]["is_ready"]
    finally:
        replica.restart()


def test_without_the_setting_questions_go_to_the_database(settings: Settings, replica: Server) -> None:
    for url, is_replica in ((settings.read_database_url, True), (None, False)):
        engine = connect_reader(settings.model_copy(update={"read_database_url": url}))
        with transaction(engine) as connection:
            assert connection.exec_driver_sql("select pg_is_in_recovery()").scalar_one() is is_replica
        engine.dispose()
    with pytest.raises(SettingsError, match="READ_DATABASE_URL"):
        connect_reader(Settings(read_database_url="mysql://elsewhere"))
