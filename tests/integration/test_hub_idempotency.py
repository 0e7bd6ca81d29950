"""Idempotency keys: a request that is sent again gives the load or the upload of the first."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from sqlalchemy import Engine

from shared.platform.settings import Settings
from shared.services.database import transaction
from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_engine, hub_redis, hub_settings
from tests.services import S3Server
from tests.uploading import count_rows, count_unfinished, store, wait_until

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings", "store"]
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


def begin_keyed(hub: HubServer, *, key: str, file_name: str = "parts.csv", size: int = 7) -> urllib3.BaseHTTPResponse:
    return hub.post("/api/v1/uploads", {"file_name": file_name, "bytes": size}, headers={"Idempotency-Key": key})


def test_an_upload_begun_again_is_the_same_with_its_parts(hub: HubServer, hub_settings: Settings, s3_server: S3Server) -> None:
    unfinished = count_unfinished(s3_server, hub_settings)
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
    assert count_unfinished(s3_server, hub_settings) == unfinished


def test_uploads_begun_at_once_are_one(hub: HubServer, hub_engine: Engine, hub_settings: Settings, s3_server: S3Server) -> None:
    uploads, unfinished = count_rows(hub_engine, "upload"), count_unfinished(s3_server, hub_settings)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: begin_keyed(hub, key="f" + RANDOM), range(6)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json()["upload_id"] for answer in answers}) == 1
    assert count_rows(hub_engine, "upload") == uploads + 1
    assert count_unfinished(s3_server, hub_settings) == unfinished + 1
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
