"""Leases and outages: work is held while its owner lives, however slow; only an outage without a break fails a load."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.batch import Claim, claim_batch, load_batch, prepare_batch, store_batch
from loader.pipeline.context import Context
from loader.pipeline.finishing import PATIENCE_S
from loader.pipeline.planning import plan_load
from loader.worker.maintenance import Maintenance, reconcile
from shared.events import STREAM
from shared.loads import enqueue_load, fetch_load
from shared.platform.errors import TransientError
from shared.services.database import execute, transaction
from shared.services.objects import ObjectStore
from shared.services.queueing import BATCH_ACTOR, enqueue
from tests.blocking import holding, wait_for_blocked
from tests.conftest import S3Server
from tests.faults.test_store_lost import behind
from tests.loading import (
    BAD_ROW,
    HEADER,
    ROW,
    change,
    make_trips,
    request_load,
    run_load,
    running_worker,
    wait_for_state,
    wait_until,
)
from tests.proxy import Proxy, running_proxy

pytestmark = pytest.mark.faults

TINY_S = 0.2


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with running_proxy(s3_server.port) as proxy:
        yield proxy


def fetch_row(context: Context, load_id: int) -> dict[str, Any]:
    with transaction(context.engine) as connection:
        return dict(execute(connection, "fetch_load", load_id=load_id).mappings().one())


def fetch_batch(context: Context, load_id: int) -> dict[str, Any]:
    """The first batch's row."""
    with transaction(context.engine) as connection:
        return dict(execute(connection, "list_batches", load_id=load_id).mappings().all()[0])


def run(context: Context, statement: str) -> None:
    with transaction(context.engine) as connection:
        connection.exec_driver_sql(statement)


def prepare(context: Context, rows: int = 1_500) -> int:
    load_id = request_load(context.engine, context.store, make_trips(rows)[0])
    plan_load(change(context, batch_bytes=50_000), load_id)
    return load_id


def claim(context: Context, load_id: int) -> Claim:
    found = claim_batch(context, load_id, 0)
    assert found is not None
    return found


def test_slow_batch_keeps_its_lease(context: Context, proxy: Proxy) -> None:
    load_id = prepare(context)
    slow = change(behind(context, proxy), batch_lease_s=TINY_S)
    with ThreadPoolExecutor(1) as pool:
        proxy.is_held.set()
        running = pool.submit(load_batch, slow, load_id, 0)
        wait_until(lambda: fetch_batch(context, load_id)["claimed_at"])
        for _ in range(6):
            time.sleep(TINY_S)
            assert claim_batch(slow, load_id, 0) is None, "its owner lives"
        proxy.is_held.clear()
        running.result(timeout=60)
    batch = fetch_batch(context, load_id)
    assert (batch["attempts"], batch["state"]) == (1, "done")
    assert run_load(context, load_id)["state"] == "succeeded"
    assert find_problems(context.engine) == []


@pytest.mark.parametrize("is_early", [False, True])
def test_slow_planner_keeps_its_lease(context: Context, proxy: Proxy, *, is_early: bool) -> None:
    slow = change(behind(context, proxy), batch_lease_s=TINY_S, early_bytes=0 if is_early else 2**40)
    load_id = request_load(context.engine, context.store, make_trips(3_000)[0])
    with ThreadPoolExecutor(1) as pool:
        proxy.is_held.set()
        running = pool.submit(plan_load, slow, load_id)
        wait_until(lambda: fetch_load(context.engine, load_id)["state"] == "planning")
        for _ in range(6):
            time.sleep(TINY_S)
            plan_load(slow, load_id)
        assert fetch_row(context, load_id)["attempts"] == 1
        proxy.is_held.clear()
        running.result(timeout=60)
    assert run_load(slow, load_id)["state"] == "succeeded"
    assert find_problems(context.engine) == []


def test_runner_that_lost_its_lease_frees_and_fails_nothing(context: Context) -> None:
    load_id = prepare(context)
    late = change(context, batch_lease_s=0.05)
    first = claim(late, load_id)
    time.sleep(0.1)
    second = claim(late, load_id)
    with transaction(context.engine) as connection:
        for name, facts in (
            ("release_batch", {"is_failure": True, "is_outage": True}),
            ("fail_batch", {"error_message": "late"}),
            ("renew_batch", {}),
        ):
            assert execute(connection, name, **first.lease, **facts).first() is None, name
        assert execute(connection, "renew_batch", **second.lease).first() is not None
    assert second.attempts == 2
    assert fetch_batch(context, load_id)["state"] == "pending"


def test_runner_of_a_ledger_that_was_written_anew_stores_nothing(context: Context) -> None:
    load_id = prepare(context)
    stale = claim(context, load_id)
    run(context, f"delete from load_batch where load_id = {load_id} and batch_no = 0")
    run(
        context,
        f"insert into load_batch (load_id, batch_no, slice, bytes, lines_before, records_before)"
        f" select load_id, 0, slice, bytes, 0, 0 from load_batch where load_id = {load_id} and batch_no = 1",
    )
    store_batch(context, stale, prepare_batch(context, stale))
    assert fetch_batch(context, load_id)["state"] == "pending"
    assert fetch_load(context.engine, load_id)["rows_loaded"] == 0


def test_planner_that_lost_its_lease_and_lives_counts_as_no_attempt(context: Context, proxy: Proxy) -> None:
    slow = behind(context, proxy)
    load_id = request_load(context.engine, context.store, make_trips(500)[0])
    with ThreadPoolExecutor(1) as pool:
        proxy.is_held.set()
        running = pool.submit(plan_load, slow, load_id)
        wait_until(lambda: fetch_load(context.engine, load_id)["state"] == "planning")
        run(context, "update load set claimed_at = null, lease_token = gen_random_uuid(), attempts = 4")  # others came and died
        proxy.is_held.clear()
        running.result(timeout=60)
    assert fetch_row(context, load_id)["attempts"] == 3
    assert run_load(context, load_id)["state"] == "succeeded"


def stop_while_planning(context: Context, load_id: int, proxy: Proxy) -> None:
    """SIGTERM comes while a planner reads."""
    context.stopping.clear()
    with ThreadPoolExecutor(1) as pool:
        proxy.is_held.set()
        running = pool.submit(plan_load, behind(context, proxy), load_id)
        wait_until(lambda: fetch_row(context, load_id)["claimed_at"])
        time.sleep(1.1)  # the planner looks once a second
        context.stopping.set()
        proxy.is_held.clear()
        with pytest.raises(TransientError, match="to stop"):
            running.result(timeout=60)
    context.stopping.clear()


def age(context: Context, load_id: int, seconds: float, *, table: str = "load") -> None:
    shift = f"- interval '{seconds} seconds'"
    run(
        context,
        f"update {table} set failing_since = failing_since {shift}, failed_at = failed_at {shift} where load_id = {load_id}",
    )


def test_two_deploys_an_hour_apart_fail_no_load(context: Context, proxy: Proxy) -> None:
    load_id = request_load(context.engine, context.store, make_trips(3_000)[0])
    for _ in range(2):
        stop_while_planning(context, load_id, proxy)
        row = fetch_row(context, load_id)
        assert (row["state"], row["attempts"], row["failing_since"]) == ("planning", 0, None)
        age(context, load_id, 3_700)
    assert run_load(context, load_id)["state"] == "succeeded"


def test_stopped_worker_leaves_its_batch_without_an_attempt(context: Context) -> None:
    load_id = prepare(context)
    context.stopping.set()
    with pytest.raises(TransientError, match="to stop"):
        load_batch(context, load_id, 0)
    context.stopping.clear()
    batch = fetch_batch(context, load_id)
    assert (batch["attempts"], batch["failing_since"], batch["claimed_at"]) == (0, None, None)


def without_store(context: Context) -> Context:
    """The same context; nobody listens where its store should be."""
    settings = context.settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"})
    return replace(context, settings=settings, store=ObjectStore(settings))


@pytest.mark.parametrize(("pause_s", "state"), [(86_400.0, "pending"), (0.0, "failed")], ids=["a day between", "no break"])
def test_only_an_outage_without_a_break_fails_a_batch(context: Context, *, pause_s: float, state: str) -> None:
    load_id = prepare(context)
    for _ in range(2):
        with pytest.raises(TransientError):
            load_batch(without_store(context), load_id, 0)
        run(context, "update load_batch set failing_since = failing_since - interval '3700 seconds'")
        age(context, load_id, pause_s, table="load_batch")
    assert fetch_batch(context, load_id)["state"] == state


@pytest.mark.parametrize(("pause_s", "state"), [(86_400.0, "planning"), (0.0, "failed")], ids=["a day between", "no break"])
def test_only_an_outage_without_a_break_fails_planning(context: Context, *, pause_s: float, state: str) -> None:
    load_id = request_load(context.engine, context.store, make_trips(300)[0])
    for _ in range(2):
        with pytest.raises(TransientError):
            plan_load(without_store(context), load_id)
        run(context, "update load set failing_since = failing_since - interval '3700 seconds'")
        age(context, load_id, pause_s)
    assert fetch_load(context.engine, load_id)["state"] == state


def test_waiting_for_another_load_of_the_same_size_is_no_outage(context: Context) -> None:
    data = make_trips(300)[0]
    first, second = (request_load(context.engine, context.store, data) for _ in range(2))
    run(context, f"update load set state = 'loading', claimed_at = now() where load_id = {first}")
    for _ in range(2):
        with pytest.raises(TransientError, match="as many bytes"):
            plan_load(context, second)
        assert fetch_row(context, second)["failing_since"] is None
    assert fetch_row(context, second)["attempts"] == 0


def test_nothing_waits_for_the_store_within_a_transaction(context: Context, proxy: Proxy) -> None:
    load_id = request_load(context.engine, context.store, HEADER + ROW * 40 + BAD_ROW)
    plan_load(change(context, batch_bytes=1_024), load_id)
    slow = behind(context, proxy)
    with transaction(context.engine) as connection:
        last = connection.exec_driver_sql("select max(batch_no) from load_batch").scalar_one()
    proxy.trigger = b".rejects/"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(load_batch, slow, load_id, last)
        assert proxy.is_triggered.wait(30)
        with context.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            idle = connection.exec_driver_sql(
                "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%%'"
            ).scalar_one()
        assert idle == 0
        proxy.trigger = None
        proxy.is_held.clear()
        running.result(timeout=60)
    assert run_load(context, load_id)["rows_rejected"] == 1
    assert find_problems(context.engine) == []


def test_message_that_a_worker_never_got_is_sent_again_soon(context: Context) -> None:
    load_id = prepare(context)
    enqueue(context.broker, BATCH_ACTOR, load_id=load_id, batch_no=0)  # Redis gave it out as it was killed: nobody has it
    lost = "update load_batch set enqueued_at = clock_timestamp() - interval '{} seconds'"
    run(context, lost.format(PATIENCE_S - 5))
    assert reconcile(context) == 0
    run(context, lost.format(PATIENCE_S + 1))
    assert reconcile(context) > 0
    assert PATIENCE_S + context.settings.batch_lease_s < 90, "a load goes on within two minutes"


def test_stalled_duty_holds_no_event(context: Context) -> None:
    client = context.broker.client
    with holding(context.engine, "lock table rollup_week in access exclusive mode"):
        maintenance = Maintenance(context)
        maintenance.start()
        wait_for_blocked(context.engine, "rollup_week")
        request_load(context.engine, context.store, HEADER + ROW)
        wait_until(lambda: client.exists(STREAM), timeout_s=20, what="for events while merging stalls")
    maintenance.stop()


def test_stopped_planner_is_followed_and_ends_nothing(
    environment: dict[str, str], context: Context, tmp_path: Path, proxy: Proxy
) -> None:
    quick = {"batch_bytes": 50_000, "batch_lease_s": 1.0, "reconcile_interval_s": 0.3}
    data, tally = make_trips(3_000)
    load_id = request_load(context.engine, context.store, data)
    enqueue_load(context.broker, load_id)
    proxy.is_held.set()
    through = {"s3_endpoint": f"http://127.0.0.1:{proxy.port}"}
    with running_worker(environment, tmp_path / "first.log", **quick, **through) as first:
        wait_until(lambda: fetch_load(context.engine, load_id)["state"] == "planning")
        first.child().send_signal(signal.SIGSTOP)
        with running_worker(environment, tmp_path / "second.log", **quick):
            load = wait_for_state(context.engine, load_id, "succeeded", "failed")
            first.child().send_signal(signal.SIGCONT)
            proxy.is_held.clear()
            time.sleep(1)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", tally.rows), load["error_message"]
    assert fetch_load(context.engine, load_id)["state"] == "succeeded"
    assert find_problems(context.engine) == []
