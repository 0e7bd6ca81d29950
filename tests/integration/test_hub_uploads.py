"""Files on their way in: streamed through the hub by curl, or put into the store in signed parts."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
import redis
import urllib3
from sqlalchemy import Engine

from shared.platform.settings import Settings
from shared.services.database import transaction
from shared.services.objects import ObjectStore, StoredObject
from tests.event_maker import add_events, end_load, publish
from tests.hub import HubServer, read_error
from tests.hub_fixtures import PAGE, hub, hub_engine, hub_redis, hub_settings
from tests.services import S3Server

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings"]

MIB: Final = 2**20
PART: Final = 16 * MIB
CURL = shutil.which("curl")
requires_curl = pytest.mark.skipif(CURL is None and os.environ.get("CI") != "true", reason="no curl on this machine")


@pytest.fixture(scope="module")
def store(hub_settings: Settings) -> ObjectStore:
    return ObjectStore(hub_settings)


def wait_until(condition: Callable[[], bool], what: str, *, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


def find_object(engine: Engine, load_id: int) -> StoredObject:
    with transaction(engine) as connection:
        row = connection.exec_driver_sql(
            "select object_key, object_etag, bytes_total from load where load_id = %(id)s", {"id": load_id}
        ).one()
    return StoredObject(*row)


def read_stored(store: ObjectStore, engine: Engine, load_id: int) -> bytes:
    return b"".join(store.read(find_object(engine, load_id)))


def count_rows(engine: Engine, table: str) -> int:
    with transaction(engine) as connection:
        return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar_one())


def count_unfinished(server: S3Server, settings: Settings) -> int:
    return len(server.connect()._list_multipart_uploads(settings.s3_bucket).uploads)


def run_curl(*arguments: str, stdin: bytes | None = None) -> tuple[int, Any]:
    assert CURL is not None
    done = subprocess.run(
        [CURL, "-sS", "-o", "-", "-w", "\n%{http_code}", *arguments], input=stdin, capture_output=True, check=True, timeout=60
    )
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), json.loads(body) if body else None


def begin(hub: HubServer, data: bytes, file_name: str = "trips.csv") -> dict[str, Any]:
    answer = hub.post("/api/v1/uploads", {"file_name": file_name, "bytes": len(data)})
    assert answer.status == 201
    upload: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/v1/uploads/{upload['upload_id']}"
    return upload


def send_parts(hub: HubServer, upload: dict[str, Any], data: bytes, numbers: list[int] | None = None) -> None:
    wanted = numbers or list(range(1, upload["part_count"] + 1))
    path = f"/api/v1/uploads/{upload['upload_id']}/parts"
    for part in hub.post(path, {"part_numbers": wanted}).json()["parts"]:
        start = (part["part_number"] - 1) * upload["part_bytes"]
        body = data[start : start + upload["part_bytes"]]
        answer = urllib3.request("PUT", part["url"], body=body, headers={"Origin": PAGE}, retries=False)
        assert answer.status == 200


def complete(hub: HubServer, upload: dict[str, Any], options: dict[str, Any] | None = None) -> urllib3.BaseHTTPResponse:
    return hub.post(f"/api/v1/uploads/{upload['upload_id']}/complete", {"options": options or {}})


# In one request


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


# Sent again with its key

RANDOM = "5f4dcc3b-5aa7-65d6-1d83-27deb882cf99"


def send_keyed(hub: HubServer, data: bytes, *, key: str, file_name: str = "keyed.csv", **asked: Any) -> urllib3.BaseHTTPResponse:
    return hub.ask("POST", "/api/v1/loads", body=data, headers={"Idempotency-Key": key}, file_name=file_name, **asked)


def test_a_request_sent_again_gives_its_load(
    hub: HubServer, hub_engine: Engine, hub_settings: Settings, s3_server: S3Server
) -> None:
    data = os.urandom(1000)
    loads = count_rows(hub_engine, "load")
    first = send_keyed(hub, data, key="a" + RANDOM)
    hub.kill()
    hub.restart()
    again = send_keyed(hub, data, key="a" + RANDOM)
    assert (first.status, again.status, again.json()["load_id"]) == (202, 202, first.json()["load_id"])
    assert (again.headers["Idempotency-Replayed"], again.headers["Location"]) == ("true", first.headers["Location"])
    assert "Idempotency-Replayed" not in first.headers
    assert count_rows(hub_engine, "load") == loads + 1
    assert count_unfinished(s3_server, hub_settings) == 0


def test_requests_at_once_make_one_load(hub: HubServer, hub_engine: Engine) -> None:
    data = os.urandom(1000)
    loads, uploads = count_rows(hub_engine, "load"), count_rows(hub_engine, "upload")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: send_keyed(hub, data, key="b" + RANDOM), range(6)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json()["load_id"] for answer in answers}) == 1
    assert count_rows(hub_engine, "load") == loads + 1
    wait_until(lambda: count_rows(hub_engine, "upload") == uploads + 1, "the others' uploads are dropped")


@pytest.mark.parametrize(("data", "asked"), [(b"other", {}), (b"same", {"file_name": "b.csv"}), (b"same", {"region": "Turin"})])
def test_a_key_of_another_request_is_refused(hub: HubServer, hub_engine: Engine, data: bytes, asked: dict[str, Any]) -> None:
    send_keyed(hub, b"same", key="c" + RANDOM)
    loads = count_rows(hub_engine, "load")
    answer = send_keyed(hub, data, key="c" + RANDOM, **asked)
    assert read_error(answer) == (422, "idempotency_key_reused")
    assert count_rows(hub_engine, "load") == loads


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\xe9"])
def test_a_key_is_visible_text(hub: HubServer, key: str) -> None:
    assert read_error(send_keyed(hub, b"a", key=key)) == (400, "bad_request")


def test_old_keys_are_forgotten(hub: HubServer, hub_engine: Engine) -> None:
    first = send_keyed(hub, b"old", key="d" + RANDOM).json()["load_id"]
    with transaction(hub_engine) as connection:
        connection.exec_driver_sql("update upload_key set created_at = created_at - interval '8 days'")
    assert send_keyed(hub, b"old", key="d" + RANDOM).json()["load_id"] > first


# An upload in parts, begun again with its key


def begin_keyed(hub: HubServer, *, key: str, file_name: str = "parts.csv", size: int = 7) -> urllib3.BaseHTTPResponse:
    return hub.post("/api/v1/uploads", {"file_name": file_name, "bytes": size}, headers={"Idempotency-Key": key})


def test_an_upload_begun_again_is_the_same_with_its_parts(hub: HubServer, hub_settings: Settings) -> None:
    unfinished = count_unfinished(hub_settings)
    first = begin_keyed(hub, key="e" + RANDOM)
    upload_id = first.json()["upload_id"]
    [part] = hub.post(f"/api/v1/uploads/{upload_id}/parts", {"part_numbers": [1]}).json()["parts"]
    assert hub.pool.request("PUT", part["url"], body=b"a,b\n1,2").status == 200
    hub.kill()
    hub.restart()
    again = begin_keyed(hub, key="e" + RANDOM)
    assert (first.status, again.status, again.json()["upload_id"]) == (201, 201, upload_id)
    assert (again.headers["Idempotency-Replayed"], again.headers["Location"]) == ("true", first.headers["Location"])
    assert "Idempotency-Replayed" not in first.headers
    assert again.json()["parts_done"] == [{"part_number": 1, "bytes": 7}]
    load_id = hub.post(f"/api/v1/uploads/{upload_id}/complete", {}).json()["load_id"]
    assert begin_keyed(hub, key="e" + RANDOM).json()["load_id"] == load_id
    assert count_unfinished(hub_settings) == unfinished


def test_uploads_begun_at_once_are_one(hub: HubServer, hub_engine: Engine, hub_settings: Settings) -> None:
    uploads, unfinished = count_rows(hub_engine, "upload"), count_unfinished(hub_settings)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: begin_keyed(hub, key="f" + RANDOM), range(6)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json()["upload_id"] for answer in answers}) == 1
    assert count_rows(hub_engine, "upload") == uploads + 1
    assert count_unfinished(hub_settings) == unfinished + 1
    assert begin_keyed(hub, key="g" + RANDOM).json()["upload_id"] != answers[0].json()["upload_id"]


@pytest.mark.parametrize("change", [{"file_name": "other.csv"}, {"size": 8}])
def test_a_key_of_another_upload_is_refused(hub: HubServer, change: dict[str, Any]) -> None:
    begin_keyed(hub, key="h" + RANDOM)
    assert read_error(begin_keyed(hub, key="h" + RANDOM, **change)) == (422, "idempotency_key_reused")
    assert read_error(begin_keyed(hub, key="a b", **change)) == (400, "bad_request")


def test_a_key_of_the_other_way_is_refused(hub: HubServer) -> None:
    begin_keyed(hub, key="i" + RANDOM)
    assert read_error(send_keyed(hub, b"a,b\n1,2", key="i" + RANDOM)) == (422, "idempotency_key_reused")
    assert send_keyed(hub, b"a,b\n3,4", key="j" + RANDOM).status == 202
    assert read_error(begin_keyed(hub, key="j" + RANDOM)) == (422, "idempotency_key_reused")


def test_a_dropped_upload_frees_its_key(hub: HubServer) -> None:
    path = begin_keyed(hub, key="k" + RANDOM).headers["Location"]
    assert hub.ask("DELETE", path).status == 204
    assert "Idempotency-Replayed" not in begin_keyed(hub, key="k" + RANDOM).headers


# Waiting


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


# In signed parts


def test_parts_go_straight_into_the_store(hub: HubServer, hub_engine: Engine, store: ObjectStore) -> None:
    data = os.urandom(2 * PART + 5)
    upload = begin(hub, data, "../a.csv")
    assert (upload["part_bytes"], upload["part_count"], upload["file_name"]) == (PART, 3, "a.csv")
    send_parts(hub, upload, data)
    answer = complete(hub, upload, {"region": "Turin", "roles": {"origin": "from"}})
    load = answer.json()
    assert (answer.status, answer.headers["Location"]) == (201, f"/api/v1/loads/{load['load_id']}")
    assert (load["options"]["region"], load["options"]["roles"]) == ("Turin", {"origin": "from"})
    assert read_stored(store, hub_engine, load["load_id"]) == data


def test_an_interrupted_upload_goes_on_with_the_missing_parts(hub: HubServer) -> None:
    data = os.urandom(2 * PART + 5)
    upload = begin(hub, data)
    send_parts(hub, upload, data, [1, 3])
    assert read_error(complete(hub, upload)) == (409, "upload_incomplete")
    found = hub.get(f"/api/v1/uploads/{upload['upload_id']}").json()
    assert found["parts_done"] == [{"part_number": 1, "bytes": PART}, {"part_number": 3, "bytes": 5}]
    send_parts(hub, upload, data, [2])
    assert complete(hub, upload).status == 201


def test_more_bytes_than_announced_are_refused(hub: HubServer) -> None:
    upload = begin(hub, b"12345")
    send_parts(hub, upload | {"part_bytes": 6}, b"123456", [1])
    assert read_error(complete(hub, upload)) == (409, "upload_incomplete")


def test_completing_twice_or_at_once_makes_one_load(hub: HubServer, hub_engine: Engine) -> None:
    data = os.urandom(1000)
    upload = begin(hub, data)
    send_parts(hub, upload, data)
    loads = count_rows(hub_engine, "load")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: complete(hub, upload), range(6)))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["load_id"] for answer in answers}) == 1
    assert count_rows(hub_engine, "load") == loads + 1
    found = hub.get(f"/api/v1/uploads/{upload['upload_id']}").json()
    assert (found["load_id"], found["parts_done"]) == (answers[0].json()["load_id"], [])


def test_completing_goes_on_where_a_dead_call_stopped(hub: HubServer, hub_engine: Engine, store: ObjectStore) -> None:
    data = os.urandom(1000)
    upload = begin(hub, data)
    send_parts(hub, upload, data)
    with transaction(hub_engine) as connection:
        key, s3_upload_id = connection.exec_driver_sql(
            "select object_key, s3_upload_id from upload where upload_id = %(id)s", {"id": upload["upload_id"]}
        ).one()
    store.complete_upload(key, s3_upload_id, parts=store.list_parts(key, s3_upload_id))
    assert complete(hub, upload).status == 201


def test_a_dropped_upload_is_gone_from_the_store_too(hub: HubServer, hub_settings: Settings) -> None:
    data = os.urandom(1000)
    upload = begin(hub, data)
    send_parts(hub, upload, data)
    path = f"/api/v1/uploads/{upload['upload_id']}"
    answer = hub.ask("DELETE", path)
    assert (answer.status, answer.data) == (204, b"")
    assert read_error(hub.get(path)) == (404, "not_found")
    assert read_error(complete(hub, upload)) == (404, "not_found")
    assert read_error(hub.ask("DELETE", path)) == (404, "not_found")


def test_an_upload_that_is_a_load_is_not_dropped(hub: HubServer) -> None:
    data = b"1,2"
    upload = begin(hub, data)
    send_parts(hub, upload, data)
    complete(hub, upload)
    assert read_error(hub.ask("DELETE", f"/api/v1/uploads/{upload['upload_id']}")) == (409, "conflict")


@pytest.mark.parametrize("numbers", [[], [0], [2], [1, 10_001], "1"])
def test_only_parts_of_the_file_are_signed(hub: HubServer, numbers: object) -> None:
    upload = begin(hub, b"12345")
    answer = hub.post(f"/api/v1/uploads/{upload['upload_id']}/parts", {"part_numbers": numbers})
    assert answer.status == 400
    assert answer.json()["parameter"].startswith("part_numbers")


def test_large_files_have_larger_parts(hub: HubServer) -> None:
    upload = hub.post("/api/v1/uploads", {"file_name": "a.csv", "bytes": 2**40}).json()
    assert upload["part_count"] <= 9000
    assert upload["part_bytes"] % MIB == 0
    assert hub.ask("DELETE", f"/api/v1/uploads/{upload['upload_id']}").status == 204
