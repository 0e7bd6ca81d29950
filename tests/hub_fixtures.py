"""Fixtures of the hub's tests: one hub a module with a database and a bucket of its own, and a hub of one's own to kill.

from tests.hub_fixtures import hub, hub_engine, hub_redis, hub_settings
"""

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import Engine

from infra.embedded import find_free_ports
from shared.platform.settings import Settings
from shared.services.database import connect_database
from shared.services.redis_client import connect_redis
from tests.hub import HubServer
from tests.services import ACCESS_KEY, PASSWORD, PostgresServer, S3Server, ValkeyServer

PAGE = "http://pages.example:8501"


@pytest.fixture(scope="module")
def hub_settings(
    postgres_server: PostgresServer,
    valkey_server: ValkeyServer,
    s3_server: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Settings]:
    """Settings of the module's hub."""
    [port] = find_free_ports(1)
    database_url = postgres_server.clone_template()
    with redis.Redis.from_url(valkey_server.url()) as client:
        client.flushall()
    yield Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        database_url=database_url,
        redis_url=valkey_server.url(),
        s3_endpoint=s3_server.endpoint,
        s3_access_key=ACCESS_KEY,
        s3_secret_key=PASSWORD,
        s3_bucket=s3_server.make_bucket(),
        hub_port=port,
        api_url=f"http://127.0.0.1:{port}",
        allowed_origins=(PAGE,),
    )
    postgres_server.drop(database_url)


@pytest.fixture(scope="module")
def hub(hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """A running hub."""
    server = HubServer.start(hub_settings, tmp_path_factory.mktemp("hub"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def hub_engine(hub_settings: Settings) -> Iterator[Engine]:
    """The hub's database."""
    engine = connect_database(hub_settings)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def hub_redis(hub_settings: Settings) -> Iterator["redis.Redis"]:
    """The hub's Redis."""
    client = connect_redis(hub_settings)
    yield client
    client.close()
