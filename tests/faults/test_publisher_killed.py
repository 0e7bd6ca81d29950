"""A worker that publishes is killed, or the load is undone meanwhile; another worker ends with the same objects, or with none."""

from pathlib import Path
from typing import Any

import pytest

from loader.pipeline.context import Context
from shared.loads import undo_load
from shared.publications import fetch_publication, request_publication
from tests.blocking import holding, wait_for_blocked
from tests.integration.test_publishing import find_mistakes, list_kinds, list_objects
from tests.loading import load_bytes, make_trips, running_worker, wait_until

pytestmark = pytest.mark.faults

QUICK: dict[str, Any] = {"batch_lease_s": 0.5, "reconcile_interval_s": 0.3}
# While this lock is held, nobody reads trips: the publisher has its claim, and no file yet.
READING = "lock table trip in access exclusive mode", "copy (%coalesce(duration_s"
# Files are stored, the manifest too, and the commit is to come.
FINISHING = "select * from load for update", "select * from load%for update"


def fetch_state(context: Context, load_id: int) -> str:
    state: str = fetch_publication(context.engine, load_id, settings=context.settings)["state"]
    return state


@pytest.mark.parametrize("point", [READING, FINISHING], ids=["reading", "finishing"])
@pytest.mark.parametrize("is_undone", [False, True], ids=["", "undone"])
def test_killed_publisher(
    environment: dict[str, str], context: Context, tmp_path: Path, *, point: tuple[str, str], is_undone: bool
) -> None:
    load_id = load_bytes(context, make_trips(1_500)[0])["load_id"]
    request_publication(context.engine, context.broker, load_id, settings=context.settings)
    lock, query = point
    with holding(context.engine, lock), running_worker(environment, tmp_path / "first.log", **QUICK) as worker:
        wait_for_blocked(context.engine, query)
        worker.kill()
    if is_undone:
        undo_load(context.engine, context.broker, load_id)
    expected = "withdrawn" if is_undone else "published"
    with running_worker(environment, tmp_path / "second.log", **QUICK):
        wait_until(lambda: fetch_state(context, load_id) == expected, what=f"for the publication to be {expected}")
    assert list_kinds(context, load_id).count(expected) == 1
    objects = list_objects(context, load_id)
    assert find_mistakes(objects) == [] if objects else is_undone
