"""Controls: loaders without one of the mechanisms; a checker that doesn't find what they lose or double proves nothing."""

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.batch import Claim, PreparedBatch, claim_batch, copy_batch, load_batch, prepare_batch
from loader.pipeline.context import Context
from loader.pipeline.planning import plan_load
from shared.services.database import execute, transaction
from tests.loading import change, list_pending, make_trips, request_load, run_load

pytestmark = pytest.mark.faults


class _KilledError(Exception):
    """Stands for a kill between two transactions."""


def store_ledger_later(context: Context, claim: Claim, batch: PreparedBatch, *, is_killed: bool) -> None:
    """Store trips first and the ledger in a transaction of its own."""
    with transaction(context.engine) as connection:
        copy_batch(connection, claim, batch, rejects_kept=1_000)
    if is_killed:
        raise _KilledError
    finish(context, claim, batch)


def store_ledger_first(context: Context, claim: Claim, batch: PreparedBatch, *, is_killed: bool) -> None:
    """Store the ledger first and trips in a transaction of their own."""
    finish(context, claim, batch)
    if is_killed:
        raise _KilledError
    with transaction(context.engine) as connection:
        copy_batch(connection, claim, batch, rejects_kept=1_000)


def finish(context: Context, claim: Claim, batch: PreparedBatch) -> None:
    loaded = len(batch.trips) if batch.trips else 0
    counts = {"rows_read": batch.rows_read, "rows_loaded": loaded, "rows_rejected": batch.rejects.height}
    with transaction(context.engine) as connection:
        execute(connection, "finish_batch", **claim.key, **counts, reasons=None, warnings=None, rejects_kept=None)
        execute(
            connection,
            "add_batch_counts",
            load_id=claim.load_id,
            bytes=claim.bytes,
            rows_in_blocks=loaded,
            **counts,
        )


def prepare(context: Context) -> tuple[Context, int]:
    context = change(context, batch_bytes=50_000, batch_lease_s=0.001)
    data, _ = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    return context, load_id


def claim(context: Context, load_id: int) -> Claim:
    found = claim_batch(context, load_id, 0)
    assert found is not None
    return found


def test_control_without_a_kill_nothing_is_found(context: Context) -> None:
    context, load_id = prepare(context)
    ours = claim(context, load_id)
    store_ledger_later(context, ours, prepare_batch(context, ours), is_killed=False)
    assert find_problems(context.engine) == []


def test_ledger_written_after_the_trips_doubles_rows(context: Context) -> None:
    context, load_id = prepare(context)
    ours = claim(context, load_id)
    with pytest.raises(_KilledError):
        store_ledger_later(context, ours, prepare_batch(context, ours), is_killed=True)
    load_batch(context, load_id, 0)
    assert "check_trips" in {problem.check for problem in find_problems(context.engine)}


def test_ledger_written_before_the_trips_loses_rows(context: Context) -> None:
    context, load_id = prepare(context)
    ours = claim(context, load_id)
    with pytest.raises(_KilledError):
        store_ledger_first(context, ours, prepare_batch(context, ours), is_killed=True)
    load_batch(context, load_id, 0)
    assert "check_trips" in {problem.check for problem in find_problems(context.engine)}


def test_the_real_loader_stands_the_same_kill(context: Context) -> None:
    context, load_id = prepare(context)
    ours = claim(context, load_id)
    prepare_batch(context, ours)  # killed here
    assert run_load(context, load_id)["state"] == "succeeded"
    assert list_pending(context.engine, load_id) == []
    assert find_problems(context.engine) == []
