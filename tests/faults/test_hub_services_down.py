"""A hub whose database, Redis or object store is away: one clear answer each, and no restart needed afterwards."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3
from pydantic import SecretStr

from shared.platform.settings import Settings
from shared.services.database import connect_database, transaction
from tests.hub import HubServer, read_error
from tests.services import PostgresServer, S3Server, Server, ValkeyServer

pytestmark = pytest.mark.faults


def wait_until(condition: Callable[[], bool], what: str, *, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


@pytest.fixture
def lone_settings(settings: Settings, own_postgres: PostgresServer, own_valkey: ValkeyServer, own_s3: S3Server) -> Settings:
    """Settings that point at servers of this test alone."""
    return settings.model_copy(
        update={
            "database_url": SecretStr(own_postgres.clone_template()),
            "redis_url": SecretStr(own_valkey.url()),
            "s3_endpoint": own_s3.endpoint,
            "s3_bucket": "tripdeck",
            "statement_timeout_ms": 2_000,
        }
    )


@pytest.fixture
def lone_hub(lone_settings: Settings, tmp_path: Path) -> Iterator[HubServer]:
    server = HubServer.start(lone_settings, tmp_path)
    yield server
    server.stop()


def assert_one_clear_answer(answer: urllib3.BaseHTTPResponse, code: str) -> None:
    assert read_error(answer) == (503, code)
    assert answer.headers["Retry-After"] == "5"
    assert "Traceback" not in answer.data.decode()


def assert_not_ready(hub: HubServer, service: str) -> None:
    answer = hub.get("/readyz")
    states = answer.json()["services"]
    assert (answer.status, [name for name in states if not states[name]["is_ready"]]) == (503, [service])
    assert len(states[service]["reason"]) > 10
    assert hub.get("/healthz").status == 200


def recover(hub: HubServer, server: Server) -> None:
    server.restart()
    wait_until(lambda: hub.get("/readyz").status == 200, "the hub is ready again")
    assert hub.put_file("a.csv", b"a,b\n1,2\n").status == 202


def test_each_service_that_is_away_has_its_own_answer(
    lone_hub: HubServer, own_postgres: PostgresServer, own_valkey: ValkeyServer, own_s3: S3Server
) -> None:
    assert lone_hub.put_file("a.csv", b"a,b\n1,2\n").status == 202
    upload = {"file_name": "a.csv", "bytes": 5}

    own_postgres.kill()
    for path in ("/api/v1/loads", "/api/v1/loads/1", "/api/v1/weekly-average", "/api/v1/regions"):
        assert_one_clear_answer(lone_hub.get(path), "database_unavailable")
    assert_one_clear_answer(lone_hub.put_file("a.csv", b"a,b\n1,2\n"), "database_unavailable")
    assert_one_clear_answer(lone_hub.post("/api/v1/uploads", upload), "database_unavailable")
    with lone_hub.follow("/ws/loads") as feed:
        assert feed.receive_close()[0] == 1013
    assert_not_ready(lone_hub, "database")
    recover(lone_hub, own_postgres)

    own_s3.kill()
    assert_one_clear_answer(lone_hub.put_file("a.csv", b"a,b\n1,2\n"), "store_unavailable")
    assert_one_clear_answer(lone_hub.post("/api/v1/uploads", upload), "store_unavailable")
    assert lone_hub.get("/api/v1/loads").status == 200
    assert_not_ready(lone_hub, "store")
    recover(lone_hub, own_s3)

    own_valkey.kill()
    assert lone_hub.put_file("a.csv", b"a,b\n1,2\n").status == 202  # the reconciler finds it in the database
    assert lone_hub.get("/api/v1/weekly-average").status == 200
    assert_not_ready(lone_hub, "redis")
    recover(lone_hub, own_valkey)
    assert "Traceback" not in lone_hub.log()


def test_a_question_that_takes_too_long_is_told_so(lone_hub: HubServer, lone_settings: Settings) -> None:
    engine = connect_database(lone_settings)
    try:
        with transaction(engine) as connection:
            connection.exec_driver_sql("lock table segment in access exclusive mode")
            assert_one_clear_answer(lone_hub.get("/api/v1/weekly-average"), "query_timeout")
    finally:
        engine.dispose()
    assert lone_hub.get("/api/v1/weekly-average").status == 200


def test_a_hub_that_starts_before_its_database_serves_when_that_comes(
    lone_settings: Settings, own_postgres: PostgresServer, tmp_path: Path
) -> None:
    own_postgres.kill()
    hub = HubServer.start(lone_settings, tmp_path)
    try:
        assert_one_clear_answer(hub.get("/api/v1/loads"), "database_unavailable")
        recover(hub, own_postgres)
        with hub.follow("/ws/loads?last=0") as feed:
            assert feed.receive()["kind"] == "queued"
    finally:
        hub.stop()


def test_a_store_that_dies_under_an_upload_is_one_clear_answer(lone_hub: HubServer, own_s3: S3Server) -> None:
    block = os.urandom(2**20)

    def send() -> Iterator[bytes]:
        for number in range(60):
            if number == 20:
                own_s3.kill()
            yield block

    assert_one_clear_answer(lone_hub.put_file("a.csv", send()), "store_unavailable")
    recover(lone_hub, own_s3)


def test_a_hub_that_is_told_to_stop_ends_what_it_has_begun(lone_hub: HubServer) -> None:
    is_stopping = threading.Event()

    def send() -> Iterator[bytes]:
        yield b"a,b\n"
        is_stopping.wait(20)
        yield b"1,2\n"

    answers: list[urllib3.BaseHTTPResponse] = []
    sender = threading.Thread(target=lambda: answers.append(lone_hub.put_file("a.csv", send())))
    sender.start()
    wait_until(lambda: b"tripdeck_hub_received_bytes_total 4.0" in lone_hub.get("/metrics").data, "the upload has begun")
    lone_hub.process.popen.terminate()
    wait_until(lambda: "the hub stops" in lone_hub.log(), "the hub stops")
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.PoolManager(retries=False, timeout=2).request("GET", f"{lone_hub.url}/healthz")
    is_stopping.set()
    sender.join(30)
    assert [answer.status for answer in answers] == [202]
    assert lone_hub.process.popen.wait(30) == 0
