"""A worker that reads a source is killed at every step; another goes on, and each version has exactly one load."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.context import Context
from shared.services.database import transaction
from shared.sources import fetch_source, list_source_objects
from tests.blocking import holding, wait_for_blocked
from tests.integration.test_sources import Drop, add, drop, rows
from tests.loading import change, running_worker, wait_for_state, wait_until

__all__ = ["drop"]

pytestmark = pytest.mark.faults

QUICK: dict[str, Any] = {"batch_lease_s": 0.5, "reconcile_interval_s": 0.3}
# Before what was listed is noted, before the first start is counted, and in the transaction that makes the copy a load.
POINTS = {
    "list": ("lock table source_object in share mode", "insert into source_object"),
    "begin": ("select from source_object for update", "update source_object as o"),
    "request": ("lock table load in share mode", "insert into load"),
}


@pytest.mark.parametrize("point", list(POINTS))
def test_a_killed_worker_requests_each_load_once(
    environment: dict[str, str], context: Context, drop: Drop, tmp_path: Path, point: str
) -> None:
    allowed = (f"s3://{drop.bucket}/",)
    reading = change(context, source_allow=allowed)
    quick = {**QUICK, "source_allow": json.dumps(allowed)}
    for number in range(5):
        drop.put(f"{number}.csv", rows(number))
    lock, query = POINTS[point]
    source_id = add(reading, f"s3://{drop.bucket}/")
    if point == "begin":  # the objects are known before
        with transaction(context.engine) as connection:
            for number in range(5):
                stored = drop.client.stat_object(bucket_name=drop.bucket, object_name=f"{number}.csv")
                connection.exec_driver_sql(
                    "insert into source_object (source_id, key, etag, bytes) values (%s, %s, %s, %s)",
                    (source_id, f"{number}.csv", str(stored.etag).strip('"'), stored.size),
                )
    with holding(context.engine, lock), running_worker(environment, tmp_path / "first.log", **quick) as worker:
        wait_for_blocked(context.engine, query)
        worker.kill()
    with running_worker(environment, tmp_path / "second.log", **quick):
        wait_until(lambda: fetch_source(context.engine, source_id)["objects_loaded"] == 5, what="for all to be requested")
        objects = list_source_objects(context.engine, source_id)
        for one in objects:
            assert wait_for_state(context.engine, one["load_id"], "succeeded", "failed")["state"] == "succeeded"
    assert Counter(one["key"] for one in objects) == Counter(f"{number}.csv" for number in range(5))
    with transaction(context.engine) as connection:
        loads = connection.exec_driver_sql("select count(*) from load").scalar_one()
        trips = connection.exec_driver_sql("select count(*) from trip").scalar_one()
    assert (loads, trips) == (5, 5)
    assert find_problems(context.engine) == []
