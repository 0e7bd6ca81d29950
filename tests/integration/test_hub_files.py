"""Files streamed through the hub in one request: by curl, by POST, with a name, an end of waiting, and bounded memory."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import Engine

from shared.platform.settings import Settings
from shared.services.objects import ObjectStore
from tests.event_maker import add_events, end_load, publish
from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_engine, hub_redis, hub_settings
from tests.services import S3Server
from tests.uploading import MIB, PART, count_rows, count_unfinished, find_object, read_stored, store, wait_until

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings", "store"]
CURL = shutil.which("curl")
requires_curl = pytest.mark.skipif(CURL is None and os.environ.get("CI") != "true", reason="no curl on this machine")


def run_curl(*arguments: str, stdin: bytes | None = None) -> tuple[int, Any]:
    assert CURL is not None
    done = subprocess.run(
        [CURL, "-sS", "-o", "-", "-w", "\n%{http_code}", *arguments], input=stdin, capture_output=True, check=True, timeout=60
    )
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), json.loads(body) if body else None


@requires_curl
def test_curl_sends_a_file_with_one_command(hub: HubServer, hub_engine: Engine, store: ObjectStore, tmp_path: Path) -> None:
    data = b"origin,destination\n" * 5000
    (tmp_path / "my trips.csv").write_bytes(data)
    url = f"{hub.url}/api/v1/loads/?region=Turin&timezone=Europe/Rome&map=started_at=when&map=origin=from"
    status, load = run_curl("-T", str(tmp_path / "my trips.csv"), url)
    assert (status, load["file_name"], load["state"], load["bytes_total"]) == (202, "my trips.csv", "queued", len(data))
    options = {name: load["options"][name] for name in ("region", "timezone", "roles")}
    assert options == {"region": "Turin", "timezone": "Europe/Rome", "roles": {"started_at": "when", "origin": "from"}}
    assert read_stored(store, hub_engine, load["load_id"]) == data
    assert find_object(hub_engine, load["load_id"]).key.startswith("files/")


@requires_curl
def test_curl_streams_what_has_no_length(hub: HubServer, hub_engine: Engine, store: ObjectStore) -> None:
    data = os.urandom(PART + 3 * MIB)
    status, load = run_curl("-T", "-", f"{hub.url}/api/v1/loads/stream.csv", stdin=data)
    assert (status, load["bytes_total"]) == (202, len(data))
    assert read_stored(store, hub_engine, load["load_id"]) == data


@requires_curl
def test_curl_waits_for_leave_and_is_refused_before_it_sends(hub: HubServer, tmp_path: Path) -> None:
    file = tmp_path / "big.csv"
    with file.open("wb") as sparse:
        sparse.truncate(2**41)
    assert CURL is not None
    done = subprocess.run(
        [
            CURL,
            "-sS",
            "-o",
            "-",
            "-w",
            "\n%{http_code} %{size_upload}",
            "-H",
            "Expect: 100-continue",
            "-T",
            str(file),
            f"{hub.url}/api/v1/loads/",
        ],
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.stdout.splitlines()[-1] == b"413 0"


def test_the_hub_says_go_on_to_who_waits(hub: HubServer) -> None:
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as connection:
        head = b"PUT /api/v1/loads/a.csv HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"a,b")
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")


def test_who_waits_is_answered_when_the_load_has_ended(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis") -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hub.put_file, "waited-for.csv", b"a,b\n1,2\n", wait="true")
        wait_until(
            lambda: hub.get("/api/v1/loads", limit=1).json()["loads"][0]["file_name"] == "waited-for.csv", "it is asked for"
        )
        load_id = hub.get("/api/v1/loads", limit=1).json()["loads"][0]["load_id"]
        add_events(hub_engine, load_id, 3)
        publish(hub_engine, hub_redis)
        assert not waiting.done()
        end_load(hub_engine, load_id)
        publish(hub_engine, hub_redis)
        answer = waiting.result(20)
    assert (answer.status, answer.json()["state"], answer.json()["load_id"]) == (200, "failed", load_id)


def test_post_takes_the_name_as_a_parameter(hub: HubServer) -> None:
    answer = hub.ask("POST", "/api/v1/loads", body=b"a,b\n1,2\n", file_name="a.csv")
    assert (answer.status, answer.json()["file_name"]) == (202, "a.csv")
    assert hub.get(answer.headers["Location"]).json()["load_id"] == answer.json()["load_id"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C:%5Ctrips%5Cmay.csv", "may.csv"),
        ("Za%C5%BC%C3%B3%C5%82%C4%87%20%F0%9F%9A%B2.csv", "Zażółć 🚲.csv"),
        ("%20a.csv%20", "a.csv"),
    ],
)
def test_only_the_base_of_a_name_is_kept(hub: HubServer, name: str, kept: str) -> None:
    assert hub.put_file(name, b"a,b\n1,2\n").json()["file_name"] == kept


@pytest.mark.parametrize("name", ["", "%20", "a%2F..", "a%00b.csv", "a%0Ab.csv", "a%E2%80%AEvsc.exe", "x" * 256, "%FF.csv"])
def test_names_that_lie_or_break_lines_are_refused(hub: HubServer, hub_engine: Engine, name: str) -> None:
    before = count_rows(hub_engine, "upload")
    assert hub.put_file(name, b"a,b\n1,2\n").status == 400
    assert count_rows(hub_engine, "upload") == before


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"map": "colour=red"}, "map"),
        ({"map": "started_at"}, "map"),
        ({"delimiter": "x"}, "delimiter"),
        ({"region": "x" * 201}, "region"),
        ({"region": ""}, "region"),
        ({"record_limit_bytes": 10**12}, "record_limit_bytes"),
    ],
)
def test_options_are_judged_before_the_file_is_taken(hub: HubServer, asked: dict[str, Any], parameter: str) -> None:
    answer = hub.put_file("a.csv", b"a,b\n1,2\n", **asked)
    assert (answer.status, answer.json()["parameter"]) == (400, parameter)


def test_an_empty_file_is_refused(hub: HubServer, hub_settings: Settings, s3_server: S3Server) -> None:
    assert read_error(hub.put_file("a.csv", b"")) == (422, "empty_file")
    assert read_error(hub.put_file("a.csv", iter([b""]))) == (422, "empty_file")
    wait_until(lambda: count_unfinished(s3_server, hub_settings) == 0, "nothing is left of it")


def test_a_client_that_goes_away_leaves_nothing(
    hub: HubServer, hub_engine: Engine, hub_settings: Settings, s3_server: S3Server
) -> None:
    loads, uploads = count_rows(hub_engine, "load"), count_rows(hub_engine, "upload")
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as connection:
        connection.sendall(b"PUT /api/v1/loads/a.csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n")
        connection.sendall(b"x" * (PART + MIB))
        wait_until(lambda: count_rows(hub_engine, "upload") == uploads + 1, "the upload has begun")
    wait_until(lambda: count_rows(hub_engine, "upload") == uploads, "the upload is dropped")
    wait_until(lambda: count_unfinished(s3_server, hub_settings) == 0, "its parts are dropped")
    assert count_rows(hub_engine, "load") == loads


def test_memory_is_bound_by_parts_not_by_the_file(hub: HubServer, hub_engine: Engine, store: ObjectStore) -> None:
    block, blocks = os.urandom(MIB), 200
    digest = hashlib.sha256()
    hub.put_file("warm.csv", block)
    before, peak, is_done = hub.rss_bytes, 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_done.wait(0.01):
            peak = max(peak, hub.rss_bytes)

    def send() -> Iterator[bytes]:
        for number in range(blocks):
            piece = number.to_bytes(4) + block[4:]
            digest.update(piece)
            yield piece

    watcher = threading.Thread(target=watch)
    watcher.start()
    load = hub.put_file("large.csv", send()).json()
    is_done.set()
    watcher.join()
    assert load["bytes_total"] == blocks * MIB
    print(f"hub grew by {(peak - before) / MIB:.0f} MiB while {blocks} MiB went through")
    assert peak - before <= 100 * MIB
    stored = hashlib.sha256()
    for chunk in store.read(find_object(hub_engine, load["load_id"])):
        stored.update(chunk)
    assert stored.digest() == digest.digest()


@pytest.mark.parametrize(("asked", "prefer"), [({"wait": 1}, None), ({}, "respond-async, wait=1")])
def test_waiting_has_an_end(hub: HubServer, asked: dict[str, Any], prefer: str | None) -> None:
    headers = {"Prefer": prefer} if prefer else {}
    begun = time.monotonic()
    answer = hub.ask("PUT", "/api/v1/files/slow.csv", body=b"a,b\n1,2\n", headers=headers, **asked)
    assert (answer.status, answer.json()["state"], answer.headers["Preference-Applied"]) == (202, "queued", "wait=1")
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize("wait", ["-1", "soon", "9" * 5000, "1.5"])
def test_only_seconds_are_waited_for(hub: HubServer, wait: str) -> None:
    assert hub.put_file("a.csv", b"a", wait=wait).json()["parameter"] == "wait"
