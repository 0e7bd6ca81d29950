"""A restore: the database of an earlier instant beside the Redis and the bucket of later; nothing disagrees, and work goes on."""

from collections.abc import Iterator

import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import Engine

from infra.embedded.postgres import connect_superuser, make_postgres_url
from loader.checks.consistency import find_problems
from loader.pipeline.context import Context, make_context
from shared.events import STREAM, fetch_stream_position, publish_events
from shared.loads import list_loads
from shared.platform.settings import Settings
from shared.services.queueing import connect_broker
from shared.services.redis_client import connect_redis
from tests.loading import load_bytes, make_trips
from tests.services import CITUS_BIN, PASSWORD, PostgresServer

pytestmark = pytest.mark.skipif(bool(CITUS_BIN), reason="a copy of one database is none of its nodes'")


def restore(server: PostgresServer, engine: Engine, name: str) -> str:
    """Copy a database as it stands; returns the copy's URL."""
    engine.dispose()
    statement = sql.SQL("create database {} template {} owner tripdeck")
    with connect_superuser(port=server.port, password=PASSWORD) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(str(engine.url.database))))
    return make_postgres_url(name, port=server.port, password=PASSWORD)


@pytest.fixture
def restored(settings: Settings, context: Context, postgres_server: PostgresServer) -> Iterator[Context]:
    """One load, the database's copy, another load; then the copy in place of the database."""
    load_bytes(context, make_trips(500, seed=1)[0], file_name="before.csv")
    url = restore(postgres_server, context.engine, "restored")
    load_bytes(context, make_trips(700, seed=2)[0], file_name="after.csv")
    with connect_redis(settings) as client:
        publish_events(context.engine, client, history=settings.event_history)
    changed = settings.model_copy(update={"database_url": SecretStr(url)})
    later = make_context(changed, connect_broker(changed))
    yield later
    later.engine.dispose()
    later.broker.client.close()
    postgres_server.drop(url)


def test_a_restored_database_agrees_with_itself_and_work_goes_on(restored: Context) -> None:
    assert [load["file_name"] for load in list_loads(restored.engine)] == ["before.csv"]
    assert find_problems(restored.engine) == []
    again = load_bytes(restored, make_trips(700, seed=2)[0], file_name="after.csv")
    assert (again["state"], again["rows_loaded"]) == ("succeeded", 700)
    same = load_bytes(restored, make_trips(500, seed=1)[0], file_name="before-again.csv")
    assert same["duplicate_of"] == list_loads(restored.engine)[-1]["load_id"]
    assert find_problems(restored.engine) == []


def test_the_stream_of_the_lost_future_begins_anew(restored: Context) -> None:
    with connect_redis(restored.settings) as client:
        lost = fetch_stream_position(client)
        publish_events(restored.engine, client, history=restored.settings.event_history)
        known = fetch_stream_position(client)
        assert 0 < known < lost
        assert client.xlen(STREAM) == known
