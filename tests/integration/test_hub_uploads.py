"""Uploads in parts: signed URLs, completion once, and what is dropped."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from sqlalchemy import Engine

from shared.platform.settings import Settings
from shared.services.database import transaction
from shared.services.objects import ObjectStore
from tests.hub import HubServer, read_error
from tests.hub_fixtures import PAGE, hub, hub_engine, hub_redis, hub_settings
from tests.uploading import MIB, PART, count_rows, read_stored, store

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings", "store"]


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
