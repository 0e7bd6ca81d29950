"""Rejects are kept whole in the object store, given back in two forms, and loaded again once mended."""

import csv
import io
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from minio import Minio

from loader.checks.consistency import find_problems
from loader.formats import BatchSlice
from loader.pipeline.batch import claim_batch, load_batch, prepare_batch
from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.pipeline.planning import plan_load
from loader.storage.rejects import KeptRejects, RejectQuery, render_rejects, store_rejects
from shared.loads import cancel_load, fetch_load, list_rejects, undo_load
from shared.platform.errors import RequestError
from shared.services.database import execute, transaction
from tests.loading import BAD_ROW, HEADER, ROW, change, load_bytes, make_trips, request_load, run_load

HEAD = b"who;from_lon;from_lat;to_lon;to_lat;at\n"
GOOD = b"ann;7,6;45,0;7,7;45,1;2018-05-21 02:54:04\n"


def render(context: Context, load_id: int, **asked: Any) -> bytes:
    with transaction(context.engine) as connection:
        load = dict(execute(connection, "fetch_load", load_id=load_id).mappings().one())
    return b"".join(render_rejects(KeptRejects(context.engine, context.store, load), RejectQuery(**asked)))


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def list_objects(context: Context) -> list[str]:
    client: Minio = context.store._client
    found = client.list_objects(context.store.bucket, recursive=True)
    return [str(item.object_name) for item in found if ".rejects/" in str(item.object_name)]


@pytest.mark.parametrize("batch_bytes", [16 * 2**20, 20_000])
def test_the_store_keeps_all_and_the_database_the_first(context: Context, batch_bytes: int) -> None:
    data, tally = make_trips(2_000, bad_share=0.05)
    assert len(tally.rejects) > 20
    load = load_bytes(change(context, batch_bytes=batch_bytes, reject_kept_rows=7), data)
    assert (load["state"], load["rows_rejected"]) == ("succeeded", len(tally.rejects))
    assert load["rejects"] == tally.to_json()["rejects"], "counted per reason, also those that the database doesn't keep"
    assert len(list_rejects(context.engine, load["load_id"], limit=1_000)) == 7
    planted = [(str(reject.line), str(reject.record), reject.column or "", reject.reason) for reject in tally.rejects]
    rows = read_csv(render(context, load["load_id"]))
    assert [(row["line"], row["record"], row["column"], row["reason"]) for row in rows] == planted
    some = read_csv(render(context, load["load_id"], reason="field_count", after=int(planted[3][1])))
    assert [row["record"] for row in some] == [record for _, record, _, reason in planted[4:] if reason == "field_count"]
    assert find_problems(context.engine) == []


def test_rows_are_as_they_were_and_load_once_mended(context: Context) -> None:
    bad = b'"b;""o""";7,6;95,0;7,7;45,1;2018-05-21 02:54:04\n', b"cid;7,6;45,0;7,7;45,1;never\n", b"dan;7,6\n"
    load = load_bytes(context, HEAD + GOOD + bad[0] + GOOD + bad[1] + bad[2])
    rows = render(context, load["load_id"], form="rows")
    assert rows == HEAD + b"".join(bad)
    assert load_bytes(context, rows)["rows_rejected"] == 3
    mended = rows.replace(b"95,0", b"45,0").replace(b"never", b"2018-05-21 02:54:04").replace(b"dan;7,6\n", GOOD)
    again = load_bytes(context, mended)
    assert (again["rows_read"], again["rows_loaded"]) == (3, 3)


def test_the_csv_has_the_files_columns_and_loads_once_mended(context: Context) -> None:
    bad = b'"b;""o""";-7,6;95,0;7,7;45,1;2018-05-21 02:54:04\n', b"cid;7,6;45,0;7,7;45,1;=never()\n", b"dan;7,6\n"
    load = load_bytes(context, HEAD + GOOD + b"".join(bad))
    text = render(context, load["load_id"])
    first, second, third = read_csv(text)
    assert (first["who"], first["from_lon"], first["column"], first["value"]) == ('b;"o"', "-7,6", "from_lat", "95,0")
    assert (second["at"], second["reason"], second["line"]) == ("'=never()", "started_at_unreadable", "4")
    assert (third["who"], third["from_lat"], third["raw"]) == ("dan", "", "dan;7,6")
    mended = text.replace(b'"95,0"', b'"45,0"', 1).replace(b"'=never()", b"2018-05-21 02:54:04")
    again = load_bytes(context, mended)
    assert (again["rows_loaded"], again["rejects"]) == (2, {"origin_missing": 1})


def test_rows_with_a_lost_quote_come_last(context: Context) -> None:
    data = HEADER + b'Turin,"POINT (7.6 45.0),POINT (7.7 45.1),2018-05-21 02:54:04,x\n' + BAD_ROW + ROW
    load = load_bytes(context, data)
    assert load["rejects"] == {"unclosed_quote": 1, "origin_out_of_range": 1}
    lines = render(context, load["load_id"], form="rows").splitlines(keepends=True)
    assert (lines[0], lines[1], lines[2][:7]) == (HEADER, BAD_ROW, b'Turin,"')
    assert load_bytes(context, b"".join(lines))["rejects"] == load["rejects"]


def test_long_records_are_whole_in_the_store(context: Context) -> None:
    row = BAD_ROW.replace(b"baba_car", b"x" * 100_000)
    load = load_bytes(context, HEADER + row)
    assert render(context, load["load_id"], form="rows") == HEADER + row
    [kept] = list_rejects(context.engine, load["load_id"])
    assert len(kept["raw"]) == 65_536


def test_rows_of_parquet_come_as_csv_only(context: Context) -> None:
    points = pa.array(["POINT (7.6 45.0)", "POINT (7.6 95.0)"])
    out = io.BytesIO()
    pq.write_table(pa.table({"origin": points, "destination": points, "started_at": pa.array(["2018-05-21 02:54:04"] * 2)}), out)
    load = load_bytes(context, out.getvalue(), file_name="trips.parquet")
    assert (load["rows_loaded"], load["rejects"]) == (1, {"origin_out_of_range": 1})
    [row] = read_csv(render(context, load["load_id"]))
    assert (row["reason"], row["value"]) == ("origin_out_of_range", "POINT (7.6 95.0)")
    with pytest.raises(RequestError):
        render(context, load["load_id"], form="rows")


def test_what_an_attempt_left_behind_counts_for_nothing(context: Context) -> None:
    small = change(context, batch_bytes=len(HEADER + ROW * 10))
    load_id = request_load(context.engine, context.store, HEADER + ROW * 10 + BAD_ROW * 10)
    plan_load(small, load_id)
    claim = claim_batch(small, load_id, 1)
    assert claim
    batch = prepare_batch(small, claim)
    store_rejects(context.store, claim.stored.key, BatchSlice.from_json(claim.slice["piece"]), rejects=batch.rejects)
    assert len(list_objects(context)) == 1
    assert read_csv(render(context, load_id)) == [], "the ledger doesn't know of it"
    with transaction(context.engine) as connection:
        execute(connection, "release_batch", **claim.lease, is_failure=False, is_outage=True)
    load = run_load(small, load_id)
    assert (load["state"], load["rows_rejected"]) == ("succeeded", 10)
    assert len(read_csv(render(context, load_id))) == 10


def test_undo_and_cancel_remove_the_objects(context: Context) -> None:
    load = load_bytes(context, HEADER + ROW + BAD_ROW * 3)
    assert len(list_objects(context)) == 1
    undo_load(context.engine, context.broker, load["load_id"])
    clean_load(context, load["load_id"])
    assert list_objects(context) == []
    assert len(read_csv(render(context, load["load_id"]))) == 3, "what the database kept is still told"
    small = change(context, batch_bytes=200)
    load_id = request_load(context.engine, context.store, HEADER + BAD_ROW * 20 + ROW)
    plan_load(small, load_id)
    load_batch(small, load_id, 0)
    assert list_objects(context)
    cancel_load(context.engine, context.broker, load_id)
    clean_load(context, load_id)
    assert list_objects(context) == []


def test_a_load_that_failed_for_its_rejects_tells_them_all(context: Context) -> None:
    load = load_bytes(change(context, reject_limit_rows=4, reject_kept_rows=2), HEADER + ROW * 5 + BAD_ROW * 9)
    assert (load["state"], load["rejects"]) == ("failed", {"origin_out_of_range": 9})
    assert len(read_csv(render(context, load["load_id"]))) == 9


def test_odd_trips_are_counted(context: Context) -> None:
    same = b"Turin,POINT (7.6 45.0),POINT (7.6 45.0),2018-05-21 02:54:04,baba_car\n"
    far = b"Turin,POINT (17.6 45.0),POINT (7.7 45.1),2018-05-21 02:54:04,baba_car\n"
    load = load_bytes(change(context, batch_bytes=400), HEADER + (ROW * 200 + same) * 3 + far)
    assert (load["rows_loaded"], load["warnings"]) == (604, {"same_ends": 3, "far_from_others": 1})
    assert fetch_load(context.engine, load_bytes(context, HEADER + ROW)["load_id"])["warnings"] == {}


def test_numbers_in_files_are_those_of_the_database(context: Context) -> None:
    data, _ = make_trips(500, bad_share=0.1)
    load = load_bytes(change(context, batch_bytes=5_000), data)
    listed = pl.DataFrame(list_rejects(context.engine, load["load_id"], limit=1_000))
    rows = read_csv(render(context, load["load_id"]))
    assert [int(row["line"]) for row in rows] == listed["line"].to_list()
    assert [row["raw"].removeprefix("'") for row in rows] == [raw.removeprefix("'") for raw in listed["raw"]]
