"""A node of Citus dies under a load: while rows are copied, and in each of the two phases of a commit. Every row stands once."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from pydantic import SecretStr

from infra.embedded.postgres import connect_superuser
from infra.environment import make_environment
from loader.checks.consistency import find_problems
from loader.pipeline.batch import load_batch
from loader.pipeline.context import Context, make_context
from loader.pipeline.finishing import clean_load
from loader.pipeline.planning import plan_load
from shared.domain.area import Box
from shared.loads import fetch_load, undo_load
from shared.platform.errors import TransientError
from shared.platform.settings import Settings
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import transaction
from shared.services.queueing import connect_broker
from tests.blocking import BEFORE_COMMIT, BEFORE_COPY, holding, wait_for_blocked
from tests.loading import load_bytes, make_trips, request_load, run_load, running_worker, wait_for_state, wait_until
from tests.proxy import Proxy, running_proxy
from tests.services import CITUS_BIN, PASSWORD, PostgresServer

pytestmark = [
    pytest.mark.citus,
    pytest.mark.faults,
    pytest.mark.skipif(not CITUS_BIN, reason="TRIPDECK_TEST_CITUS_BIN names no PostgreSQL with Citus"),
]

QUICK: dict[str, Any] = {"batch_bytes": 50_000, "batch_lease_s": 0.5, "reconcile_interval_s": 0.3}

EVERYWHERE = Box(-180, -90, 180, 90)


@dataclass
class Cluster:
    """A coordinator's database, and the loader's context for it."""

    server: PostgresServer
    context: Context

    @property
    def database(self) -> str:
        return str(self.context.engine.url.database)

    def connect(self, port: int) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect to a node as superuser."""
        return connect_superuser(port=port, password=PASSWORD, database=self.database)

    def count_prepared(self) -> int:
        """Transactions on the first worker that wait for their second phase."""
        with self.connect(self.server.workers[0].port) as connection:
            return len(connection.execute("select from pg_prepared_xacts where database = current_database()").fetchall())

    def recover(self) -> None:
        """Settle them as the maintenance daemon does once a minute."""
        with self.connect(self.server.port) as connection:
            connection.execute("select recover_prepared_transactions()")
        assert self.count_prepared() == 0


@pytest.fixture
def cluster(settings: Settings, own_postgres: PostgresServer) -> Iterator[Cluster]:
    settings = settings.model_copy(update={"batch_bytes": 50_000, "database_url": SecretStr(own_postgres.clone_template())})
    context = make_context(settings, connect_broker(settings))
    yield Cluster(own_postgres, context)
    context.engine.dispose()
    context.broker.client.close()


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """Stands between the coordinator and the first worker. No table can be locked then: the nodes know it a minute later."""
    first = cluster.server.workers[0]
    with running_proxy(first.port) as proxy, cluster.connect(cluster.server.port) as connection:
        statement = "select citus_update_node(nodeid, '127.0.0.1', %s) from pg_dist_node where nodeport = %s"
        connection.execute(statement, [proxy.port, first.port])
        yield proxy


def plan(cluster: Cluster, rows: int = 1_500) -> tuple[int, int]:
    """A planned load and its rows."""
    data, tally = make_trips(rows)
    load_id = request_load(cluster.context.engine, cluster.context.store, data)
    plan_load(cluster.context, load_id)
    return load_id, tally.rows


def count_failing(cluster: Cluster) -> int:
    """Batches that have been failing for reasons that pass."""
    with transaction(cluster.context.engine) as connection:
        found = connection.exec_driver_sql(
            "select count(*) from load_batch where failing_since is not null and state = 'pending'"
        )
        return int(found.scalar_one())


@pytest.mark.parametrize("point", [BEFORE_COPY, BEFORE_COMMIT], ids=["copy", "commit"])
def test_a_node_killed_under_a_worker_is_waited_for(cluster: Cluster, tmp_path: Path, point: tuple[str, str]) -> None:
    load_id, rows = plan(cluster)
    node = cluster.server.workers[1]
    with running_worker(make_environment(cluster.context.settings), tmp_path / "worker.log", **QUICK):
        with holding(cluster.context.engine, point[0]):
            wait_for_blocked(cluster.context.engine, point[1])
            node.kill()
        wait_until(lambda: count_failing(cluster) > 0, what="for a batch to fail")
        node.restart()
        load = wait_for_state(cluster.context.engine, load_id, "succeeded", "failed", timeout_s=90)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", rows)
    cluster.recover()
    assert find_problems(cluster.context.engine) == []


@pytest.mark.parametrize("point", [BEFORE_COPY, BEFORE_COMMIT], ids=["copy", "commit"])
def test_a_node_that_is_away_is_no_attempt(cluster: Cluster, point: tuple[str, str]) -> None:
    before = load_bytes(cluster.context, make_trips(200, seed=9)[0])["rows_loaded"]
    load_id, rows = plan(cluster)
    node = cluster.server.workers[1]
    errors: list[Exception] = []

    def load() -> None:
        try:
            load_batch(cluster.context, load_id, 0)
        except TransientError as error:
            errors.append(error)

    with holding(cluster.context.engine, point[0]):
        thread = threading.Thread(target=load)
        thread.start()
        wait_for_blocked(cluster.context.engine, point[1])
        node.kill()
    thread.join()
    with pytest.raises(TransientError):
        load_batch(cluster.context, load_id, 0)
    assert len(errors) == 1
    with transaction(cluster.context.engine) as connection:
        assert fetch_weekly(connection, WeeklyQuestion(area=EVERYWHERE)).trips == before, "questions that read no trips go on"
    with transaction(cluster.context.engine) as connection:
        attempts = "select sum(attempts) from load_batch where load_id = %(load_id)s"
        assert connection.exec_driver_sql(attempts, {"load_id": load_id}).scalar_one() == 0
    node.restart()
    assert run_load(cluster.context, load_id)["rows_loaded"] == rows
    assert find_problems(cluster.context.engine) == []


def test_a_coordinator_killed_between_the_phases_rolls_back(cluster: Cluster, proxy: Proxy) -> None:
    load_id, rows = plan(cluster)
    thread = hold_batch(cluster, proxy, load_id, at=b"PREPARE TRANSACTION")
    # Its sessions first, for they would tell the workers to roll back.
    for session in psutil.Process(cluster.server.process.pid).children():
        with suppress(psutil.NoSuchProcess):
            session.kill()
    cluster.server.kill()
    proxy.trigger = None
    proxy.is_held.clear()
    thread.join()
    wait_until(lambda: cluster.count_prepared() > 0, what="for the first phase of a transaction that has no second")
    cluster.context.engine.dispose()
    cluster.server.restart()
    with transaction(cluster.context.engine) as connection:
        found = connection.exec_driver_sql("update load_batch set claimed_at = null where claimed_at is not null returning state")
        assert found.scalars().all() == ["pending"]
    assert run_load(cluster.context, load_id)["rows_loaded"] == rows
    cluster.recover()
    assert find_problems(cluster.context.engine) == []


def test_a_node_cut_off_before_the_second_phase_commits_later(cluster: Cluster, proxy: Proxy) -> None:
    load_id, rows = plan(cluster)
    thread = hold_batch(cluster, proxy, load_id, at=b"COMMIT PREPARED")
    proxy.trigger = None
    proxy.cut()
    proxy.is_held.clear()
    thread.join()
    assert fetch_load(cluster.context.engine, load_id)["batches_done"] == 1, "committed on the coordinator"
    assert cluster.count_prepared() > 0
    assert {problem.check for problem in find_problems(cluster.context.engine)} >= {"check_trips"}, "control: rows are away"
    load = run_load(cluster.context, load_id)
    assert load["rows_loaded"] == rows

    # What isn't there yet can't be removed: nothing is, until it is.
    undo_load(cluster.context.engine, cluster.context.broker, load_id)
    with pytest.raises(TransientError):
        clean_load(cluster.context, load_id)
    assert fetch_load(cluster.context.engine, load_id)["rows_loaded"] == rows
    cluster.recover()
    with transaction(cluster.context.engine) as connection:
        connection.exec_driver_sql("update load set claimed_at = null")
    clean_load(cluster.context, load_id)
    with transaction(cluster.context.engine) as connection:
        assert connection.exec_driver_sql("select count(*) from trip").scalar_one() == 0
    assert find_problems(cluster.context.engine) == []


def hold_batch(cluster: Cluster, proxy: Proxy, load_id: int, *, at: bytes) -> threading.Thread:
    """Run a batch in a thread until it sends that to a node, where it stands still."""
    proxy.trigger = at
    thread = threading.Thread(target=_try_batch, args=(cluster, load_id))
    thread.start()
    assert proxy.is_triggered.wait(60)
    return thread


def _try_batch(cluster: Cluster, load_id: int) -> None:
    try:
        load_batch(cluster.context, load_id, 0)
    except TransientError:
        return
