"""Large files are loaded while they are still being read; what comes out is what comes out of reading them first."""

import gzip
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.batch_cache import BatchCache
from loader.pipeline.batch_objects import PartWriter
from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.pipeline.leases import LoadEndedError
from loader.pipeline.ledger import Ledger
from loader.pipeline.planning import plan_load
from shared.loads import cancel_load, fetch_load, list_rejects
from shared.platform.errors import TransientError
from shared.services.database import execute, transaction
from shared.services.objects import ObjectStore
from tests.loading import BAD_ROW, HEADER, ROW, change, make_trips, request_load, run_load, wait_until
from tests.proxy import Proxy, running_proxy
from tests.services import S3Server

LATE_LETTERS = HEADER + ROW * 40_000 + ROW.replace(b"Turin", "Zürich".encode("windows-1252")) * 2_000
OPEN_DATES = HEADER + ROW.replace(b"2018-05-21", b"05/06/2018") * 70_000 + ROW.replace(b"2018-05-21", b"05/21/2018") * 10


@pytest.fixture
def early(context: Context) -> Context:
    """Everything is loaded early, in small batches."""
    return change(context, early_bytes=0, batch_bytes=50_000)


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with running_proxy(s3_server.port) as proxy:
        yield proxy


def load_counts(context: Context, load_id: int) -> tuple[Any, ...]:
    """What stands in the database of a load, whatever it is called there."""
    with transaction(context.engine) as connection:
        statement = "select started_at, origin, destination, region_id, datasource_id from trip where load_id = %(load_id)s"
        trips = Counter(tuple(row) for row in connection.exec_driver_sql(statement, {"load_id": load_id}))
        weeks = {row.week: row.trips for row in execute(connection, "list_load_weeks", load_id=load_id)}
        slices = [row.slice["piece"] for row in execute(connection, "list_batches", load_id=load_id)]
    load = fetch_load(context.engine, load_id)
    facts = (
        "state",
        "rows_read",
        "rows_loaded",
        "rows_rejected",
        "bytes_read",
        "batches_total",
        "batches_done",
        "rejects",
        "plan",
    )
    return trips, weeks, slices, list_rejects(context.engine, load_id, limit=10_000), {name: load[name] for name in facts}


@pytest.mark.parametrize(
    ("data", "begins_early"),
    [
        (make_trips(3_000, bad_share=0.05, seed=3)[0], True),
        (gzip.compress(make_trips(20_000, bad_share=0.05, seed=4)[0]), True),
        (make_trips(15_000, seed=5)[0].decode().encode("utf-16"), True),
        (LATE_LETTERS, True),
        (OPEN_DATES, False),
    ],
    ids=["plain", "gzip", "utf-16", "late letters", "open dates"],
)
def test_early_or_not_the_same_stands_there(context: Context, early: Context, data: bytes, begins_early: bool) -> None:
    early = change(early, batch_bytes=max(50_000, len(data) // 12))
    first = run_load(change(early, early_bytes=2**40), load_id := request_load(context.engine, context.store, data))
    assert first["state"] == "succeeded"
    expected = load_counts(context, load_id)
    with transaction(context.engine) as connection:  # else it would be taken for a possible duplicate
        connection.exec_driver_sql("update load set content_hash = null, bytes_total = 1")
    load_id = request_load(context.engine, context.store, data)
    plan_load(early, load_id)
    assert (fetch_load(context.engine, load_id)["batches_done"] > 0) == begins_early
    assert run_load(early, load_id)["bytes_total"] == len(data)
    assert load_counts(context, load_id) == expected


def test_batches_are_done_before_the_last_is_known(early: Context, proxy: Proxy) -> None:
    settings = early.settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{proxy.port}", "batch_bytes": 1_000_000})
    behind = replace(early, settings=settings, store=ObjectStore(settings))
    data, tally = make_trips(150_000)
    load_id = request_load(early.engine, early.store, data)
    proxy.limit_bytes = 14_000_000
    with pytest.raises(TransientError):
        plan_load(behind, load_id)
    load = fetch_load(early.engine, load_id)
    assert (load["state"], load["batches_total"]) == ("loading", None)
    assert 0 < load["rows_loaded"] < tally.rows_loaded
    assert load["bytes_read"] < load["bytes_total"]
    proxy.limit_bytes = None
    load = run_load(behind, load_id)
    assert (load["state"], load["rows_loaded"], load["bytes_read"]) == ("succeeded", tally.rows_loaded, len(data))
    assert load["batches_total"] == load["batches_done"] > 10
    assert find_problems(early.engine) == []


def test_a_planner_that_was_taken_over_writes_nothing_more(early: Context) -> None:
    load_id = request_load(early.engine, early.store, HEADER + ROW * 10)
    claim = {"load_id": load_id, "lease_s": 0.0}
    with transaction(early.engine) as connection:
        first = dict(execute(connection, "claim_planning", **claim).mappings().one())
    with PartWriter(early.store, first["object_key"]) as parts:
        stale = Ledger(early, first, parts=parts)
        assert stale.begin_early({}, {})
        with transaction(early.engine) as connection:
            second = dict(execute(connection, "claim_planning", **claim).mappings().one())
        assert (second["state"], second["batches_total"], second["attempts"]) == ("loading", None, 2)
        for write in (lambda: stale.show(bytes_read=1), lambda: stale.close({}, {}, content_hash="x")):
            with pytest.raises(LoadEndedError):
                write()
        Ledger(early, second, parts=parts).show(bytes_read=1)


def test_cancelled_while_it_is_read(early: Context) -> None:
    data, _ = make_trips(30_000)
    load_id = request_load(early.engine, early.store, data)
    with ThreadPoolExecutor(1) as pool:
        planning = pool.submit(plan_load, early, load_id)
        wait_until(lambda: fetch_load(early.engine, load_id)["rows_loaded"])
        assert cancel_load(early.engine, early.broker, load_id)["batches_total"] is None, "cancelled while it is read"
        planning.result()
    clean_load(early, load_id)
    assert load_counts(early, load_id)[:2] == (Counter(), {})
    assert fetch_load(early.engine, load_id)["state"] == "cancelled"
    assert find_problems(early.engine) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(make_trips(40_000)[0])[:-9], None),
        (HEADER + ROW * 5_000 + b'"' + b"x" * 40_000_000, "endless_record"),
        (HEADER + ROW * 5_000 + BAD_ROW * 500, "too_many_rejects"),
    ],
    ids=["cut gzip", "endless record", "rejects"],
)
def test_what_turns_out_bad_leaves_nothing(early: Context, data: bytes, code: str | None) -> None:
    load_id = request_load(early.engine, early.store, data, max_rejects=100)
    load = run_load(early, load_id)
    assert load["state"] == "failed"
    assert load["error_code"] == code or code is None
    assert load["rows_read"] > 0, "it had begun"
    assert load_counts(early, load_id)[:2] == (Counter(), {})
    assert find_problems(early.engine) == []


def test_a_file_of_the_same_length_waits_until_the_first_is_read(early: Context) -> None:
    data, tally = make_trips(30_000)
    loads = [request_load(early.engine, early.store, data) for _ in range(2)]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(plan_load, early, loads[0])
        wait_until(lambda: fetch_load(early.engine, loads[0])["rows_loaded"])
        with pytest.raises(TransientError, match="still being read"):
            plan_load(early, loads[1])
        first.result()
    assert run_load(early, loads[0])["rows_loaded"] == tally.rows_loaded
    load = run_load(early, loads[1])
    assert (load["state"], load["duplicate_of"], load["rows_read"]) == ("cancelled", loads[0], 0)


def test_two_files_of_the_same_length_at_once_are_read_first(early: Context) -> None:
    data, tally = make_trips(3_000)
    loads = [request_load(early.engine, early.store, data) for _ in range(2)]
    with transaction(early.engine) as connection:
        execute(connection, "claim_planning", load_id=loads[1], lease_s=60)  # somebody is at the other
    plan_load(early, loads[0])
    assert fetch_load(early.engine, loads[0])["batches_done"] == 0
    assert run_load(early, loads[0])["rows_loaded"] == tally.rows_loaded


def test_handoff_keeps_the_newest() -> None:
    batch_cache = BatchCache(2)
    for batch_no in range(3):
        batch_cache.put(1, batch_no, bytes([batch_no]))
    assert [batch_cache.take(1, batch_no) for batch_no in range(3)] == [None, b"\1", b"\2"]
    assert batch_cache.take(1, 2) is None
    batch_cache.put(1, 3, b"x")
    batch_cache.drop(1)
    assert batch_cache.take(1, 3) is None
