"""Sources on the suite's own S3 server: each version is loaded once, whatever changes, fails or dies meanwhile."""

import io
from typing import Any

import pytest
from minio import Minio

from loader.pipeline.context import Context
from loader.sources import run_source
from loader.sources.readers import make_reader
from loader.worker.maintenance import reconcile
from shared.loads import undo_load
from shared.platform.errors import ConflictError, NotFoundError, RequestError, TransientError
from shared.platform.source_address import parse_address
from shared.services.database import execute, transaction
from shared.services.objects import ObjectStore
from shared.sources import (
    add_source,
    fetch_source,
    list_source_objects,
    list_sources,
    pause_source,
    remove_source,
    resume_source,
    retry_source,
    run_source_now,
)
from tests.loading import HEADER, ROW, change, run_load
from tests.services import S3Server

OTHER_HEADER = b"region,origin_coord,destination_coord,datetime,datasource,fare\n"
OTHER_ROW = b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-21 02:54:04,baba_car,3\n"


class Drop:
    """A bucket that others put files into."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self.client = client
        self.bucket = bucket

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(bucket_name=self.bucket, object_name=key, data=io.BytesIO(data), length=len(data))

    def remove(self, key: str) -> None:
        self.client.remove_object(bucket_name=self.bucket, object_name=key)


@pytest.fixture
def drop(s3_server: S3Server) -> Drop:
    return Drop(s3_server.connect(), s3_server.make_bucket())


@pytest.fixture
def reading(context: Context, drop: Drop) -> Context:
    return change(context, source_allow=(f"s3://{drop.bucket}/",))


def rows(number: int) -> bytes:
    """A file of its own."""
    return HEADER + ROW.replace(b"02:54:04", f"02:54:{number % 60:02}".encode()).replace(b"7.6", f"7.{6000 + number}".encode())


def add(context: Context, address: str, **choices: Any) -> int:
    chosen = {"options": {}, "on_drift": "ask", "is_watched": True, "interval_s": 60} | choices
    source = add_source(context.engine, context.broker, address, settings=context.settings, **chosen)
    return int(source["source_id"])


def run(context: Context, source_id: int, **choices: Any) -> list[dict[str, Any]]:
    """Have a source run now; returns its objects."""
    with transaction(context.engine) as connection:
        execute(connection, "run_source", source_id=source_id)
    run_source(context, source_id, **choices)
    return list_source_objects(context.engine, source_id, limit=1000)


def states(objects: list[dict[str, Any]]) -> dict[str, str]:
    return {one["key"]: one["state"] for one in objects}


def test_new_and_changed_objects_are_loaded_once(reading: Context, drop: Drop) -> None:
    drop.put("bikes/a.csv", rows(1))
    drop.put("cars/a.csv", rows(2))
    for name in ("bikes/_SUCCESS", "bikes/.a.csv.crc", "bikes/sub/"):
        drop.put(name, b"")
    source_id = add(reading, f"s3://{drop.bucket}/bikes/", options={"datasource": "given"})
    (first,) = run(reading, source_id)
    assert (first["key"], first["state"]) == ("bikes/a.csv", "loaded")
    load = run_load(reading, first["load_id"])
    assert (load["state"], load["rows_loaded"], load["file_name"]) == ("succeeded", 1, "a.csv")
    assert load["options"]["datasource"] == "given"
    assert len(run(reading, source_id)) == 1
    drop.put("bikes/a.csv", rows(3))
    drop.put("bikes/sub/0.csv", rows(4))
    objects = run(reading, source_id)
    assert [one["key"] for one in objects] == ["bikes/a.csv", "bikes/a.csv", "bikes/sub/0.csv"]
    assert len({one["load_id"] for one in objects}) == 3
    undo_load(reading.engine, reading.broker, first["load_id"])
    assert len(run(reading, source_id)) == 3
    source = fetch_source(reading.engine, source_id)
    assert (source["objects_loaded"], source["objects_found"], source["error_code"]) == (3, 0, None)
    assert source["listed_at"]


def test_any_key_is_read(reading: Context, drop: Drop) -> None:
    keys = ["čas/Prága 1.csv", "東京/旅 100%.csv", "a+b&c=d?e#f.csv", "émoji 🚲.csv", "quote'\".csv", "x" * 200 + ".csv"]
    for number, key in enumerate(keys):
        drop.put(key, rows(number))
    objects = run(reading, add(reading, f"s3://{drop.bucket}"))
    assert states(objects) == dict.fromkeys(keys, "loaded")
    names = {run_load(reading, one["load_id"])["file_name"] for one in objects}
    assert names == {key.rpartition("/")[2] for key in keys}


def test_ten_thousand_keys(reading: Context, drop: Drop) -> None:
    """Listed page by page; a turn ends in between, and the next goes on where it ended."""
    for number in range(10_001):
        drop.client.put_object(bucket_name=drop.bucket, object_name=f"many/{number:05}.csv", data=io.BytesIO(b"x"), length=1)
    source_id = add(reading, f"s3://{drop.bucket}/many/")
    run(reading, source_id, turn_s=0.0)
    source = fetch_source(reading.engine, source_id)
    assert (source["objects_found"], source["objects_loaded"]) == (10_000, 1)
    run(reading, source_id, turn_s=0.0)
    source = fetch_source(reading.engine, source_id)
    assert (source["objects_found"], source["objects_loaded"]) == (9_999, 2)


def test_one_key_or_all_that_begin_with_it(reading: Context, drop: Drop) -> None:
    for name in ("trips.csv", "trips.csv.old", "trips2.csv"):
        drop.put(name, rows(len(name)))
    assert set(states(run(reading, add(reading, f"s3://{drop.bucket}/trips.csv")))) == {"trips.csv"}
    assert len(run(reading, add(reading, f"s3://{drop.bucket}/trips"))) == 3


def test_an_address_that_is_read_once_ends(reading: Context, drop: Drop) -> None:
    drop.put("a.csv", rows(1))
    source_id = add(reading, f"s3://{drop.bucket}/", is_watched=False)
    run(reading, source_id)
    assert fetch_source(reading.engine, source_id)["state"] == "ended"
    drop.put("b.csv", rows(2))
    assert len(run(reading, source_id)) == 1
    with pytest.raises(ConflictError):
        run_source_now(reading.engine, reading.broker, source_id)


def test_an_object_that_changes_after_it_was_listed(reading: Context, drop: Drop) -> None:
    """The version that was listed is not there any more: nothing of the new one is taken for it."""
    drop.put("a.csv", rows(1))
    drop.put("gone.csv", rows(2))
    source_id = add(reading, f"s3://{drop.bucket}/")
    reader = make_reader(parse_address(f"s3://{drop.bucket}/"), reading.settings, is_watched=True)
    (page,) = reader.list_pages()
    with transaction(reading.engine) as connection:
        columns = {"keys": [one.key for one in page], "etags": [one.etag for one in page], "bytes": [one.bytes for one in page]}
        execute(connection, "add_source_objects", source_id=source_id, **columns)
    drop.put("a.csv", rows(3) * 2)
    drop.remove("gone.csv")
    objects = run(reading, source_id)
    assert [(one["key"], one["state"]) for one in objects] == [("a.csv", "changed"), ("gone.csv", "changed"), ("a.csv", "loaded")]


def test_a_change_in_the_middle_of_a_copy(reading: Context, drop: Drop) -> None:
    """Between two parts of a large object; the store gives each request exactly one version."""
    drop.put("a.csv", HEADER + ROW * 400_000)
    reader = make_reader(parse_address(f"s3://{drop.bucket}/a.csv"), reading.settings, is_watched=True)
    ((version,),) = reader.list_pages()
    with reader.open(version) as chunks:
        first = next(chunks)
        drop.put("a.csv", rows(2))
        try:
            rest = b"".join(chunks)
        except (TransientError, RequestError):
            return
    assert first + rest == HEADER + ROW * 400_000


@pytest.mark.parametrize(("policy", "state"), [("load", "loaded"), ("ask", "waiting"), ("refuse", "refused")])
def test_a_changed_header(reading: Context, drop: Drop, policy: str, state: str) -> None:
    drop.put("1.csv", rows(1))
    drop.put("2.csv", rows(2))
    source_id = add(reading, f"s3://{drop.bucket}/", on_drift=policy)
    assert set(states(run(reading, source_id)).values()) == {"loaded"}
    drop.put("3.csv", OTHER_HEADER + OTHER_ROW)
    third = run(reading, source_id)[-1]
    assert (third["state"], third["has_drifted"], third["load_id"] is None) == (state, True, state != "loaded")
    if state != "loaded":
        assert third["error_code"] == "header_changed"
        retry_source(reading.engine, reading.broker, source_id, source_object_id=third["source_object_id"])
        assert run(reading, source_id)[-1]["state"] == "loaded"
    drop.put("4.csv", OTHER_HEADER + OTHER_ROW.replace(b",3", b",4"))
    fourth = run(reading, source_id)[-1]
    assert (fourth["state"], fourth["has_drifted"]) == ("loaded", False)


def test_what_fails_waits_for_a_person(reading: Context, drop: Drop) -> None:
    drop.put("large.csv", rows(1) * 10)
    small = change(reading, upload_limit_bytes=200)
    source_id = add(small, f"s3://{drop.bucket}/")
    (failed,) = run(small, source_id)
    assert (failed["state"], failed["error_code"]) == ("failed", "too_large")
    assert run(small, source_id)[0]["attempts"] == 1
    assert list_sources(small.engine)[0]["objects_failed"] == 1
    retry_source(small.engine, small.broker, source_id)
    assert run(reading, source_id)[0]["state"] == "loaded"
    with pytest.raises(ConflictError):
        retry_source(small.engine, small.broker, source_id)


def test_a_listing_that_fails_is_said_and_tried_again(reading: Context, drop: Drop, s3_server: S3Server) -> None:
    missing = change(reading, source_allow=("s3://not-there/",))
    source_id = add(missing, "s3://not-there/")
    run(missing, source_id)
    source = fetch_source(missing.engine, source_id)
    assert source["error_message"]
    assert source["state"] == "active"
    forbidden = change(missing, source_allow=())
    run(forbidden, source_id)
    assert "TRIPDECK_SOURCE_ALLOW" in fetch_source(missing.engine, source_id)["error_message"]


def test_what_may_not_be_read_is_no_source(reading: Context, drop: Drop) -> None:
    for address in (f"s3://{drop.bucket}x/", "https://example.org/a.csv", f"s3://{reading.settings.s3_bucket}/files/"):
        with pytest.raises(RequestError):
            add(reading, address)
    own = change(reading, source_allow=(f"s3://{reading.settings.s3_bucket}/",))
    with pytest.raises(RequestError, match="its own files"):
        add(own, f"s3://{reading.settings.s3_bucket}/files/")


def test_pause_resume_remove(reading: Context, drop: Drop) -> None:
    drop.put("a.csv", rows(1))
    source_id = add(reading, f"s3://{drop.bucket}/")
    pause_source(reading.engine, source_id)
    assert run(reading, source_id) == []
    with pytest.raises(ConflictError):
        run_source_now(reading.engine, reading.broker, source_id)
    resume_source(reading.engine, reading.broker, source_id)
    (found,) = run(reading, source_id)
    remove_source(reading.engine, source_id)
    with pytest.raises(NotFoundError):
        fetch_source(reading.engine, source_id)
    assert run_load(reading, found["load_id"])["state"] == "succeeded"
    with pytest.raises(NotFoundError):
        remove_source(reading.engine, source_id)


def test_a_source_is_read_by_one_worker_at_a_time(reading: Context, drop: Drop) -> None:
    drop.put("a.csv", rows(1))
    source_id = add(reading, f"s3://{drop.bucket}/")
    with transaction(reading.engine) as connection:
        assert execute(connection, "claim_source", source_id=source_id, lease_s=60.0).first() is not None
    assert run(reading, source_id) == []
    impatient = change(reading, batch_lease_s=0.001)
    assert states(run(impatient, source_id)) == {"a.csv": "loaded"}


def test_who_lost_the_lease_requests_nothing(reading: Context, drop: Drop) -> None:
    """A worker that was stopped for longer than its lease comes back after another has done its work."""
    drop.put("a.csv", rows(1))
    source_id = add(reading, f"s3://{drop.bucket}/")

    class Late(ObjectStore):
        def put(self, key: str, stream: Any, *, length: int) -> Any:
            stored = super().put(key, stream, length=length)
            with transaction(reading.engine) as connection:
                connection.exec_driver_sql("update source set lease_token = gen_random_uuid()")
            return stored

    from dataclasses import replace

    run_source(replace(reading, store=Late(reading.settings)), source_id)
    (found,) = list_source_objects(reading.engine, source_id)
    assert (found["state"], found["load_id"]) == ("found", None)
    impatient = change(reading, batch_lease_s=0.001)
    assert run(impatient, source_id)[0]["state"] == "loaded"


def test_due_sources_are_enqueued_by_maintenance(reading: Context, drop: Drop) -> None:
    drop.put("a.csv", rows(1))
    source_id = add(reading, f"s3://{drop.bucket}/", interval_s=3600)
    with transaction(reading.engine) as connection:
        connection.exec_driver_sql("update source set enqueued_at = null")
    assert reconcile(reading) == 1
    assert reconcile(reading) == 0
    run_source(reading, source_id)
    assert reconcile(reading) == 0  # the load that was requested has its message, the source is due in an hour


def test_an_outage_blames_no_object(reading: Context, drop: Drop) -> None:
    """While nothing can be listed, nothing is tried, and no object loses its tries."""
    drop.put("a.csv", rows(1))
    source_id = add(reading, f"s3://{drop.bucket}/")
    with transaction(reading.engine) as connection:
        columns = {"keys": ["later.csv"], "etags": ["x"], "bytes": [1]}
        execute(connection, "add_source_objects", source_id=source_id, **columns)
    away = change(reading, s3_endpoint="http://127.0.0.1:9")
    (found,) = run(away, source_id)
    assert (found["state"], found["attempts"]) == ("found", 0)
    source = fetch_source(reading.engine, source_id)
    assert (source["state"], source["error_code"]) == ("active", "store_unavailable")
    assert states(run(reading, source_id)) == {"later.csv": "changed", "a.csv": "loaded"}
    assert fetch_source(reading.engine, source_id)["error_code"] is None
