"""The feed: replay, live events, snapshots, positions, origins, and curl."""

import json
import shutil
import subprocess
import time
import urllib.request

import pytest
import redis
import websocket
from sqlalchemy import Engine

from tests.event_maker import add_events, end_load, fetch_position, make_load, publish
from tests.feed_clients import positions, running
from tests.hub import HubServer
from tests.hub_fixtures import PAGE, hub, hub_engine, hub_redis, hub_settings

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings", "running"]


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
