"""One file, from the store to trips, rollups, counters, rejects and events, in this process."""

import gzip
import io
import random
from typing import Any

import polars as pl
import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.batch import load_batch
from loader.pipeline.context import Context
from loader.pipeline.finishing import WINDOW, enqueue_batches
from loader.pipeline.planning import plan_load
from shared.domain.area import Box
from shared.loads import cancel_load, fetch_load, list_rejects, retry_load, undo_load
from shared.platform.errors import ConflictError, NotFoundError
from shared.questions.histograms import fetch_histogram
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import execute, transaction
from shared.services.queueing import count_messages
from tests.loading import BAD_ROW, HEADER, ROW, change, list_pending, load_bytes, make_trips, request_load, run_load
from tests.services import CITUS_BIN
from tests.shared_data import CHALLENGE_FILE, read_challenge_expected
from tests.unit.formats.archives import delete_member, make_tar, make_zip


def fetch_all(context: Context, statement: str) -> list[tuple[Any, ...]]:
    with transaction(context.engine) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def count_trips(context: Context) -> int:
    return int(fetch_all(context, "select count(*) from trip")[0][0])


def list_parts(context: Context) -> list[str]:
    found = context.store._client.list_objects(context.store.bucket, recursive=True)
    return [str(item.object_name) for item in found if ".parts/" in str(item.object_name)]


def test_challenge_file_gives_the_expected_counts(context: Context) -> None:
    expected = read_challenge_expected()
    load = load_bytes(context, CHALLENGE_FILE.read_bytes())
    assert (load["state"], load["rows_read"], load["rows_loaded"], load["rows_rejected"]) == ("succeeded", 100, 100, 0)
    assert load["bytes_read"] == load["bytes_total"]
    with transaction(context.engine) as connection:
        weeks = {str(row.week): row.trips for row in execute(connection, "list_load_weeks", load_id=load["load_id"])}
        regions = {row.name: row.trips for row in execute(connection, "list_regions")}
    assert weeks == expected["weeks"]
    assert regions == expected["regions"]
    assert find_problems(context.engine) == []


def test_positions_and_times_are_those_of_the_file(context: Context) -> None:
    load_bytes(context, HEADER + ROW)
    [trip] = fetch_all(
        context,
        """select started_at::text, region, datasource, duration_s,
                  origin_longitude, origin_latitude, destination_longitude, destination_latitude from trips""",
    )
    assert trip[:4] == ("2018-05-21 02:54:04", "Turin", "baba_car", None)
    assert trip[4:] == pytest.approx((7.6, 45.0, 7.7, 45.1), abs=1e-6)


@pytest.mark.parametrize("batch_bytes", [16 * 2**20, 50_000])
def test_every_row_is_a_trip_or_a_reject_whatever_the_batch(context: Context, batch_bytes: int) -> None:
    data, tally = make_trips(3_000, bad_share=0.05, seed=3)
    load = load_bytes(change(context, batch_bytes=batch_bytes), data)
    assert load["state"] == "succeeded"
    assert (load["batches_total"] > 1) == (batch_bytes < len(data))
    assert (load["rows_read"], load["rows_loaded"]) == (3_000, tally.rows_loaded)
    assert load["rejects"] == tally.to_json()["rejects"]
    rejects = list_rejects(context.engine, load["load_id"], limit=1_000)
    assert [(row["line"], row["record"], row["column"], row["reason"]) for row in rejects] == [
        (reject.line, reject.record, reject.column, reject.reason) for reject in tally.rejects
    ]
    with transaction(context.engine) as connection:
        weeks = {row.week: row.trips for row in execute(connection, "list_load_weeks", load_id=load["load_id"])}
    assert weeks == tally.weeks
    assert find_problems(context.engine) == []


def test_batches_are_stored_sorted_by_origin(context: Context) -> None:
    data, _ = make_trips(2_000)
    load_bytes(context, data)
    # On TimescaleDB each chunk is a table of its own, on Citus each shard.
    falls = "select origin < lag(origin) over (partition by tableoid order by ctid) as falls from"
    count = "select count(*) from ({} {}) t where falls"
    if CITUS_BIN:
        shards = f"run_command_on_shards('trip', $${count.format(falls, '%%s')}$$)"
        assert fetch_all(context, f"select distinct result from {shards}") == [("0",)]
    else:
        assert fetch_all(context, count.format(falls, "trip")) == [(0,)]


def test_questions_about_a_load_that_is_not_packed_read_blocks(context: Context) -> None:
    data, _ = make_trips(3_000)
    load = load_bytes(change(context, batch_bytes=50_000), data)
    assert load["batches_total"] > 3
    assert fetch_all(context, "select has_blocks from uncompacted_load") == [(True,)]
    assert fetch_all(context, "select is_origin, sum(trips)::int from batch_block group by 1") == [(False, 3_000), (True, 3_000)]
    assert find_problems(context.engine) == []
    where = "origin_longitude between 7.6 and 7.7 and origin_latitude between 45 and 45.1"
    [(trips,)] = fetch_all(context, f"select count(*) from trips where {where}")
    with transaction(context.engine) as connection:
        assert 0 < trips == fetch_weekly(connection, WeeklyQuestion(area=Box(7.6, 45.0, 7.7, 45.1))).trips < 3_000


def test_trips_scattered_over_many_regions_get_no_blocks(context: Context) -> None:
    rows = b"".join(ROW.replace(b"Turin", f"Region {number}".encode()) for number in range(101))
    load = load_bytes(context, HEADER + rows)
    assert load["rows_loaded"] == 101
    assert fetch_all(context, "select has_blocks from uncompacted_load") == [(False,)]
    assert fetch_all(context, "select count(*) from batch_block") == [(0,)]
    assert find_problems(context.engine) == []
    with transaction(context.engine) as connection:
        assert fetch_weekly(connection, WeeklyQuestion(area=Box(7.5, 44.9, 7.7, 45.1))).trips == 101


def test_blocks_go_with_the_load(context: Context) -> None:
    load_id = int(load_bytes(context, HEADER + ROW)["load_id"])
    assert fetch_all(context, "select count(*) from batch_block") == [(2,)]
    undo_load(context.engine, context.broker, load_id)
    assert fetch_all(context, "select has_blocks from uncompacted_load") == [(False,)]  # trips are about to be removed
    run_load(context, load_id)
    assert fetch_all(context, "select count(*) from batch_block") == [(0,)]


def test_durations_are_stored_where_they_are_known(context: Context) -> None:
    rows = [
        f"A,7.6,45.{n},7.7,45.1,2018-05-21 02:00:00,{end},x\n"
        for n, end in enumerate(["2018-05-21 02:10:00", "", "2018-05-21 03:00:00"])
    ]
    header = "region,origin_longitude,origin_latitude,destination_longitude,destination_latitude,started_at,ended_at,datasource\n"
    load = load_bytes(context, (header + "".join(rows)).encode())
    assert load["rows_loaded"] == 3
    assert fetch_all(context, "select duration_s from trips order by origin_latitude") == [(600,), (None,), (3600,)]
    with transaction(context.engine) as connection:
        found = fetch_histogram(connection, WeeklyQuestion(), by="duration")
    assert {each.bin: each.trips for each in found.bins if each.trips} == {10: 1, 60: 1}
    assert (found.trips, found.unknown_trips) == (3, 1)


def test_rollups_of_a_succeeded_load_are_merged(context: Context) -> None:
    data, _ = make_trips(3_000)
    load = load_bytes(change(context, batch_bytes=50_000), data)
    assert load["batches_total"] > 3
    [(rows, keys)] = fetch_all(context, "select count(*), count(distinct (week, region_id, datasource_id)) from rollup_week")
    assert rows == keys > 0
    assert load["needs_cleaning"] is False


def test_merged_rollups_leave_no_room_behind(context: Context) -> None:
    data, _ = make_trips(3_000)
    load = load_bytes(change(context, batch_bytes=4_000), data)
    assert load["batches_total"] > 64
    [(pages, rows)] = fetch_all(context, "select pg_relation_size('rollup_week') / 8192, count(*) from rollup_week")
    assert pages <= 1 + rows / 60
    assert find_problems(context.engine) == []


@pytest.mark.parametrize("pack", [gzip.compress, None], ids=["gzip", "utf-16"])
def test_packed_files_go_through_parts_that_are_removed(context: Context, pack: Any) -> None:
    data, tally = make_trips(3_000, bad_share=0.02)
    packed = pack(data) if pack else data.decode().encode("utf-16")
    context = change(context, batch_bytes=50_000)
    load_id = request_load(context.engine, context.store, packed, file_name="trips.csv")
    plan_load(context, load_id)
    parts = list_parts(context)
    load = run_load(context, load_id)
    assert (load["state"], load["rows_read"], load["rows_loaded"]) == ("succeeded", 3_000, tally.rows_loaded)
    assert load["bytes_read"] == load["bytes_total"] == len(packed)
    assert len(parts) == load["batches_total"] > 3
    assert list_parts(context) == []
    assert find_problems(context.engine) == []


def test_what_was_deleted_from_a_zip_is_not_loaded(context: Context) -> None:
    kept, tally = make_trips(3_000)
    noise = random.Random(1).randbytes(3 * 2**19).hex().encode()
    archive = delete_member(make_zip({"deleted.csv": HEADER + noise, "notes.md": noise, "trips.csv": kept}), "deleted.csv")
    load = load_bytes(context, archive)
    assert (load["state"], load["rows_read"], load["rows_loaded"]) == ("succeeded", 3_000, tally.rows_loaded)
    assert load["bytes_read"] == load["bytes_total"] == len(archive)


def test_parquet_and_tables_in_archives_go_through_parts(context: Context) -> None:
    data, tally = make_trips(3_000)
    parquet = io.BytesIO()
    pl.read_csv(data).write_parquet(parquet, row_group_size=1_000)
    packed = make_zip({"README.md": b"trips", "trips.parquet": parquet.getvalue()})
    tarred = gzip.compress(make_tar({"README": b"trips", "a/trips.csv": data, "b/more.csv": HEADER + ROW * 5}))
    for archive, rows in ((packed, 3_000), (tarred, 3_005)):
        load = load_bytes(context, archive)
        assert (load["state"], load["rows_read"], load["rows_loaded"]) == ("succeeded", rows, tally.rows_loaded + rows - 3_000)
        assert load["bytes_read"] == load["bytes_total"] == len(archive)
        undo_load(context.engine, context.broker, load["load_id"])
    assert list_parts(context) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n", "empty_file"),
        (b"name,age\nAnna,7\nBob,9\n", None),
        (gzip.compress(HEADER + ROW)[:-9], None),
    ],
    ids=["empty", "blank", "no trips", "cut gzip"],
)
def test_what_is_no_trip_file_fails_with_one_message(context: Context, data: bytes, code: str | None) -> None:
    load = load_bytes(context, data)
    assert load["state"] == "failed"
    assert load["error_code"] == code or code is None
    assert load["error_message"].count("\n") == 0
    assert count_trips(context) == 0
    assert list_parts(context) == []
    assert find_problems(context.engine) == []


def test_same_bytes_are_loaded_once(context: Context) -> None:
    first = load_bytes(context, HEADER + ROW)
    second = load_bytes(context, HEADER + ROW)
    assert (second["state"], second["error_code"], second["duplicate_of"]) == ("cancelled", "already_loaded", first["load_id"])
    assert second["error_message"] == f"Already loaded as load {first['load_id']}."
    assert load_bytes(context, HEADER + ROW, region="Rome")["state"] == "succeeded", "another mapping is another load"
    assert count_trips(context) == 2
    undo_load(context.engine, context.broker, first["load_id"])
    assert load_bytes(context, HEADER + ROW)["state"] == "succeeded", "what was undone doesn't stand in the way"


def test_too_many_rejects_fail_the_load_and_leave_their_reasons(context: Context) -> None:
    data = HEADER + ROW * 50 + BAD_ROW * 5
    load = load_bytes(change(context, reject_limit_rows=4), data)
    assert (load["state"], load["error_code"], load["rows_loaded"]) == ("failed", "too_many_rejects", 0)
    assert load["rejects"] == {"origin_out_of_range": 5}
    assert count_trips(context) == 0
    assert find_problems(context.engine) == []


def test_share_of_rejects_is_judged_at_the_end(context: Context) -> None:
    data = HEADER + BAD_ROW * 30 + ROW * 70
    strict, lenient = change(context, reject_limit_share=0.2, batch_bytes=1_024), change(context, reject_limit_share=0.3)
    load = load_bytes(strict, data)
    assert (load["state"], load["error_code"]) == ("failed", "too_many_rejects")
    assert "30 of 100" in load["error_message"]
    assert count_trips(context) == 0
    assert load_bytes(lenient, data)["rows_loaded"] == 70
    assert find_problems(context.engine) == []


def test_limits_of_one_load_come_before_those_of_all(context: Context) -> None:
    data = HEADER + BAD_ROW * 30 + ROW * 70
    small = change(context, batch_bytes=1_024)
    for limit in ({"max_rejects": 29}, {"max_reject_share": 0.29}, {"max_rejects": 0}):
        load = load_bytes(small, data, **limit)
        assert (load["state"], load["error_code"], load["rows_loaded"]) == ("failed", "too_many_rejects", 0), limit
        assert count_trips(context) == 0
        assert fetch_all(context, "select * from rollup_week") == []
    strict = change(context, reject_limit_rows=1, reject_limit_share=0.01)
    load = load_bytes(strict, data, max_rejects=30, max_reject_share=0.3)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", 70)
    assert load_bytes(context, data)["duplicate_of"] == load["load_id"], "a limit doesn't make it another file"
    assert find_problems(context.engine) == []


def test_small_windows_of_messages_are_refilled_as_batches_end(context: Context) -> None:
    data, _ = make_trips(3_000)
    context = change(context, batch_bytes=4_000)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    assert len(list_pending(context.engine, load_id)) > WINDOW
    assert count_messages(context.broker) == WINDOW
    assert enqueue_batches(context, load_id) == 0, "no second message for what is on its way"
    load_batch(context, load_id, 0)
    assert count_messages(context.broker) == WINDOW + 1
    assert run_load(context, load_id)["state"] == "succeeded"


@pytest.mark.parametrize("batches_done", [None, 0, 3])
def test_cancelled_load_leaves_nothing_and_can_begin_anew(context: Context, batches_done: int | None) -> None:
    data, tally = make_trips(3_000)
    context = change(context, batch_bytes=50_000)
    load_id = request_load(context.engine, context.store, data)
    if batches_done is not None:
        plan_load(context, load_id)
        for batch_no in range(batches_done):
            load_batch(context, load_id, batch_no)
    assert cancel_load(context.engine, context.broker, load_id)["needs_cleaning"]
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"], load["needs_cleaning"]) == ("cancelled", 0, False)
    assert count_trips(context) == 0
    assert find_problems(context.engine) == []
    retry_load(context.engine, context.broker, load_id)
    assert find_problems(context.engine) == []
    assert run_load(context, load_id)["rows_loaded"] == tally.rows_loaded
    assert find_problems(context.engine) == []


def test_undone_load_leaves_nothing(context: Context) -> None:
    data, tally = make_trips(3_000)
    load_id = load_bytes(context, data)["load_id"]
    other, _ = make_trips(500, seed=9)
    load_bytes(context, other)
    assert undo_load(context.engine, context.broker, load_id)["state"] == "undone"
    load = run_load(context, load_id)
    assert (load["rows_loaded"], load["rows_read"]) == (0, tally.rows)
    assert count_trips(context) == 500
    assert find_problems(context.engine) == []


def test_failed_load_goes_on_where_it_stood(context: Context) -> None:
    data, tally = make_trips(3_000)
    context = change(context, batch_bytes=50_000)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update load_batch set attempts = 10 where batch_no = 2")
    load = run_load(context, load_id)
    assert (load["state"], load["error_code"]) == ("failed", "batches_failed")
    assert "1 of" in load["error_message"]
    assert "Batch 2 ended its worker 10 times" in load["error_message"]
    assert 0 < load["rows_loaded"] == count_trips(context) < tally.rows_loaded
    assert find_problems(context.engine) == []
    retry_load(context.engine, context.broker, load_id)
    assert list_pending(context.engine, load_id) == [2]
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"], load["error_code"]) == ("succeeded", tally.rows_loaded, None)
    assert find_problems(context.engine) == []


def test_failed_load_with_rows_can_be_undone(context: Context) -> None:
    data, _ = make_trips(3_000)
    context = change(context, batch_bytes=50_000)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update load_batch set attempts = 10 where batch_no = 2")
    run_load(context, load_id)
    undo_load(context.engine, context.broker, load_id)
    assert run_load(context, load_id)["rows_loaded"] == 0
    assert count_trips(context) == 0
    assert find_problems(context.engine) == []


def test_failed_load_is_not_resumed_beside_another_of_the_same_file(context: Context) -> None:
    data, _ = make_trips(1_000)
    context = change(context, batch_bytes=50_000)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update load_batch set attempts = 10 where batch_no = 1")
    run_load(context, load_id)
    assert load_bytes(context, data)["state"] == "succeeded"
    with pytest.raises(ConflictError, match="another load"):
        retry_load(context.engine, context.broker, load_id)
    assert fetch_load(context.engine, load_id)["state"] == "failed"


def test_ended_loads_refuse_what_makes_no_sense(context: Context) -> None:
    load_id = load_bytes(context, HEADER + ROW)["load_id"]
    for change_load in (cancel_load, retry_load):
        with pytest.raises(ConflictError, match=f"Load {load_id} is succeeded"):
            change_load(context.engine, context.broker, load_id)
        with pytest.raises(NotFoundError):
            change_load(context.engine, context.broker, 4_711)
    undo_load(context.engine, context.broker, load_id)
    with pytest.raises(ConflictError, match="still being removed"):
        undo_load(context.engine, context.broker, load_id)


def test_planning_again_after_the_load_has_ended_changes_nothing(context: Context) -> None:
    load_id = load_bytes(context, HEADER + ROW)["load_id"]
    before = fetch_load(context.engine, load_id)
    plan_load(context, load_id)
    load_batch(context, load_id, 0)
    load_batch(context, load_id, 99)
    assert fetch_load(context.engine, load_id) == before
    assert find_problems(context.engine) == []
