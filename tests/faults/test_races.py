"""Two runners, two loads, two wills: every order of commits gives one outcome, and tables that agree."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.batch import claim_batch, load_batch, prepare_batch, store_batch
from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load, fold_running
from loader.pipeline.planning import plan_load
from shared.loads import cancel_load, fetch_load, undo_load
from shared.platform.errors import ConflictError
from shared.services.database import transaction
from tests.blocking import BEFORE_COMMIT, holding, wait_for_blocked
from tests.loading import change, list_pending, load_bytes, make_trips, request_load, run_load
from tests.services import CITUS_BIN

pytestmark = pytest.mark.faults


def run_together(*works: Callable[[], Any]) -> list[Any]:
    """Start all at the same moment, each in a thread; their results, or the errors they raised."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return work()
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def prepare(context: Context, rows: int = 1_500, **settings: Any) -> tuple[Context, int]:
    context = change(context, **({"batch_bytes": 50_000} | settings))
    data, _ = make_trips(rows)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    return context, load_id


def end_leases(context: Context, load_id: int) -> None:
    """Let the leases of a load's batches run out now."""
    with transaction(context.engine) as connection:
        text = "update load_batch set claimed_at = '2000-01-01' where load_id = %s and claimed_at is not null"
        connection.exec_driver_sql(text, (load_id,))


@pytest.mark.parametrize("copies", [2, 10])
def test_message_delivered_several_times_at_once(context: Context, copies: int) -> None:
    context, load_id = prepare(context)
    for batch_no in list_pending(context.engine, load_id):
        run_together(*[lambda batch_no=batch_no: load_batch(context, load_id, batch_no)] * copies)  # type: ignore[misc]
    assert fetch_load(context.engine, load_id)["state"] == "succeeded"
    assert find_problems(context.engine) == []
    with transaction(context.engine) as connection:
        assert connection.exec_driver_sql("select max(attempts) from load_batch").scalar_one() == 1


def test_messages_in_another_order_and_again_later(context: Context) -> None:
    context, load_id = prepare(context)
    numbers = list_pending(context.engine, load_id)
    for batch_no in [*reversed(numbers), *numbers]:
        load_batch(context, load_id, batch_no)
        plan_load(context, load_id)
    assert fetch_load(context.engine, load_id)["state"] == "succeeded"
    assert find_problems(context.engine) == []


def test_all_batches_at_once_end_the_load_once(context: Context) -> None:
    context, load_id = prepare(context)
    run_together(*[lambda no=no: load_batch(context, load_id, no) for no in list_pending(context.engine, load_id)])  # type: ignore[misc]
    assert fetch_load(context.engine, load_id)["state"] == "succeeded"
    assert find_problems(context.engine) == []


def test_runner_that_was_stopped_past_its_lease_skips(context: Context) -> None:
    context, load_id = prepare(context)
    slow = claim_batch(context, load_id, 0)
    assert slow is not None
    batch = prepare_batch(context, slow)
    end_leases(context, load_id)
    load_batch(context, load_id, 0)
    assert list_pending(context.engine, load_id)[0] == 1, "another runner has stored it"
    store_batch(context, slow, batch)
    assert run_load(context, load_id)["state"] == "succeeded"
    assert find_problems(context.engine) == []


def test_two_runners_in_their_transactions_store_once(context: Context) -> None:
    context, load_id = prepare(context)
    ready = []
    for _ in range(2):
        claim = claim_batch(context, load_id, 0)
        assert claim is not None
        ready.append((claim, prepare_batch(context, claim)))
        end_leases(context, load_id)
    with ThreadPoolExecutor(2) as pool:
        with holding(context.engine, BEFORE_COMMIT[0]):
            stored = [pool.submit(store_batch, context, claim, batch) for claim, batch in ready]
            wait_for_blocked(context.engine, BEFORE_COMMIT[1])
            wait_for_blocked(context.engine, "select state from load_batch%for update")
        assert [future.result(timeout=60) for future in stored] == [None, None]
    assert run_load(context, load_id)["state"] == "succeeded"
    assert find_problems(context.engine) == []


def count_rollups(context: Context, load_id: int) -> tuple[int, int]:
    """Rows of a load in the rollup of weeks, and their trips."""
    with transaction(context.engine) as connection:
        text = "select count(*), coalesce(sum(trips), 0)::bigint from rollup_week where load_id = %s"
        rows, trips = connection.exec_driver_sql(text, (load_id,)).one()
    return rows, trips


def hold_last_batch(context: Context, load_id: int, *, first: str) -> tuple[Any, Any]:
    """Let the last batch and a cancellation wait for the load's row, in this order of arrival; their results."""

    def cancel() -> Any:
        try:
            return cancel_load(context.engine, context.broker, load_id)
        except ConflictError as error:
            return error

    *others, last = list_pending(context.engine, load_id)
    for batch_no in others:
        load_batch(context, load_id, batch_no)
    works = {"batch": lambda: load_batch(context, load_id, last), "cancel": cancel}
    waits = {"batch": BEFORE_COMMIT[1], "cancel": "update load%needs_cleaning = true"}
    order = ["batch", "cancel"] if first == "batch" else ["cancel", "batch"]
    with ThreadPoolExecutor(2) as pool:
        with holding(context.engine, BEFORE_COMMIT[0]):
            futures = {}
            for name in order:
                futures[name] = pool.submit(works[name])
                wait_for_blocked(context.engine, waits[name])
        return futures["batch"].result(timeout=60), futures["cancel"].result(timeout=60)


def test_cancel_after_the_last_batch_is_refused(context: Context) -> None:
    context, load_id = prepare(context)
    _, cancelled = hold_last_batch(context, load_id, first="batch")
    assert isinstance(cancelled, ConflictError)
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", 1_500)
    assert find_problems(context.engine) == []


def test_cancel_before_the_last_batch_wins(context: Context) -> None:
    context, load_id = prepare(context)
    _, cancelled = hold_last_batch(context, load_id, first="cancel")
    assert cancelled["state"] == "cancelled"
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"]) == ("cancelled", 0)
    assert find_problems(context.engine) == []


def test_undo_while_rollups_are_merged(context: Context) -> None:
    context, load_id = prepare(context)
    for batch_no in list_pending(context.engine, load_id):
        load_batch(context, load_id, batch_no)
    with ThreadPoolExecutor(2) as pool:
        with holding(context.engine, "lock table rollup_week in share mode"):
            merging = pool.submit(clean_load, context, load_id)
            wait_for_blocked(context.engine, "delete from rollup_week")
            undo_load(context.engine, context.broker, load_id)
            removing = pool.submit(clean_load, context, load_id)
            wait_for_blocked(context.engine, "pg_advisory_xact_lock")
        merging.result(timeout=60)
        removing.result(timeout=60)
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"], load["needs_cleaning"]) == ("undone", 0, False)
    assert find_problems(context.engine) == []


def test_cancel_while_rollups_of_a_running_load_are_merged(context: Context) -> None:
    context, load_id = prepare(context)
    for batch_no in list_pending(context.engine, load_id)[:-1]:
        load_batch(context, load_id, batch_no)
    with ThreadPoolExecutor(2) as pool:
        with holding(context.engine, "lock table rollup_week in share mode"):
            merging = pool.submit(fold_running, context, least_rows=1)
            wait_for_blocked(context.engine, "delete from rollup_week")
            cancel_load(context.engine, context.broker, load_id)
            removing = pool.submit(clean_load, context, load_id)
            wait_for_blocked(context.engine, "pg_advisory_xact_lock")
        assert merging.result(timeout=60) == 1
        removing.result(timeout=60)
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"], load["needs_cleaning"]) == ("cancelled", 0, False)
    assert find_problems(context.engine) == []


def test_rollups_of_a_running_load_are_merged_while_batches_come(context: Context) -> None:
    context, load_id = prepare(context, rows=6_000)
    pending = list_pending(context.engine, load_id)
    for batch_no in pending[:-1]:
        load_batch(context, load_id, batch_no)
    rows, trips = count_rollups(context, load_id)
    assert fold_running(context, least_rows=rows + 1) == 0
    with ThreadPoolExecutor(1) as pool:
        with holding(context.engine, BEFORE_COMMIT[0]):
            last = pool.submit(load_batch, context, load_id, pending[-1])
            wait_for_blocked(context.engine, BEFORE_COMMIT[1])
            assert fold_running(context, least_rows=rows) == 1
            assert count_rollups(context, load_id)[0] < rows / 2
            assert count_rollups(context, load_id)[1] == trips
            assert find_problems(context.engine) == []
        last.result(timeout=60)
    assert run_load(context, load_id)["state"] == "succeeded"
    assert fold_running(context, least_rows=1) == 0, "an ended load is its cleaner's"
    assert count_rollups(context, load_id)[1] == 6_000
    assert find_problems(context.engine) == []


@pytest.mark.skipif(bool(CITUS_BIN), reason="nodes of Citus have no common snapshot: a moment between their commits can be seen")
def test_tables_agree_at_every_commit_of_loading_and_removing(context: Context) -> None:
    context, load_id = prepare(context, rows=6_000)
    seen: list[int] = []
    problems: list[Any] = []
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            problems.extend(find_problems(context.engine))
            seen.append(fetch_load(context.engine, load_id)["rows_loaded"])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for batch_no in list_pending(context.engine, load_id):
            load_batch(context, load_id, batch_no)
            fold_running(context, least_rows=1)
        clean_load(context, load_id)
        undo_load(context.engine, context.broker, load_id)
        clean_load(context, load_id, rows_at_once=300)
    finally:
        is_over.set()
        watcher.join()
    assert problems == []
    assert len(set(seen)) > 3, "looked while rows came and went"
    assert fetch_load(context.engine, load_id)["rows_loaded"] == 0
    assert find_problems(context.engine) == []


@pytest.mark.parametrize("_turn", range(5))
def test_same_file_twice_at_once_is_loaded_once(context: Context, _turn: int) -> None:
    data, tally = make_trips(500)
    ids = [request_load(context.engine, context.store, data) for _ in range(3)]
    run_together(*[lambda load_id=load_id: run_load(context, load_id) for load_id in ids])  # type: ignore[misc]
    loads = [fetch_load(context.engine, load_id) for load_id in ids]
    assert sorted(load["state"] for load in loads) == ["cancelled", "cancelled", "succeeded"]
    [winner] = [load["load_id"] for load in loads if load["state"] == "succeeded"]
    assert {load["duplicate_of"] for load in loads if load["state"] == "cancelled"} == {winner}
    with transaction(context.engine) as connection:
        assert connection.exec_driver_sql("select count(*) from trip").scalar_one() == tally.rows
    assert find_problems(context.engine) == []


def test_two_planners_of_one_load_write_one_ledger(context: Context) -> None:
    context = change(context, batch_bytes=50_000, batch_lease_s=0.001)
    data, tally = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    run_together(*[lambda: plan_load(context, load_id)] * 3)
    assert run_load(change(context, batch_lease_s=20.0), load_id)["rows_loaded"] == tally.rows
    assert find_problems(context.engine) == []


def test_loads_beside_each_other_share_names_and_agree(context: Context) -> None:
    files = [make_trips(400, seed=seed)[0] for seed in range(6)]
    run_together(*[lambda data=data: load_bytes(context, data) for data in files])  # type: ignore[misc]
    assert find_problems(context.engine) == []
    with transaction(context.engine) as connection:
        assert connection.exec_driver_sql("select count(*), max(region_id) from region").one() == (3, 3)
