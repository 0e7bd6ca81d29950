"""The feed: replay, live, snapshots, slow clients, many clients, and whatever is restarted or lost in between."""

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import websocket
from sqlalchemy import Engine

from loader.hub.feed.tail import SLOW_S
from shared.domain.load_states import TERMINAL_STATES
from shared.events import STREAM
from shared.platform.settings import Settings
from shared.services.database import transaction
from tests.event_maker import add_events, end_load, fetch_position, make_load, publish
from tests.hub import HubServer
from tests.hub_fixtures import PAGE, hub, hub_engine, hub_redis, hub_settings
from tests.services import ValkeyServer

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings"]

LITTLE = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
"""Socket options of a client whose kernel keeps little for it."""


def positions(messages: list[dict[str, Any]]) -> list[int]:
    return [message["position"] for message in messages]


@pytest.fixture
def running(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis") -> int:
    """A load with ten events, all published."""
    load_id = make_load(hub_engine)
    add_events(hub_engine, load_id, 9)
    publish(hub_engine, hub_redis)
    return load_id


def test_replay_goes_over_into_live_without_gap_or_double(
    hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int
) -> None:
    newest = fetch_position(hub_engine)
    with hub.follow("/ws/loads?last=0") as feed:
        past = feed.receive_to(newest)
        add_events(hub_engine, running, 5)
        live = feed.receive_to(publish(hub_engine, hub_redis))
    assert positions(past + live) == list(range(1, newest + 6))
    assert [event["seq"] for event in live] == list(range(11, 16))


def test_a_client_goes_on_where_it_was(hub: HubServer, hub_engine: Engine, running: int) -> None:
    newest = fetch_position(hub_engine)
    with hub.follow(f"/ws/loads?last={newest - 3}") as feed:
        assert positions(feed.receive_to(newest)) == [newest - 2, newest - 1, newest]


def test_without_a_position_a_snapshot_comes_first(
    hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int
) -> None:
    with hub.follow("/ws/loads") as feed:
        snapshot = feed.receive()
        add_events(hub_engine, running, 1)
        publish(hub_engine, hub_redis)
        following = feed.receive()
    assert (snapshot["kind"], following["position"]) == ("snapshot", snapshot["position"] + 1)
    [shown] = [load for load in snapshot["loads"] if load["load_id"] == running]
    assert (shown["seq"], shown["rows_read"], shown["state"]) == (10, 9, "loading")


def test_one_loads_feed_holds_that_load_only(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int) -> None:
    with hub.follow(f"/ws/loads/{running}") as feed:
        snapshot = feed.receive()
        other = make_load(hub_engine)
        add_events(hub_engine, other, 300)
        end_load(hub_engine, running)
        publish(hub_engine, hub_redis)
        following = feed.receive()
    assert [load["load_id"] for load in snapshot["loads"]] == [running]
    assert (following["load_id"], following["state"]) == (running, "failed")


def test_a_load_that_was_just_asked_for_has_an_empty_snapshot(
    hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis"
) -> None:
    load_id = make_load(hub_engine)
    with hub.follow(f"/ws/loads/{load_id}") as feed:
        assert feed.receive()["loads"] == []
        publish(hub_engine, hub_redis)
        assert feed.receive()["kind"] == "queued"


@pytest.mark.parametrize(
    ("path", "code"), [("/ws/loads/4711", 4404), ("/ws/loads/x", 4400), ("/ws/loads?last=-1", 4400), ("/ws/loads?from=1", 4400)]
)
def test_a_feed_that_makes_no_sense_closes_with_the_reason(hub: HubServer, path: str, code: int) -> None:
    with hub.follow(path) as feed:
        found, reason = feed.receive_close()
    assert (found, len(reason) > 10) == (code, True)


def test_foreign_pages_may_not_follow(hub: HubServer) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused, hub.follow(origin="http://evil.example"):
        pass
    assert refused.value.status_code == 403


def test_allowed_pages_may_follow_and_get_the_subprotocol(hub: HubServer, running: int) -> None:
    with hub.follow("/ws/loads", origin=PAGE, subprotocols=["tripdeck.v1"]) as feed:
        assert feed.connection.getsubprotocol() == "tripdeck.v1"
        assert feed.connection.getheaders().get("sec-websocket-extensions") is None  # no compression
        assert feed.receive()["kind"] == "snapshot"


def test_what_clients_say_is_ignored_unless_it_is_too_much(hub: HubServer, running: int) -> None:
    with hub.follow("/ws/loads") as feed:
        feed.connection.send("hello")
        assert feed.receive()["kind"] == "snapshot"
        feed.connection.send("x" * (64 * 2**10 + 1))
        assert feed.receive_close()[0] == 1009


def test_a_position_of_another_database_gets_a_snapshot(hub: HubServer, hub_engine: Engine, running: int) -> None:
    newest = fetch_position(hub_engine)
    with hub.follow(f"/ws/loads?last={newest + 1000}") as feed:
        snapshot = feed.receive()
        following = [] if snapshot["position"] == newest else feed.receive_to(newest)
    assert snapshot["kind"] == "snapshot"
    assert positions(following) == list(range(snapshot["position"] + 1, newest + 1))


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


def count_sent(hub: HubServer) -> str:
    lines = hub.get("/metrics").data.decode().splitlines()
    return next(line for line in lines if line.startswith("tripdeck_hub_feed_messages_total"))


def wait_until_slow(hub: HubServer) -> None:
    """Wait until no client has taken a page for as long as makes it slow."""
    before, now = "", count_sent(hub)
    while now != before:
        time.sleep(SLOW_S + 0.1)
        before, now = now, count_sent(hub)


def test_clients_that_read_nothing_cost_little_and_miss_no_end(
    hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis"
) -> None:
    hub.post("/api/v1/inspect", b"a,b\n1,2\n", file_name="a.csv", is_whole="true")  # loads what reads files
    loads = [make_load(hub_engine) for _ in range(5)]
    seen = publish(hub_engine, hub_redis)
    before = hub.rss_bytes
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(hub.follow(f"/ws/loads?last={seen}", sockopt=LITTLE)) for _ in range(40)]
        for _ in range(4):
            for load_id in loads:
                add_events(hub_engine, load_id, 200)
            publish(hub_engine, hub_redis)
        wait_until_slow(hub)
        end_load(hub_engine, loads[0])
        newest = publish(hub_engine, hub_redis)
        with hub.follow(f"/ws/loads?last={newest - 1}") as quick:
            assert quick.receive()["position"] == newest  # the hub has seen everything
        grown = hub.rss_bytes - before
        messages = slow[0].receive_to(newest)
    print(f"40 clients that read nothing, {newest - seen} events: {grown / 2**20:.1f} MiB; {len(messages)} messages each")
    # Kept for each of them, the events alone would take 40 x 4,000 x 0.7 kB = 112 MB.
    assert grown < 40 * 2**20
    assert positions(messages) == sorted(set(positions(messages)))
    assert len(messages) < 3_000
    assert {message["load_id"]: message["rows_read"] for message in messages} == dict.fromkeys(loads, 800)
    assert [message["load_id"] for message in messages if message["state"] in TERMINAL_STATES] == [loads[0]]


def test_ends_of_loads_are_never_left_out_for_a_slow_client(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis") -> None:
    busy = make_load(hub_engine)
    seen = publish(hub_engine, hub_redis)
    ended: list[int] = []
    with hub.follow(f"/ws/loads?last={seen}", sockopt=LITTLE) as slow:
        for _ in range(30):
            add_events(hub_engine, busy, 100)
            ended.append(make_load(hub_engine))
            end_load(hub_engine, ended[-1])
            newest = publish(hub_engine, hub_redis)
        wait_until_slow(hub)
        messages = slow.receive_to(newest)
    assert [message["load_id"] for message in messages if message["state"] in TERMINAL_STATES] == ended
    assert len(messages) < newest - seen


@pytest.fixture
def many(hub: HubServer, hub_engine: Engine) -> Iterator[list["websocket.WebSocket"]]:
    newest = fetch_position(hub_engine)
    clients = [
        websocket.create_connection(f"ws://127.0.0.1:{hub.port}/ws/loads?last={newest}", timeout=30, suppress_origin=True)
        for _ in range(200)
    ]
    yield clients
    for client in clients:
        client.shutdown()


def test_many_clients_all_see_the_end(
    hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int, many: list["websocket.WebSocket"]
) -> None:
    before = hub.rss_bytes
    add_events(hub_engine, running, 20)
    end_load(hub_engine, running)
    began = time.monotonic()
    newest = publish(hub_engine, hub_redis)
    for client in many:
        events = [json.loads(client.recv()) for _ in range(21)]
        assert positions(events) == list(range(newest - 20, newest + 1))
        assert events[-1]["state"] == "failed"
    print(f"200 clients, 21 events: {time.monotonic() - began:.2f} s, {(hub.rss_bytes - before) / 2**20:.1f} MiB")
    assert "tripdeck_hub_feed_clients 200.0" in hub.get("/metrics").data.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_curl_follows_the_feed(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis", running: int) -> None:
    newest = fetch_position(hub_engine)
    command = ["curl", "-sSN", "-H", f"Last-Event-ID: {newest - 1}", f"{hub.url}/api/v1/events"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout is not None
        first = [curl.stdout.readline() for _ in range(4)]
        end_load(hub_engine, running)
        publish(hub_engine, hub_redis)
        second = [curl.stdout.readline() for _ in range(4)]
        curl.terminate()
    assert first[:2] == [f"id: {newest}\n", "event: batch\n"]
    assert second[:2] == [f"id: {newest + 1}\n", "event: failed\n"]
    assert json.loads(second[2].removeprefix("data: "))["load_id"] == running


def test_a_hub_that_stops_says_goodbye(hub: HubServer, running: int) -> None:
    with hub.follow("/ws/loads") as feed, urllib.request.urlopen(f"{hub.url}/api/v1/events") as events:
        feed.receive()
        assert events.readline().startswith(b"id: ")
        began = time.monotonic()
        hub.stop()
        took_s = time.monotonic() - began
        assert feed.receive_close()[0] == 1001
    print(f"the hub stopped in {took_s:.2f} s")
    assert took_s < 15  # it does not wait the 20 s for those who follow
    assert hub.process.popen.returncode == 0
    hub.restart()


# Malformed entries

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
