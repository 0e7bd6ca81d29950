"""Finishing: dispatch a load's next batches, end it once all are terminal, and clean up after it.

A load's end is one UPDATE that only one can win, in a transaction with its event. What is left to do then (remove the rows of a
load that was cancelled, undone or refused; merge the rollups of one that succeeded; delete its parts) is done afterwards by
clean_load, step by step, and as often as it takes: needs_cleaning says that it is not over.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection

from loader.pipeline.batch_objects import remove_parts
from loader.pipeline.context import Context
from loader.storage.name_ids import drop_unused_names
from loader.storage.rejects import remove_rejects
from shared.events import record_event
from shared.loads import enqueue_load
from shared.platform.errors import QUESTION_FACTS, TerminalError, TransientError
from shared.platform.settings import Settings
from shared.services.database import execute, execute_alone, transaction
from shared.services.queueing import BATCH_ACTOR, CLEAN_ACTOR, enqueue

LOG = logging.getLogger(__name__)

# Batches of one load in the queue at a time: enough for 16 machines of 4 threads, few enough that loads take turns.
WINDOW: Final = 64
# A message that is not seen for so long is taken for lost and sent again; a second one does no harm. Redis loses one when it is
# killed while it gives it out: it then counts as at hand of a worker that never got it. A load is to go on within two minutes of
# the last fault: the supervisor's delay (10 s), the start of a worker and this.
PATIENCE_S: Final = 45.0
# Rollup rows of a running load that are merged together: a question of a region reads all, 50,000 twice in 3 ms. Merging: 30 ms.
_LOOSE_ROLLUPS: Final = 50_000
# Batches whose rollups leave much room. Every question reads the whole table: 2 ms after 100 million rows in a thousand batches.
_MANY_BATCHES: Final = 64
# Trips removed in one transaction: about 5 s.
REMOVED_ROWS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Period:
    """Whole weeks, both days included, and a load's trips in them."""

    first_on: date
    last_on: date
    trips: int


def enqueue_batches(context: Context, load_id: int, *, patience_s: float = PATIENCE_S) -> int:
    """Enqueue pending batches of a load that have no message yet, up to WINDOW under way; returns how many."""
    with transaction(context.engine) as connection:
        numbers = mark_enqueued(connection, load_id, context.settings, patience_s=patience_s)
    dispatch_batches(context, load_id, numbers)
    return len(numbers)


def mark_enqueued(connection: Connection, load_id: int, settings: Settings, *, patience_s: float = PATIENCE_S) -> list[int]:
    """Mark batches as enqueued in the caller's transaction and return their numbers; send the messages after its commit."""
    limits = {"lease_s": settings.batch_lease_s, "patience_s": patience_s, "window": WINDOW}
    return sorted(execute(connection, "mark_enqueued", load_id=load_id, **limits).scalars())


def dispatch_batches(context: Context, load_id: int, numbers: Sequence[int]) -> None:
    """Send a message per batch. While Redis is away none is sent; the reconciler sends them later."""
    try:
        for batch_no in numbers:
            enqueue(context.broker, BATCH_ACTOR, load_id=load_id, batch_no=batch_no)
    except TransientError as error:
        LOG.warning("batches wait for the reconciler", extra={"load_id": load_id, "reason": error.message})


def finish_load(connection: Connection, load_id: int, settings: Settings) -> bool:
    """End a load whose batches have all ended, with its event, in the caller's transaction; returns whether it did."""
    # With the row locked, whoever comes second sees what the first has committed.
    execute(connection, "lock_load", load_id=load_id)
    if execute(connection, "has_pending_batches", load_id=load_id).scalar_one():
        return False
    share = settings.reject_limit_share
    ended = execute(connection, "finish_load", load_id=load_id, reject_limit_share=share).mappings().one_or_none()
    if ended is None:
        return False
    if ended["state"] == "succeeded":
        execute(connection, "remember_reading", load_id=load_id)
    record_event(connection, load_id, ended["state"])
    return True


def fail_load(connection: Connection, load_id: int, error: TerminalError) -> bool:
    """End a load as failed in the caller's transaction; what it loaded is to be removed. False when it had ended."""
    facts = {"error_code": error.error_code, "error_message": error.message, "duplicate_of": None}
    if execute(connection, "end_load", load_id=load_id, state="failed", **facts).first() is None:
        return False
    question = {name: error.facts[name] for name in QUESTION_FACTS if error.facts.get(name)}
    if "parameter" in question:
        execute(connection, "set_load_question", load_id=load_id, question=question)
    record_event(connection, load_id, "failed")
    return True


def end_load(context: Context, load_id: int, error: TerminalError) -> None:
    """End a load as failed, and have it cleaned."""
    with transaction(context.engine) as connection:
        has_ended = fail_load(connection, load_id, error)
    if has_ended:
        LOG.info("load failed", extra={"load_id": load_id, "reason": error.message})
        context.notify()
        enqueue_load(context.broker, load_id, actor=CLEAN_ACTOR)


def clean_load(context: Context, load_id: int, *, rows_at_once: int = REMOVED_ROWS) -> None:
    """Clean up after a load that has ended, unless another worker does; a transaction deletes at most rows_at_once trips."""
    with transaction(context.engine) as connection:
        lease_s = context.settings.batch_lease_s
        load = execute(connection, "claim_cleaning", load_id=load_id, lease_s=lease_s).mappings().one_or_none()
    if load is None:
        return
    if load["state"] == "succeeded":
        _fold(context, load_id, state="succeeded")
        if load["batches_total"] >= _MANY_BATCHES:
            _shorten_rollups(context, load_id)
    else:
        _remove_rows(context, load_id, rows_at_once=rows_at_once)
        if drop_unused_names(context.engine):
            context.labels.forget()
    if load["state"] in ("cancelled", "undone"):
        with transaction(context.engine) as connection:
            execute(connection, "drop_reject_files", load_id=load_id)
        remove_rejects(context.store, load["object_key"])
    remove_parts(context.store, load["object_key"])
    with transaction(context.engine) as connection:
        if execute(connection, "finish_cleaning", load_id=load_id, state=load["state"]).first() is None:
            return  # undone while its rollups were merged: its own message is on the way
        if load["state"] != "succeeded":
            record_event(connection, load_id, "cleaned")
    context.notify()


def fold_running(context: Context, *, least_rows: int = _LOOSE_ROLLUPS) -> int:
    """Merge the rollups of running loads that have least_rows of them or more; returns how many loads have."""
    with transaction(context.engine) as connection:
        load_ids = execute(connection, "list_foldable", least_rows=least_rows).scalars().all()
    for load_id in load_ids:
        _fold(context, load_id, state="loading")
    if load_ids:
        execute_alone(context.engine, "vacuum_rollup_week")
    return len(load_ids)


def _fold(context: Context, load_id: int, *, state: str) -> None:
    with transaction(context.engine) as connection:
        execute(connection, "lock_cleaning", load_id=load_id)
        load = execute(connection, "fetch_load", load_id=load_id).mappings().one()
        if load["state"] == state:
            execute(connection, "fold_rollup_week", load_id=load_id, gone_from=None, gone_to=None)


def _shorten_rollups(context: Context, load_id: int) -> None:
    """Rewrite a succeeded load's merged rollup rows into the space that vacuum freed, so that the table can be truncated."""
    execute_alone(context.engine, "vacuum_rollup_week")
    _fold(context, load_id, state="succeeded")
    execute_alone(context.engine, "vacuum_rollup_week")


def _remove_rows(context: Context, load_id: int, *, rows_at_once: int) -> None:
    with transaction(context.engine) as connection:
        # Waits for batches that are in their transaction; none commits any more, for their load has ended.
        execute(connection, "void_batches", load_id=load_id)
        execute(connection, "delete_batch_blocks", load_ids=[load_id])
    for gone in _list_periods(context, load_id, rows_at_once=rows_at_once):
        with transaction(context.engine) as connection:
            execute(connection, "lock_cleaning", load_id=load_id)
            execute(connection, "begin_writing")
            rows = execute(connection, "delete_trips", load_id=load_id, gone_from=gone.first_on, gone_to=gone.last_on).rowcount
            if rows != gone.trips:
                # A node of Citus died between the two phases of a batch's commit: the rest comes to light when it is back.
                raise TransientError(
                    f"Of {gone.trips:,} trips to remove {rows:,} are there.", code="trips_missing", load_id=load_id
                )
            execute(connection, "fold_rollup_week", load_id=load_id, gone_from=gone.first_on, gone_to=gone.last_on)
            execute(connection, "subtract_removed", load_id=load_id, rows=rows)


def _list_periods(context: Context, load_id: int, *, rows_at_once: int) -> list[Period]:
    """The load's weeks in runs of at most rows_at_once trips or one week, from first Monday to last Sunday."""
    with transaction(context.engine) as connection:
        weeks = execute(connection, "list_load_weeks", load_id=load_id).all()
    periods: list[Period] = []
    for week in weeks:
        last_on = week.week + timedelta(days=6)
        if periods and periods[-1].trips + week.trips <= rows_at_once:
            periods[-1] = Period(periods[-1].first_on, last_on, periods[-1].trips + week.trips)
        else:
            periods.append(Period(week.week, last_on, week.trips))
    return periods
