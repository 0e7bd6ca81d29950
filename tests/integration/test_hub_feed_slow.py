"""The feed's slow clients and many clients: bounded memory, and every end of a load is sent."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator

import pytest
import redis
import websocket
from sqlalchemy import Engine

from loader.hub.feed.tail import SLOW_S
from shared.domain.load_states import TERMINAL_STATES
from tests.event_maker import add_events, end_load, fetch_position, make_load, publish
from tests.feed_clients import positions, running
from tests.hub import HubServer
from tests.hub_fixtures import hub, hub_engine, hub_redis, hub_settings

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings", "running"]
LITTLE = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
"""Socket options of a client whose kernel keeps little for it."""


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
