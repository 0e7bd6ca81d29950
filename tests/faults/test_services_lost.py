"""Redis or PostgreSQL fails under a working loader; loads end as if nothing had been."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from infra.environment import make_environment
from loader.checks.consistency import find_problems
from loader.pipeline.batch import load_batch
from loader.pipeline.context import Context, make_context
from loader.pipeline.planning import plan_load
from loader.worker.maintenance import reconcile
from shared.events import STREAM
from shared.loads import enqueue_load, fetch_load
from shared.platform.errors import TransientError
from shared.platform.settings import Settings
from shared.services.database import transaction
from shared.services.queueing import BATCH_ACTOR, QUEUES, connect_broker, count_messages, enqueue
from tests.blocking import BEFORE_COMMIT, BEFORE_COPY, holding, wait_for_blocked
from tests.loading import (
    change,
    list_pending,
    listening,
    make_trips,
    request_load,
    run_load,
    running_worker,
    wait_for_state,
    wait_until,
)
from tests.services import PASSWORD, TIMESCALE_BIN, PostgresServer, ValkeyServer, connect_superuser

PATIENCE_S = 60

pytestmark = pytest.mark.faults

QUICK: dict[str, Any] = {"batch_bytes": 50_000, "batch_lease_s": 0.5, "reconcile_interval_s": 0.3}


MakeContext = Callable[..., Context]


@pytest.fixture
def make_own(settings: Settings) -> Iterator[MakeContext]:
    """Make contexts with other settings; their connections are closed when the test ends, whatever became of the servers."""
    with ExitStack() as closing:

        def make_own(**changes: Any) -> Context:
            changed = settings.model_copy(update={"batch_bytes": 50_000} | changes)
            context = make_context(changed, connect_broker(changed))
            closing.callback(context.engine.dispose)
            closing.callback(context.broker.client.close)
            return context

        yield make_own


def secret(settings: Settings, **urls: str) -> dict[str, Any]:
    return {name: type(settings.redis_url)(url) for name, url in urls.items()}


def test_wiped_queue_is_filled_again_by_the_reconciler_alone(context: Context) -> None:
    context = change(context, batch_bytes=50_000)
    data, _ = make_trips(1_500)
    queued = request_load(context.engine, context.store, make_trips(100, seed=5)[0])
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    load_batch(context, load_id, 0)
    context.broker.client.flushall()
    pending = list_pending(context.engine, load_id)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update load_batch set enqueued_at = enqueued_at - interval '3 seconds'")
        connection.exec_driver_sql("update load set enqueued_at = enqueued_at - interval '3 seconds'")
    assert count_messages(context.broker) == 0, "control: without the reconciler nobody would ever be told"
    assert reconcile(context) == len(pending) + 1
    assert count_messages(context.broker) == len(pending) + 1
    assert reconcile(context) == 0, "what is on its way is not sent again"
    assert run_load(context, load_id)["state"] == run_load(context, queued)["state"] == "succeeded"


def test_redis_killed_and_wiped_under_a_worker(
    make_own: MakeContext, settings: Settings, own_valkey: ValkeyServer, tmp_path: Path
) -> None:
    context = make_own(**secret(settings, redis_url=own_valkey.url()))
    data, tally = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    with running_worker(make_environment(context.settings), tmp_path / "worker.log", **QUICK):
        with holding(context.engine, BEFORE_COMMIT[0]):
            wait_for_blocked(context.engine, BEFORE_COMMIT[1])
            own_valkey.kill()
        own_valkey.restart()
        load = wait_for_state(context.engine, load_id, "succeeded", "failed", timeout_s=90)
        assert (load["state"], load["rows_loaded"]) == ("succeeded", tally.rows)
        with redis.Redis.from_url(own_valkey.url()) as client:
            wait_until(lambda: b'"succeeded"' in b"".join(fields[b"event"] for _, fields in client.xrange(STREAM)))
    assert find_problems(context.engine) == []


def test_loads_go_on_without_redis(make_own: MakeContext, settings: Settings, own_valkey: ValkeyServer) -> None:
    context = make_own(**secret(settings, redis_url=own_valkey.url()))
    own_valkey.kill()
    data, tally = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    enqueue_load(context.broker, load_id)
    assert run_load(context, load_id)["rows_loaded"] == tally.rows
    with pytest.raises(TransientError):
        reconcile(context)
    assert find_problems(context.engine) == []


@pytest.mark.parametrize("point", [BEFORE_COPY, BEFORE_COMMIT], ids=["copy", "commit"])
def test_terminated_session_is_tried_again_and_no_attempt(
    environment: dict[str, str], context: Context, tmp_path: Path, point: tuple[str, str]
) -> None:
    data, tally = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    plan_load(change(context, **QUICK), load_id)
    with running_worker(environment, tmp_path / "worker.log", **QUICK):
        with holding(context.engine, point[0]):
            # TimescaleDB makes a chunk in one transaction at a time, so the second batch waits for the first before it copies.
            together = 1 if TIMESCALE_BIN and point == BEFORE_COMMIT else 2
            for pid in wait_for_blocked(context.engine, point[1], count=together):
                with transaction(context.engine) as connection:
                    connection.exec_driver_sql("select pg_terminate_backend(%(pid)s::integer)", {"pid": pid})
        load = wait_for_state(context.engine, load_id, "succeeded", "failed")
    assert (load["state"], load["rows_loaded"]) == ("succeeded", tally.rows)
    assert find_problems(context.engine) == []
    with transaction(context.engine) as connection:
        assert connection.exec_driver_sql("select max(attempts) from load_batch").scalar_one() == 1


def test_postgres_killed_under_a_worker(
    make_own: MakeContext, settings: Settings, own_postgres: PostgresServer, tmp_path: Path
) -> None:
    context = make_own(**secret(settings, database_url=own_postgres.clone_template()))
    data, tally = make_trips(3_000)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    with running_worker(make_environment(context.settings), tmp_path / "worker.log", **QUICK):
        with holding(context.engine, BEFORE_COMMIT[0]):
            wait_for_blocked(context.engine, BEFORE_COMMIT[1])
            own_postgres.kill()
            context.engine.dispose()
        own_postgres.restart()
        load = wait_for_state(context.engine, load_id, "succeeded", "failed", timeout_s=90)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", tally.rows)
    assert find_problems(context.engine) == []


def test_read_only_database_and_too_many_connections_are_waited_for(
    make_own: MakeContext, settings: Settings, own_postgres: PostgresServer
) -> None:
    context = make_own(**secret(settings, database_url=own_postgres.clone_template()))
    data, tally = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    name = context.engine.url.database
    with connect_superuser(port=own_postgres.port, password=PASSWORD) as admin:
        for on, off in (
            (f"alter database {name} set default_transaction_read_only = on", f"alter database {name} reset all"),
            ("alter role tripdeck connection limit 0", "alter role tripdeck connection limit -1"),
        ):
            admin.execute(on)
            context.engine.dispose()
            with pytest.raises(TransientError):
                load_batch(context, load_id, 0)
            admin.execute(off)
            context.engine.dispose()
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"], load["rows_rejected"]) == ("succeeded", tally.rows, 0)
    assert fetch_load(context.engine, load_id)["rejects"] == {}
    assert find_problems(context.engine) == []


def test_consumers_are_notified_again_after_redis_was_away(
    make_own: MakeContext, settings: Settings, own_valkey: ValkeyServer
) -> None:
    context = make_own(**secret(settings, redis_url=own_valkey.url()))
    # Polls less often than anybody here waits: what comes was notified.
    consumer = context.broker.consume(QUEUES[BATCH_ACTOR], timeout=2 * PATIENCE_S * 1_000)
    channel = f"{context.broker.namespace}:notify"

    def is_heard() -> bool:
        return bool(dict(context.broker.client.pubsub_numsub(channel))[channel.encode()])

    def take() -> Any:
        while (message := next(consumer)) is None:
            pass
        consumer.ack(message)
        return message

    with listening(context.broker):
        wait_until(is_heard)
        own_valkey.kill()
        own_valkey.restart()
        wait_until(is_heard)
        with ThreadPoolExecutor(1) as pool:
            # One that is sent before the consumer waits is found without a notification; so three, each to one that has the last.
            for batch in range(3):
                taken = pool.submit(take)
                enqueue(context.broker, BATCH_ACTOR, load_id=1, batch=batch)
                assert taken.result(timeout=PATIENCE_S).kwargs["batch"] == batch
