"""Workers are killed again and again at random moments; then every good row stands once, every bad one is reported once."""

import csv
import io
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from infra.environment import make_environment
from loader.checks.consistency import find_problems
from loader.pipeline.context import Context, make_context
from loader.pipeline.planning import plan_load
from shared.domain.position import encode_position
from shared.loads import enqueue_load, fetch_load, list_rejects
from shared.platform.settings import Settings
from shared.services.database import transaction
from shared.services.queueing import connect_broker
from tests.loading import change, make_trips, request_load, running_worker, wait_for_state, wait_until
from tests.services import ValkeyServer

pytestmark = pytest.mark.faults

QUICK: dict[str, Any] = {"batch_bytes": 40_000, "batch_lease_s": 0.5, "reconcile_interval_s": 0.3, "batch_kills": 50}
KILLS = 5
SETTLE_LIMIT_S = 120.0

Trip = tuple[str, int, int, str, str]


def read_trips(data: bytes, bad_records: set[int]) -> Counter[Trip]:
    """Every good row of a generated file, read plainly; which rows are bad the generator knows."""
    rows = enumerate(csv.reader(io.StringIO(data.decode())))
    return Counter(_read_trip(row) for record, row in rows if record and record not in bad_records)


def _read_trip(row: list[str]) -> Trip:
    origin, destination = (
        encode_position(*(float(part) for part in text.removeprefix("POINT (").removesuffix(")").split())) for text in row[1:3]
    )
    return row[3], origin, destination, row[0], row[4]


def list_trips(context: Context) -> Counter[Trip]:
    with transaction(context.engine) as connection:
        rows = connection.exec_driver_sql(
            """select t.started_at::text, t.origin, t.destination, r.name, d.name
               from trip as t join region as r using (region_id) join datasource as d using (datasource_id)"""
        )
        return Counter(tuple(row) for row in rows)  # type: ignore[misc]


@pytest.mark.parametrize(("seed", "is_early"), [(1, False), (2, True)])
def test_random_kills_lose_and_double_nothing(
    environment: dict[str, str], context: Context, tmp_path: Path, *, seed: int, is_early: bool
) -> None:
    draw = random.Random(seed)
    data, tally = make_trips(15_000, seed=seed, bad_share=0.02)
    load_id = request_load(context.engine, context.store, data)
    settings = {**QUICK, "early_bytes": 0 if is_early else 2**40}
    if not is_early:
        plan_load(change(context, **settings), load_id)
    for kill in range(KILLS):
        target = fetch_load(context.engine, load_id)["batches_done"] + draw.randint(1, 4)
        with running_worker(environment, tmp_path / f"{kill}.log", **settings) as worker:
            wait_until(lambda target=target: fetch_load(context.engine, load_id)["batches_done"] >= target)  # type: ignore[misc]
            time.sleep(draw.uniform(0.0, 0.05))
            worker.kill()
        assert fetch_load(context.engine, load_id)["state"] == "loading", "killed in the middle, or the test proves nothing"
    with running_worker(environment, tmp_path / "last.log", **settings):
        load = wait_for_state(context.engine, load_id, "succeeded", "failed")
    assert load["state"] == "succeeded", load["error_message"]
    assert list_trips(context) == read_trips(data, {reject.record for reject in tally.rejects})
    rejects = list_rejects(context.engine, load_id, limit=10_000)
    assert [(row["line"], row["reason"]) for row in rejects] == [(reject.line, reject.reason) for reject in tally.rejects]
    assert fetch_load(context.engine, load_id)["rejects"] == tally.to_json()["rejects"]
    assert find_problems(context.engine) == []


def test_loads_go_on_within_two_minutes_of_the_last_kill(settings: Settings, own_valkey: ValkeyServer, tmp_path: Path) -> None:
    """With the leases and delays that everybody has: worker and queue are killed again and again while small loads wait."""
    draw = random.Random(3)
    settings = settings.model_copy(update={"redis_url": SecretStr(own_valkey.url())})
    environment, context = make_environment(settings), make_context(settings, connect_broker(settings))
    loads = []
    for seed in range(4):
        loads.append(request_load(context.engine, context.store, make_trips(2_000, seed=seed)[0]))
        enqueue_load(context.broker, loads[-1])
        with running_worker(environment, tmp_path / f"{seed}.log") as worker:
            worker.child()
            time.sleep(draw.uniform(2, 8))
            own_valkey.kill()
            own_valkey.restart()
            time.sleep(draw.uniform(0, 3))
            worker.kill()
    with running_worker(environment, tmp_path / "last.log"):
        killed_at = time.monotonic()
        for load_id in loads:
            left_s = killed_at + SETTLE_LIMIT_S - time.monotonic()
            load = wait_for_state(context.engine, load_id, "succeeded", "failed", timeout_s=left_s)
            assert (load["state"], load["rows_loaded"]) == ("succeeded", 2_000), load["error_message"]
    assert find_problems(context.engine) == []
    context.engine.dispose()
    context.broker.client.close()
