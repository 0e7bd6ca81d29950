"""The feed's history: the stream, the outbox behind it, restarts, lost and malformed entries."""

import json
import threading
import time
from pathlib import Path

import pytest
import redis
import websocket
from sqlalchemy import Engine

from shared.events import STREAM
from shared.platform.settings import Settings
from shared.services.database import transaction
from tests.event_maker import add_events, end_load, fetch_position, make_load, publish
from tests.feed_clients import positions, running
from tests.hub import HubServer
from tests.hub_fixtures import hub, hub_engine, hub_redis, hub_settings
from tests.services import ValkeyServer

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings", "running"]


def test_events_that_left_the_stream_come_from_the_outbox(
    hub_settings: Settings, hub_engine: Engine, hub_redis: "redis.Redis", hub: HubServer, tmp_path: Path
) -> None:
    add_events(hub_engine, make_load(hub_engine), 3_000)
    newest = publish(hub_engine, hub_redis)
    hub_redis.xtrim(STREAM, maxlen=10, approximate=False)
    hub.kill()
    hub.restart()  # so that its ring is warm with the newest only
    with hub.follow("/ws/loads?last=0") as feed:
        assert positions(feed.receive_to(newest)) == list(range(1, newest + 1))


def test_history_that_is_gone_is_made_up_for_by_a_snapshot_that_says_so(
    hub_engine: Engine, hub_redis: "redis.Redis", hub: HubServer
) -> None:
    ended = make_load(hub_engine)
    seen = publish(hub_engine, hub_redis)
    end_load(hub_engine, ended)
    for _ in range(110):  # so that the load is no longer among the newest
        make_load(hub_engine)
    add_events(hub_engine, make_load(hub_engine), 2_000)
    newest = publish(hub_engine, hub_redis)
    hub_redis.xtrim(STREAM, maxlen=100, approximate=False)
    with transaction(hub_engine) as connection:
        connection.exec_driver_sql(
            "delete from load_event where position between %(seen)s + 1 and %(newest)s - 100"
            " and seq < (select last_seq from load where load.load_id = load_event.load_id)",
            {"seen": seen, "newest": newest},
        )
    hub.kill()
    hub.restart()
    with hub.follow(f"/ws/loads?last={seen}") as feed:
        messages = feed.receive_to(newest)
    kinds = [message["kind"] for message in messages]
    snapshot = messages[kinds.index("snapshot")]
    assert (snapshot["position"], kinds.count("snapshot")) == (newest, 1)
    known = {load["load_id"]: load["state"] for load in snapshot["loads"]} | {
        message["load_id"]: message["state"] for message in messages if message["kind"] != "snapshot"
    }
    assert known[ended] == "failed"


def test_nothing_is_lost_or_doubled_while_the_hub_is_killed(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis") -> None:
    load_id = make_load(hub_engine)
    first = publish(hub_engine, hub_redis)
    last = first + 1000
    received: list[int] = []
    deadline = time.monotonic() + 60

    def follow() -> None:
        while time.monotonic() < deadline:
            try:
                with hub.follow(f"/ws/loads?last={received[-1] if received else first}") as feed:
                    while not received or received[-1] < last:
                        received.append(feed.receive()["position"])
                    return
            except (OSError, websocket.WebSocketException):
                time.sleep(0.02)

    follower = threading.Thread(target=follow)
    follower.start()
    for step in range(50):
        add_events(hub_engine, load_id, 20)
        publish(hub_engine, hub_redis)
        if step == 20:
            hub.kill()
        if step == 30:
            hub.restart()
    follower.join()
    assert received == list(range(first + 1, last + 1))


def test_a_wiped_redis_is_not_noticed(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int) -> None:
    newest = fetch_position(hub_engine)
    with hub.follow(f"/ws/loads?last={newest}") as feed:
        hub_redis.flushall()
        add_events(hub_engine, running, 3)
        live = feed.receive_to(publish(hub_engine, hub_redis))
        hub_redis.flushall()
        add_events(hub_engine, running, 2)
        live += feed.receive_to(publish(hub_engine, hub_redis))
    assert positions(live) == list(range(newest + 1, newest + 6))


def test_a_stream_of_another_database_is_thrown_away(
    hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int
) -> None:
    newest = fetch_position(hub_engine)
    with hub.follow(f"/ws/loads?last={newest}") as feed:
        foreign = {"position": 10**9, "kind": "failed", "load_id": running, "state": "failed"}
        hub_redis.xadd(STREAM, {"event": json.dumps(foreign)}, id=f"{10**9}-0")
        add_events(hub_engine, running, 3)
        publish(hub_engine, hub_redis)
        live = feed.receive_to(newest + 3)
    assert positions(live) == [newest + 1, newest + 2, newest + 3]
    assert hub_redis.xrevrange(STREAM, count=1)[0][0] == f"{newest + 3}-0"


def test_the_feed_goes_on_while_redis_is_down(
    settings: Settings, engine: Engine, own_valkey: ValkeyServer, tmp_path: Path
) -> None:
    changed = settings.model_copy(update={"redis_url": type(settings.redis_url)(own_valkey.url())})
    server = HubServer.start(changed, tmp_path)
    try:
        load_id = make_load(engine)
        with server.follow("/ws/loads?last=0") as feed:
            own_valkey.kill()
            answer = server.post(f"/api/v1/loads/{load_id}/cancel")
            assert (answer.status, answer.json()["state"]) == (200, "cancelled")
            assert [feed.receive()["kind"], feed.receive()["kind"]] == ["queued", "cancelled"]
            assert server.get("/readyz").json()["services"]["redis"]["is_ready"] is False
            own_valkey.restart()
            again = make_load(engine)
            assert server.post(f"/api/v1/loads/{again}/cancel").status == 200
            assert positions([feed.receive(), feed.receive()]) == [3, 4]
        with redis.Redis.from_url(own_valkey.url(), decode_responses=True) as client:
            deadline = time.monotonic() + 20
            while client.xlen(STREAM) < 4 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert client.xlen(STREAM) == 4
    finally:
        server.stop()


MALFORMED = [
    {"event": "{"},
    {"event": "[1]"},
    {"event": "{}"},
    {"event": '{"position": "x", "load_id": 1, "state": "loading", "kind": "batch"}'},
    {"event": '{"position": 1, "load_id": 1, "state": "loading", "kind": "batch"}'},
    {"event": '{"position": 1, "load_id": 1, "state": [], "kind": "batch"}'},
    {"event": "[" * 100_000},
    {"something": "else"},
]


@pytest.mark.parametrize("fields", MALFORMED)
def test_a_malformed_entry_stops_nobodys_feed(
    hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int, fields: dict[str, str]
) -> None:
    newest = fetch_position(hub_engine)
    with hub.follow(f"/ws/loads?last={newest}") as feed:
        hub_redis.xadd(STREAM, fields, id=f"{newest + 1}-0")
        add_events(hub_engine, running, 3)
        assert publish(hub_engine, hub_redis) == newest + 3
        assert positions(feed.receive_to(newest + 3)) == [newest + 1, newest + 2, newest + 3]
    assert hub.get("/readyz").json()["services"]["feed"]["is_ready"]
    assert 'feed_malformed_total{source="stream"}' in hub.get("/metrics").data.decode()


def test_a_malformed_row_of_the_outbox_is_a_gap_that_a_snapshot_fills(
    hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int
) -> None:
    newest = fetch_position(hub_engine)
    with hub.follow(f"/ws/loads?last={newest}") as feed:
        hub_redis.xadd(STREAM, {"event": "{"}, id=f"{newest + 1}-0")
        add_events(hub_engine, running, 1)
        with transaction(hub_engine) as connection:
            connection.exec_driver_sql(
                "update load_event set body = body - 'state' where load_id = %(id)s and seq = 11", {"id": running}
            )
        add_events(hub_engine, running, 2)
        publish(hub_engine, hub_redis)
        first = feed.receive()
    assert (first["kind"], first["position"] > newest + 1) == ("snapshot", True)
