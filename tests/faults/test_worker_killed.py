"""A real worker process is killed at every point of a batch; another one finishes, and every row stands once."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from loader.checks.consistency import find_problems
from loader.pipeline.batch import load_batch
from loader.pipeline.context import Context
from loader.pipeline.planning import plan_load
from shared.loads import enqueue_load
from shared.services.database import transaction
from tests.blocking import BEFORE_CLAIM, BEFORE_COMMIT, BEFORE_COPY, BEFORE_PLAN, holding, wait_for_blocked
from tests.loading import change, make_trips, request_load, running_worker, wait_for_state, wait_until

pytestmark = pytest.mark.faults

QUICK: dict[str, Any] = {"batch_bytes": 50_000, "batch_lease_s": 0.5, "reconcile_interval_s": 0.3}


def run_held(environment: dict[str, str], context: Context, folder: Path, *, point: tuple[str, str], data: bytes) -> int:
    """Let a worker run into the held point, kill it there; returns the load."""
    load_id = request_load(context.engine, context.store, data)
    if point != BEFORE_PLAN:
        plan_load(change(context, **QUICK), load_id)
    else:
        enqueue_load(context.broker, load_id)
    lock, query = point
    with holding(context.engine, lock), running_worker(environment, folder / "first.log", **QUICK) as worker:
        wait_for_blocked(context.engine, query)
        worker.kill()
    return load_id


def expect_whole(environment: dict[str, str], context: Context, folder: Path, *, load_id: int, rows: int) -> None:
    with running_worker(environment, folder / "second.log", **QUICK):
        load = wait_for_state(context.engine, load_id, "succeeded", "failed")
    assert (load["state"], load["rows_loaded"]) == ("succeeded", rows), load["error_message"]
    assert find_problems(context.engine) == []


@pytest.mark.parametrize(
    "point", [BEFORE_PLAN, BEFORE_CLAIM, BEFORE_COPY, BEFORE_COMMIT], ids=["planning", "claim", "copy", "commit"]
)
def test_killed_worker_loses_and_doubles_nothing(
    environment: dict[str, str], context: Context, tmp_path: Path, point: tuple[str, str]
) -> None:
    data, tally = make_trips(1_500)
    load_id = run_held(environment, context, tmp_path, point=point, data=data)
    expect_whole(environment, context, tmp_path, load_id=load_id, rows=tally.rows)


def test_worker_killed_after_the_commit_but_before_the_acknowledgement(
    environment: dict[str, str], context: Context, tmp_path: Path
) -> None:
    data, tally = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    plan_load(change(context, **QUICK), load_id)
    with running_worker(environment, tmp_path / "first.log", **QUICK) as worker:
        with holding(context.engine, BEFORE_COMMIT[0]):
            wait_for_blocked(context.engine, BEFORE_COMMIT[1])
            context.broker.client.execute_command("CLIENT", "PAUSE", "60000", "WRITE")
        wait_for_done_batch(context.engine)
        worker.kill()
        context.broker.client.execute_command("CLIENT", "UNPAUSE")
    expect_whole(environment, context, tmp_path, load_id=load_id, rows=tally.rows)
    for batch_no in range(3):  # the messages that were never acknowledged come again
        load_batch(context, load_id, batch_no)
    assert find_problems(context.engine) == []


def wait_for_done_batch(engine: Engine) -> None:
    def look() -> bool:
        with transaction(engine) as connection:
            return bool(connection.exec_driver_sql("select count(*) from load_batch where state = 'done'").scalar_one())

    wait_until(look, what="for a batch to be done")


def test_file_that_kills_its_worker_every_time_ends_as_failed(
    environment: dict[str, str], context: Context, tmp_path: Path
) -> None:
    data, _ = make_trips(200)
    load_id = request_load(context.engine, context.store, data)
    enqueue_load(context.broker, load_id)
    # A lease that outlasts planning also on a busy machine: only the kills shall count as attempts.
    settings = QUICK | {"batch_kills": 2, "batch_lease_s": 3.0}
    for attempt in range(2):
        with (
            holding(context.engine, BEFORE_COPY[0]),
            running_worker(environment, tmp_path / f"{attempt}.log", **settings) as worker,
        ):
            wait_for_blocked(context.engine, BEFORE_COPY[1])
            worker.kill()
    with running_worker(environment, tmp_path / "last.log", **settings):
        load = wait_for_state(context.engine, load_id, "succeeded", "failed")
    assert load["state"] == "failed"
    assert "ended its worker 2 times" in load["error_message"]
    assert find_problems(context.engine) == []


def test_terminated_worker_finishes_what_it_has_at_hand(environment: dict[str, str], context: Context, tmp_path: Path) -> None:
    data, tally = make_trips(3_000)
    load_id = request_load(context.engine, context.store, data)
    plan_load(change(context, **QUICK), load_id)
    with running_worker(environment, tmp_path / "first.log", **QUICK) as worker:
        with holding(context.engine, BEFORE_COMMIT[0]):
            wait_for_blocked(context.engine, BEFORE_COMMIT[1])
            worker.popen.terminate()
        assert worker.popen.wait(timeout=40) == 0
    with transaction(context.engine) as connection:
        attempts = connection.exec_driver_sql(
            "select sum(attempts), count(*) filter (where state = 'done') from load_batch"
        ).one()
    assert attempts[0] == attempts[1] > 0, "nothing was begun that did not end"
    expect_whole(environment, context, tmp_path, load_id=load_id, rows=tally.rows)
