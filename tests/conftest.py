"""Fixtures for every test: real servers once a session, a database, a Redis database and a bucket of one's own per test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
from sqlalchemy import Engine

from infra.embedded import find_free_ports
from infra.environment import make_environment
from loader.pipeline.context import Context, make_context
from shared.platform.settings import Settings
from shared.services.database import connect_database
from shared.services.objects import ObjectStore
from shared.services.queueing import connect_broker
from shared.services.redis_client import connect_redis
from tests.services import ACCESS_KEY, BUCKET, PASSWORD, PostgresServer, S3Server, ValkeyServer, make_server_folder

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("tripdeck", deadline=None)
hypothesis.settings.load_profile("tripdeck")

IS_CI = os.environ.get("CI") == "true"

# Settings of whoever runs the tests must not leak into them.
for _name in [name for name in os.environ if name.startswith("TRIPDECK_") and not name.startswith("TRIPDECK_TEST_")]:
    del os.environ[_name]
# A process that can't keep its compiled modules takes 4 s of processor time to start instead of 1.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def skip_or_fail(reason: str) -> None:
    """Skip at home where something optional is missing; fail in CI, where nothing may be."""
    if IS_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """PostgreSQL shared by the session; don't kill it, take own_postgres for that."""
    yield from _run_postgres()


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """Valkey shared by the session; don't kill it, take own_valkey for that."""
    server = ValkeyServer.start(tmp_path_factory.mktemp("valkey"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """SeaweedFS shared by the session; don't kill it, take own_s3 for that."""
    server = S3Server.start(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """PostgreSQL of this test alone: .kill(), .restart(), .signal(SIGSTOP)."""
    yield from _run_postgres()


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """Valkey of this test alone; a kill wipes it."""
    server = ValkeyServer.start(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def own_s3(tmp_path: Path) -> Iterator[S3Server]:
    """SeaweedFS of this test alone."""
    server = S3Server.start(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with the current schema and no rows."""
    url = postgres_server.clone_template()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def redis_url(valkey_server: ValkeyServer) -> str:
    """An empty Redis server: one test runs at a time, so everything is flushed before each."""
    url = valkey_server.url()
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
def s3_bucket(s3_server: S3Server) -> str:
    """An empty bucket: one test runs at a time, so it is emptied before each (the first write to a new bucket takes 220 ms)."""
    client = s3_server.connect()
    for found in client.list_objects(bucket_name=BUCKET, recursive=True):
        client.remove_object(bucket_name=BUCKET, object_name=str(found.object_name))
    return BUCKET


@pytest.fixture
def settings(database_url: str, redis_url: str, s3_server: S3Server, s3_bucket: str, tmp_path: Path) -> Settings:
    """Settings that point at this test's database, Redis and bucket, with free ports for a hub and a UI."""
    hub_port, ui_port = find_free_ports(2)
    return Settings(
        data_dir=tmp_path / "tripdeck",
        database_url=database_url,
        redis_url=redis_url,
        s3_endpoint=s3_server.endpoint,
        s3_access_key=ACCESS_KEY,
        s3_secret_key=PASSWORD,
        s3_bucket=s3_bucket,
        hub_port=hub_port,
        api_url=f"http://127.0.0.1:{hub_port}",
        ui_port=ui_port,
        allowed_origins=(f"http://127.0.0.1:{ui_port}", f"http://localhost:{ui_port}"),
    )


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, for processes that a test starts."""
    return make_environment(settings)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The test's database."""
    engine = connect_database(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def redis_client(settings: Settings) -> Iterator["redis.Redis"]:
    """The test's Redis."""
    client = connect_redis(settings)
    yield client
    client.close()


@pytest.fixture
def object_store(settings: Settings) -> ObjectStore:
    """The test's bucket."""
    return ObjectStore(settings)


def _run_postgres() -> Iterator[PostgresServer]:
    folder = make_server_folder()
    server = PostgresServer.start(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def context(settings: Settings) -> Iterator[Context]:
    """What the loader works with, for loads that run in this process."""
    context = make_context(settings, connect_broker(settings))
    yield context
    context.engine.dispose()
    context.broker.client.close()
