"""Publishing: a load's trips as GeoParquet files, complete or not there, the same each time, removed with the load."""

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from infra.embedded import find_free_ports
from loader.pipeline.context import Context
from loader.publishing.manifest import MANIFEST_NAME
from loader.publishing.publication import publish_load
from loader.publishing.trip_stream import TripRows, choose_bin_length, stream_trips
from loader.worker.maintenance import reconcile
from shared.domain.position import decode_position, format_geohash
from shared.loads import retry_load, undo_load
from shared.platform.errors import ConflictError, NotFoundError, TransientError
from shared.publications import fetch_publication, name_folder, request_publication
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import execute, transaction
from shared.services.objects import ObjectStore, StoredObject
from tests.loading import HEADER, ROW, change, load_bytes, make_trips, run_load
from tests.services import CITUS_BIN

CHUNK_ROWS = 700
LATER = ROW.replace(b"2018-05-21", b"2018-06-21")


def request(context: Context, load_id: int) -> dict[str, Any]:
    return request_publication(context.engine, context.broker, load_id, settings=context.settings)


def fetch(context: Context, load_id: int) -> dict[str, Any]:
    return fetch_publication(context.engine, load_id, settings=context.settings)


def list_objects(context: Context, load_id: int) -> dict[str, bytes]:
    """The folder's objects by name."""
    folder = name_folder(load_id, context.settings)
    keys = context.store.list_keys(folder)
    return {key.removeprefix(folder): read(context, context.store.stat(key)) for key in keys}


def read(context: Context, stored: StoredObject) -> bytes:
    return context.store.read_range(stored, 0, stored.bytes)


def publish(context: Context, data: bytes, **options: Any) -> tuple[int, dict[str, bytes]]:
    """Load bytes, publish them, and return the load and the folder's objects."""
    load_id = load_bytes(context, data, **options)["load_id"]
    request(context, load_id)
    publish_load(context, load_id, chunk_rows=CHUNK_ROWS)
    assert fetch(context, load_id)["state"] == "published"
    return load_id, list_objects(context, load_id)


def list_kinds(context: Context, load_id: int) -> list[str]:
    with transaction(context.engine) as connection:
        rows = connection.exec_driver_sql("select kind from load_event where load_id = %s order by seq", (load_id,))
        return list(rows.scalars())


def find_mistakes(objects: dict[str, bytes]) -> list[str]:
    """What of a folder differs from its manifest."""
    manifest = json.loads(objects[MANIFEST_NAME])
    mistakes = [] if set(objects) == {MANIFEST_NAME, *(file["name"] for file in manifest["files"])} else ["names"]
    for file in manifest["files"]:
        data = objects.get(file["name"], b"")
        if len(data) != file["bytes"]:
            mistakes.append("bytes")
        elif hashlib.sha256(data).hexdigest() != file["sha256"]:
            mistakes.append("sha256")
        elif pq.read_metadata(io.BytesIO(data)).num_rows != file["rows"]:
            mistakes.append("rows")
    if sum(file["rows"] for file in manifest["files"]) != manifest["rows"]:
        mistakes.append("sum")
    return mistakes


def test_a_folder_holds_the_trips_of_its_load(context: Context) -> None:
    load_id, objects = publish(context, make_trips(2_000)[0])
    table = pq.read_table(io.BytesIO(objects["part-00000.parquet"]))
    with transaction(context.engine) as connection:
        stored = connection.exec_driver_sql(
            "select t.started_at, t.origin, t.destination, t.duration_s, r.name, d.name from trip t"
            " join region r using (region_id) join datasource d using (datasource_id) order by 1, 2, 3"
        ).all()
    assert table.num_rows == len(stored) == 2_000
    columns = table.to_pydict()
    assert [at.replace(tzinfo=None) for at in columns["started_at"]] == [row[0] for row in stored]
    for number, end in ((1, "origin"), (2, "destination")):
        degrees = list(zip(columns[f"{end}_longitude"], columns[f"{end}_latitude"], strict=True))
        assert degrees == [decode_position(row[number]) for row in stored]
        assert columns[f"{end}_geohash"] == [format_geohash(row[number] >> 32, 6) for row in stored]
        assert [np.frombuffer(point, "<f8", 2, 5).tolist() for point in columns[end]] == [list(pair) for pair in degrees]
        assert {point[:5] for point in columns[end]} == {b"\x01\x01\x00\x00\x00"}
    assert columns["duration_s"] == [row[3] for row in stored]
    assert columns["region"] == [row[4] for row in stored]
    assert columns["datasource"] == [row[5] for row in stored]
    assert set(columns["load_id"]) == {load_id}
    assert list_kinds(context, load_id)[-1] == "published"


def test_the_manifest_is_verified_and_a_broken_folder_is_not(context: Context) -> None:
    _, objects = publish(context, make_trips(1_500)[0])
    assert find_mistakes(objects) == []
    data = objects["part-00000.parquet"]
    assert find_mistakes(objects | {"part-00000.parquet": data[:-1]}) == ["bytes"]
    assert find_mistakes(objects | {"part-00000.parquet": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]}) == ["sha256"]
    assert find_mistakes(objects | {"part-00001.parquet": data}) == ["names"]


def test_files_end_by_size_and_follow_each_other_in_time(context: Context) -> None:
    small = change(context, publish_file_mib=1)
    load_id = load_bytes(small, make_trips(45_000)[0])["load_id"]
    request(small, load_id)
    publish_load(small, load_id, chunk_rows=5_000)
    objects = list_objects(small, load_id)
    manifest = json.loads(objects[MANIFEST_NAME])
    assert find_mistakes(objects) == []
    assert len(manifest["files"]) > 1
    bounds = [at for file in manifest["files"] for at in (file["first_at"], file["last_at"])]
    assert bounds == sorted(bounds)
    assert [manifest["first_at"], manifest["last_at"]] == [bounds[0], bounds[-1]]
    for name in (file["name"] for file in manifest["files"]):
        times = pq.read_table(io.BytesIO(objects[name]), columns=["started_at"])["started_at"].to_pylist()
        assert times == sorted(times)


def test_files_are_geoparquet(context: Context) -> None:
    from pyproj import CRS

    _, objects = publish(context, make_trips(800)[0])
    file = pq.ParquetFile(io.BytesIO(objects["part-00000.parquet"]))
    geo = json.loads(file.schema_arrow.metadata[b"geo"] if file.schema_arrow.metadata else file.metadata.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["primary_column"] == "origin"
    table = file.read()
    for end in ("origin", "destination"):
        column = geo["columns"][end]
        assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Point"])
        assert CRS.from_json_dict(column["crs"]) == CRS("OGC:CRS84")
        longitude, latitude = (table[f"{end}_{axis}"].to_numpy() for axis in ("longitude", "latitude"))
        assert column["bbox"] == [longitude.min(), latitude.min(), longitude.max(), latitude.max()]


def test_duckdb_counts_the_same_weekly_average(context: Context, tmp_path: Any) -> None:
    _, objects = publish(context, make_trips(3_000)[0])
    path = tmp_path / "part.parquet"
    path.write_bytes(objects["part-00000.parquet"])
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        found = connection.execute(f"select region, count(*) from '{path}' group by region order by region").fetchall()
    with transaction(context.engine) as connection:
        expected = [(name, fetch_weekly(connection, WeeklyQuestion(region=name)).trips) for name, _ in found]
    assert found == expected


def test_a_load_without_durations_regions_or_rows_beside_one_minute(context: Context) -> None:
    data = b"olon,olat,dlon,dlat,at\n" + b"7.6,45.0,7.7,45.1,2018-05-21 02:54:04\n" * 1_500
    roles = {
        "origin_longitude": "olon",
        "origin_latitude": "olat",
        "destination_longitude": "dlon",
        "destination_latitude": "dlat",
    }
    _, objects = publish(context, data, roles=roles | {"started_at": "at"}, region="-")
    table = pq.read_table(io.BytesIO(objects["part-00000.parquet"]))
    assert table.num_rows == 1_500
    assert table["duration_s"].null_count == 1_500
    assert set(table["region"].to_pylist()) == {"-"}


@pytest.mark.parametrize("rows", [CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 2 * CHUNK_ROWS])
def test_chunks_end_anywhere(context: Context, rows: int) -> None:
    _, objects = publish(context, HEADER + ROW * rows)
    assert find_mistakes(objects) == []
    assert json.loads(objects[MANIFEST_NAME])["rows"] == rows


def test_only_a_load_that_succeeded_is_published(context: Context) -> None:
    with pytest.raises(NotFoundError, match="no load 99"):
        request(context, 99)
    load_id = load_bytes(context, HEADER + ROW)["load_id"]
    with pytest.raises(NotFoundError, match="has not been published"):
        fetch(context, load_id)
    undo_load(context.engine, context.broker, load_id)
    with pytest.raises(ConflictError, match="is undone and can't be published"):
        request(context, load_id)


def test_a_repeated_request_and_message_change_nothing(context: Context) -> None:
    load_id, objects = publish(context, make_trips(1_500)[0])
    before = list_kinds(context, load_id)
    assert request(context, load_id)["state"] == "published"
    publish_load(context, load_id)
    assert list_objects(context, load_id) == objects
    assert list_kinds(context, load_id) == before


def test_a_publication_that_ended_early_is_repeated_to_the_same_objects(context: Context) -> None:
    load_id, objects = publish(context, make_trips(1_500)[0])
    folder = name_folder(load_id, context.settings)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update publication set state = 'publishing', manifest = null")
    context.store.remove(folder + MANIFEST_NAME)
    context.store.put(folder + "part-00001.parquet", io.BytesIO(b"left by another version"), length=23)
    publish_load(context, load_id, chunk_rows=CHUNK_ROWS)
    assert list_objects(context, load_id) == objects


def test_two_publishers_at_once_write_one_publication(context: Context) -> None:
    load_id = load_bytes(context, make_trips(3_000)[0])["load_id"]
    request(context, load_id)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: publish_load(context, load_id, chunk_rows=CHUNK_ROWS), range(2)))
    assert find_mistakes(list_objects(context, load_id)) == []
    assert list_kinds(context, load_id).count("published") == 1


def test_undo_removes_the_folder_and_the_load_can_be_published_again(context: Context) -> None:
    load_id, objects = publish(context, make_trips(1_500)[0])
    undo_load(context.engine, context.broker, load_id)
    publish_load(context, load_id)
    assert list_objects(context, load_id) == {}
    assert fetch(context, load_id)["state"] == "withdrawn"
    assert "withdrawn" in list_kinds(context, load_id)
    from loader.pipeline.finishing import clean_load

    clean_load(context, load_id)
    retry_load(context.engine, context.broker, load_id)
    run_load(context, load_id)
    request(context, load_id)
    publish_load(context, load_id, chunk_rows=CHUNK_ROWS)
    assert find_mistakes(list_objects(context, load_id)) == []
    assert list_objects(context, load_id)["part-00000.parquet"] == objects["part-00000.parquet"]


def test_a_load_whose_folder_is_being_removed_waits(context: Context) -> None:
    load_id, _ = publish(context, HEADER + ROW)
    undo_load(context.engine, context.broker, load_id)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update load set state = 'succeeded' where load_id = %s", (load_id,))
    with pytest.raises(ConflictError, match="still being removed"):
        request(context, load_id)


@pytest.mark.parametrize("moment", ["part", "manifest"])
def test_undo_while_it_is_written_leaves_no_object(context: Context, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's own put is the moment: undo and removal come right before the object is there."""
    load_id = load_bytes(context, make_trips(1_500)[0])["load_id"]
    request(context, load_id)
    put, seen = context.store.put, []

    def undo_first(key: str, stream: Any, *, length: int) -> StoredObject:
        if not seen and key.endswith(".json" if moment == "manifest" else ".parquet"):
            seen.append(key)
            undo_load(context.engine, context.broker, load_id)
            publish_load(context, load_id)
            assert fetch(context, load_id)["state"] == "withdrawn"
        return put(key, stream, length=length)

    monkeypatch.setattr(context.store, "put", undo_first)
    publish_load(context, load_id, chunk_rows=CHUNK_ROWS)
    assert seen
    assert list_objects(context, load_id)  # what came too late
    publish_load(context, load_id)
    assert list_objects(context, load_id) == {}
    assert fetch(context, load_id)["state"] == "withdrawn"


def test_a_store_that_is_away_delays_a_publication(context: Context) -> None:
    load_id = load_bytes(context, make_trips(1_500)[0])["load_id"]
    request(context, load_id)
    [nobody] = find_free_ports(1)
    settings = context.settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{nobody}"})
    with pytest.raises(TransientError, match="can't be reached"):
        publish_load(replace(context, settings=settings, store=ObjectStore(settings)), load_id, chunk_rows=CHUNK_ROWS)
    assert fetch(context, load_id)["state"] == "publishing"
    publish_load(context, load_id, chunk_rows=CHUNK_ROWS)
    assert find_mistakes(list_objects(context, load_id)) == []


def test_the_reconciler_sends_lost_messages(context: Context) -> None:
    load_id = load_bytes(context, HEADER + ROW)["load_id"]
    request(context, load_id)
    context.broker.client.flushall()
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update publication set enqueued_at = enqueued_at - interval '1 hour'")
    assert reconcile(context) == 1
    assert reconcile(context) == 0


def test_a_defect_ends_a_publication_and_not_its_load(context: Context) -> None:
    load_id = load_bytes(context, HEADER + ROW)["load_id"]
    request(context, load_id)
    once = change(context, batch_attempts=1)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("alter table region rename column name to another_name")
    publish_load(once, load_id)
    found = fetch(context, load_id)
    assert (found["state"], found["error_code"]) == ("failed", "publication_failed")
    assert list_kinds(context, load_id)[-1] == "publishing_failed"
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("alter table region rename column another_name to name")
        assert execute(connection, "fetch_load", load_id=load_id).mappings().one()["state"] == "succeeded"
    assert request(context, load_id)["state"] == "queued"
    publish_load(context, load_id)
    assert fetch(context, load_id)["state"] == "published"


@pytest.mark.parametrize("chunk_rows", [1, 333, 5_000])
def test_arrays_and_rows_give_the_same_trips(context: Context, chunk_rows: int) -> None:
    load_id = load_bytes(context, make_trips(1_200)[0] + ROW * 300)["load_id"]

    def read(max_bin_rows: int) -> list[TripRows]:
        with transaction(context.engine) as connection:
            execute(connection, "begin_publishing")
            return list(stream_trips(connection, load_id, chunk_rows=chunk_rows, max_bin_rows=max_bin_rows))

    arrays, rows = read(10_000), read(299)
    assert [chunk.size for chunk in arrays] == [chunk.size for chunk in rows]
    assert {chunk.size for chunk in arrays[:-1]} <= {chunk_rows}
    for one, other in zip(arrays, rows, strict=True):
        assert all((mine == theirs).all() for mine, theirs in zip(one, other, strict=True))
    with transaction(context.engine) as connection:
        lengths = [choose_bin_length(connection, load_id, max_bin_rows) for max_bin_rows in (10_000, 299)]
    assert [length is not None for length in lengths] == [not CITUS_BIN, False]


def test_a_reader_that_stops_leaves_its_connection_usable(context: Context) -> None:
    load_id = load_bytes(context, make_trips(1_200)[0])["load_id"]
    for max_bin_rows in (10_000, 1):
        with transaction(context.engine) as connection:
            next(iter(stream_trips(connection, load_id, chunk_rows=10, max_bin_rows=max_bin_rows)))
        with transaction(context.engine) as connection:
            assert execute(connection, "fetch_load", load_id=load_id).one()
