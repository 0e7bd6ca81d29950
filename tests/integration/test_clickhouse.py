"""Handing published loads over to ClickHouse, which runs in this process (chdb) and reads the files from the store itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from chdb import session

from loader.pipeline.context import Context
from loader.publishing import handover
from loader.publishing.engines.clickhouse import ClickHouseEngine
from loader.publishing.handover import hand_over
from shared.loads import undo_load
from shared.platform.errors import TerminalError, TransientError
from shared.publications import request_publication
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import transaction
from tests.conftest import S3Server
from tests.integration.test_handover import ROWS, fetch, publish
from tests.integration.test_publishing import list_kinds
from tests.loading import change

WEEKLY = """
    SELECT region, count() / (dateDiff('week', toMonday(min(started_at)), toMonday(max(started_at))) + 1)
    FROM trips WHERE load_id IN ({loads}) GROUP BY region ORDER BY region
"""


class EmbeddedServer:
    """ClickHouse in this process. breaks: the statement that begins so is lost on its way; cuts: its answer is."""

    def __init__(self) -> None:
        self.session = session.Session()
        self.statements: list[str] = []
        self.breaks = self.cuts = "-"

    def ask(self, statement: str, *, query_id: str | None = None) -> str:
        self.statements.append(statement)
        if statement.startswith(self.breaks):
            raise TransientError("The engine can't be reached.", code="engine_unavailable")
        try:
            answer = self.session.query(statement, "TSV")
        except RuntimeError as error:
            raise TerminalError(str(error), code="engine_refuses") from error
        if statement.startswith(self.cuts):
            raise TransientError("The engine can't be reached.", code="engine_unavailable")
        return "" if answer is None else str(answer).rstrip("\n")


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedServer]:
    server = EmbeddedServer()
    yield server
    server.session.close()


@pytest.fixture
def server(embedded: EmbeddedServer) -> EmbeddedServer:
    for table in embedded.session.query("SHOW TABLES", "TSV").data().split():
        embedded.session.query(f"DROP TABLE `{table}`")
    embedded.statements.clear()
    embedded.breaks = embedded.cuts = "-"
    return embedded


@pytest.fixture
def clickhouse(context: Context, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(handover, "POLL_S", 0.0)
    return change(context, publish_engine="clickhouse")


def step(context: Context, server: EmbeddedServer, load_id: int, *states: str) -> None:
    for state in states:
        hand_over(context, load_id, engine=ClickHouseEngine(context.settings, server))
        assert fetch(context, load_id)["state"] == state, fetch(context, load_id)


def count_trips(server: EmbeddedServer) -> dict[str, int]:
    answer = server.ask("SELECT load_id, count() FROM trips GROUP BY load_id ORDER BY load_id")
    return {load_id: int(rows) for load_id, rows in (line.split("\t") for line in answer.splitlines())}


def list_tables(server: EmbeddedServer) -> list[str]:
    return server.ask("SHOW TABLES").split()


def test_weekly_averages_equal_ours(clickhouse: Context, server: EmbeddedServer) -> None:
    loads = [publish(clickhouse), publish(clickhouse, seed=2)]
    for load_id in loads:
        step(clickhouse, server, load_id, "running", "succeeded")
        assert fetch(clickhouse, load_id)["rows_counted"] == ROWS
        assert list_kinds(clickhouse, load_id)[-1] == "handed_over"
    answer = server.ask(WEEKLY.format(loads=", ".join(map(str, loads))))
    found = {region: float(average) for region, average in (line.split("\t") for line in answer.splitlines())}
    with transaction(clickhouse.engine) as connection:
        expected = {name: fetch_weekly(connection, WeeklyQuestion(region=name)).weekly_average for name in found}
    assert len(found) > 1
    assert found == pytest.approx(expected, rel=1e-12)
    assert list_tables(server) == ["trips"]


def test_columns_and_types_are_those_of_the_load(clickhouse: Context, server: EmbeddedServer) -> None:
    load_id = publish(clickhouse)
    step(clickhouse, server, load_id, "running", "succeeded")
    types = dict(line.split("\t")[:2] for line in server.ask("DESCRIBE TABLE trips").splitlines())
    assert types["started_at"] == "DateTime64(6, \\'UTC\\')"
    assert (types["duration_s"], types["region"], types["origin_longitude"]) == (
        "Nullable(Int32)",
        "LowCardinality(String)",
        "Float64",
    )
    assert not {"origin", "destination"} & types.keys()
    first = server.ask("SELECT formatDateTime(min(started_at), '%Y-%m-%d %H:%i:%S') FROM trips")
    with transaction(clickhouse.engine) as connection:
        assert first == str(connection.exec_driver_sql("select min(started_at) from trip").scalar_one())


def test_undo_drops_the_load_and_no_other(clickhouse: Context, server: EmbeddedServer) -> None:
    first, second = publish(clickhouse), publish(clickhouse, seed=2)
    for load_id in (first, second):
        step(clickhouse, server, load_id, "running", "succeeded")
    undo_load(clickhouse.engine, clickhouse.broker, first)
    step(clickhouse, server, first, "undoing", "undone")
    assert count_trips(server) == {str(second): ROWS}


@pytest.mark.parametrize("statement", ["INSERT", "CREATE", "ALTER", "DROP TABLE"])
@pytest.mark.parametrize("is_run", [False, True], ids=["lost", "unanswered"])
def test_a_statement_that_is_lost_or_unanswered_is_made_up_for(
    clickhouse: Context, server: EmbeddedServer, statement: str, *, is_run: bool
) -> None:
    load_id = publish(clickhouse)
    if is_run:
        server.cuts = statement
    else:
        server.breaks = statement
    with pytest.raises(TransientError):
        step(clickhouse, server, load_id, "running", "succeeded")
    server.breaks = server.cuts = "-"
    while fetch(clickhouse, load_id)["state"] == "running":
        hand_over(clickhouse, load_id, engine=ClickHouseEngine(clickhouse.settings, server))
    assert fetch(clickhouse, load_id)["state"] == "succeeded"
    assert count_trips(server) == {str(load_id): ROWS}
    assert list_tables(server) == ["trips"]


def test_an_insert_that_wrote_too_little_fails_and_shows_nothing(clickhouse: Context, server: EmbeddedServer) -> None:
    load_id = publish(clickhouse)
    step(clickhouse, server, load_id, "running")
    staging = f"`{fetch(clickhouse, load_id)['task_id']}`"
    first = f"SELECT min(region) FROM {staging}"
    server.ask(f"ALTER TABLE {staging} DELETE WHERE region = ({first}) SETTINGS mutations_sync = 1")
    step(clickhouse, server, load_id, "failed")
    assert count_trips(server) == {}
    assert list_tables(server) == ["trips"]
    request_publication(clickhouse.engine, clickhouse.broker, load_id, settings=clickhouse.settings)
    step(clickhouse, server, load_id, "running", "succeeded")
    assert count_trips(server) == {str(load_id): ROWS}


def test_keys_are_sent_and_not_stored(clickhouse: Context, server: EmbeddedServer) -> None:
    load_id = publish(clickhouse)
    step(clickhouse, server, load_id, "running")
    secret = clickhouse.settings.s3_secret_key.get_secret_value()
    stored: Any = fetch(clickhouse, load_id)
    assert secret not in str(stored)
    assert [statement for statement in server.statements if secret in statement]
