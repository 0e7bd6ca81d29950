"""Batch: load one slice of a file, exactly once.

1. Claim: count the start and take the lease, committed first: a start that does not end is a kill.
2. Read the slice of the pinned version, parse it, encode and sort.
3. Store the rejects' object.
4. One transaction, in which only the database is waited for: lock the ledger row, COPY trips, rollups, blocks and rejects, mark
   the row done, add the counts to the load, write the event, and end the load where this was the last batch. The load's row comes
   last: it is held for a moment only, and a load that was cancelled meanwhile makes the transaction roll back.

Lock order everywhere: ledger row, then load. A duplicate message finds no claim and is dropped.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final
from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from loader.formats import BatchSlice, FilePlan, LoadOptions, ParsedBatch, parse_batch
from loader.pipeline.batch_objects import read_part
from loader.pipeline.context import Context
from loader.pipeline.finishing import dispatch_batches, fail_load, finish_load, mark_enqueued
from loader.pipeline.leases import STOPPING, LoadEndedError, Work
from loader.storage.blocks import list_blocks
from loader.storage.copy_rows import copy_rows
from loader.storage.name_ids import NAMES_CHANGED, LabelMaker, hold_names
from loader.storage.rejects import count_reasons, pick_stored, remove_batch_rejects, store_rejects
from loader.storage.rollups import encode_weeks
from loader.storage.trips import TripColumns, encode_trips, sort_trips
from shared.compaction.segment_copy import Row, write_rows
from shared.events import record_event
from shared.loads import enqueue_load
from shared.platform.errors import TerminalError, TransientError
from shared.services.database import driver_connection, execute, transaction
from shared.services.named_queries import query
from shared.services.objects import StoredObject
from shared.services.queueing import CLEAN_ACTOR

LOG = logging.getLogger(__name__)

# Progress a watcher sees: at most so often per load; terminal events are another kind and always written.
_EVENT_GAP_S: Final = 0.3


@dataclass(frozen=True)
class Claim:
    """A batch that this runner has claimed. lease_token: of this claim; ledger_token: of the row in the ledger.

    attempts: starts that did not end, with this one; failures: ends with an unexpected exception. load: its columns.
    """

    load_id: int
    batch_no: int
    bytes: int
    attempts: int
    failures: int
    lease_token: UUID
    ledger_token: UUID
    slice: dict[str, Any]
    load: Mapping[str, Any]

    @cached_property
    def stored(self) -> StoredObject:
        """The load's file."""
        return StoredObject(self.load["object_key"], self.load["object_etag"], self.load["bytes_total"])

    @cached_property
    def plan(self) -> FilePlan:
        """The load's plan; decoded when it is used, so that a plan that can't be decoded is a failure of the batch."""
        return FilePlan.from_json(self.load["plan"])

    @cached_property
    def options(self) -> LoadOptions:
        """The load's options, decoded as the plan is."""
        return LoadOptions.from_json(self.load["options"])

    @property
    def key(self) -> dict[str, int]:
        """The ledger row's key."""
        return {"load_id": self.load_id, "batch_no": self.batch_no}

    @property
    def lease(self) -> dict[str, Any]:
        """The key with the lease's token."""
        return {**self.key, "lease_token": self.lease_token}


@dataclass(frozen=True)
class PreparedBatch:
    """What one transaction stores. Trips come sorted by origin; None when the batch has none. blocks: None where it made none."""

    trips: TripColumns | None
    blocks: list[Row] | None
    rejects: pl.DataFrame
    rows_read: int
    warnings: Mapping[str, int] = field(default_factory=dict)


def load_batch(context: Context, load_id: int, batch_no: int) -> None:
    """Load a batch, unless it is terminal, another runner has its lease, or the load has ended.

    Raises: TransientError when it should be tried again.
    """
    claim = claim_batch(context, load_id, batch_no)
    if claim is None:
        LOG.debug("batch can't be claimed", extra={"load_id": load_id, "batch_no": batch_no})
        return
    if claim.attempts > 1:
        context.metrics.leases_expired.labels("batch").inc()
    give_up = partial(_fail, context, claim)
    if claim.attempts > context.settings.batch_kills:
        give_up(TerminalError(f"Batch {batch_no} ended its worker {claim.attempts - 1} times."))
        return
    work = Work(context, f"Batch {batch_no}", kind="batch", key=claim.lease, failures=claim.failures, give_up=give_up)
    try:
        with context.metrics.batches_at_hand.track_inprogress(), context.metrics.batch_seconds.time(), work.running():
            _run(context, claim)
    except LoadEndedError:
        LOG.info("load ended while its batch ran", extra=claim.key)
        with suppress(TransientError):  # then it stays until the load's objects go
            remove_batch_rejects(context.store, claim.stored.key, batch_no)


def _run(context: Context, claim: Claim) -> None:
    with context.tracing.span("batch", **claim.key):
        _prepare_and_store(context, claim)


def _prepare_and_store(context: Context, claim: Claim) -> None:
    try:
        store_batch(context, claim, prepare_batch(context, claim))
    except TransientError as error:
        if error.error_code != NAMES_CHANGED:
            raise
        context.labels.forget()
        store_batch(context, claim, prepare_batch(context, claim))


def claim_batch(context: Context, load_id: int, batch_no: int) -> Claim | None:
    """Count a start and take the lease; None when the batch is terminal or leased, or the load has ended."""
    with transaction(context.engine) as connection:
        lease_s = context.settings.batch_lease_s
        row = execute(connection, "claim_batch", load_id=load_id, batch_no=batch_no, lease_s=lease_s).mappings().one_or_none()
    if row is None:
        return None
    return Claim(
        load_id,
        batch_no,
        row["bytes"],
        row["attempts"],
        row["failures"],
        row["lease_token"],
        row["ledger_token"],
        row["slice"],
        dict(row),
    )


def prepare_batch(context: Context, claim: Claim) -> PreparedBatch:
    """Read, parse, encode and sort. Raises: TerminalError, TransientError."""
    with context.tracing.span("read slice", bytes=claim.bytes):
        data = _read(context, claim)
    piece = BatchSlice.from_json(claim.slice["piece"])
    with context.tracing.span("parse"):
        options = context.places.attach(claim.options, context.engine)
        parsed: ParsedBatch = parse_batch(data, claim.plan, piece, options=options)
    labels = LabelMaker(context.labels, context.engine, claim.load_id, context.settings.new_names_limit)
    with context.tracing.span("sort and encode", rows=parsed.trips.height):
        trips = sort_trips(parsed.trips, labels) if parsed.trips.height else None
        blocks = list_blocks(trips)
    return PreparedBatch(trips, blocks, parsed.rejects, parsed.rows_read, parsed.warnings)


def _read(context: Context, claim: Claim) -> bytes:
    parts = context.batch_cache.take(claim.load_id, claim.batch_no)
    if parts is not None and sum(part.nbytes for part in parts) == claim.slice["piece"]["bytes"]:
        return b"".join(parts)
    chunks = []
    for chunk in read_part(context.store, claim.stored, claim.slice):
        if context.stopping.is_set():
            raise TransientError("The worker is to stop.", code=STOPPING)
        chunks.append(chunk)
    return b"".join(chunks)


def store_batch(context: Context, claim: Claim, batch: PreparedBatch) -> None:
    """Store everything in one transaction, unless the batch or the load has ended meanwhile. Raises: TransientError."""
    loaded = len(batch.trips) if batch.trips else 0
    counts = {"rows_read": batch.rows_read, "rows_loaded": loaded, "rows_rejected": batch.rejects.height}
    if batch.rejects.height and not _put_rejects(context, claim, batch):
        return
    with context.tracing.span("store batch"), transaction(context.engine) as connection:
        if not _is_pending(connection, claim):
            return
        if batch.trips:
            hold_names(connection, "region", batch.trips.region)
            hold_names(connection, "datasource", batch.trips.datasource)
        with context.tracing.span("COPY", rows=loaded):
            kept = copy_batch(connection, claim, batch, rejects_kept=context.settings.reject_kept_rows)
        reasons, warnings = count_reasons(batch.rejects), dict(batch.warnings)
        execute(connection, "finish_batch", **claim.key, **counts, reasons=reasons, warnings=warnings, rejects_kept=kept)
        next_ones = mark_enqueued(connection, claim.load_id, context.settings)
        sums = {
            **counts,
            "bytes": claim.bytes,
            "rows_in_blocks": 0 if batch.blocks is None else loaded,
        }
        totals = execute(connection, "add_batch_counts", load_id=claim.load_id, **sums).one_or_none()
        if totals is None:
            raise LoadEndedError("The load has ended.")
        has_ended = _end_when_due(connection, context, claim, rows_rejected=totals.rows_rejected)
        is_news = has_ended or record_event(connection, claim.load_id, "batch", min_gap_s=_EVENT_GAP_S)
    if is_news:
        context.notify()
    _count(context, claim, counts)
    _dispatch_next(context, claim.load_id, next_ones, has_ended=has_ended)


def _count(context: Context, claim: Claim, counts: Mapping[str, int]) -> None:
    metrics = context.metrics
    metrics.batches.labels("done").inc()
    metrics.bytes.inc(claim.bytes)
    for outcome in ("loaded", "rejected"):
        metrics.rows.labels(outcome).inc(counts[f"rows_{outcome}"])


def _is_pending(connection: Connection, claim: Claim) -> bool:
    lock = {**claim.key, "ledger_token": claim.ledger_token}
    return execute(connection, "lock_batch", **lock).scalar_one_or_none() == "pending"


def _put_rejects(context: Context, claim: Claim, batch: PreparedBatch) -> bool:
    """Store the rejects' object before the transaction, which must not wait for a store; False when the batch has ended."""
    with transaction(context.engine) as connection:
        if not _is_pending(connection, claim):
            return False
    piece = BatchSlice.from_json(claim.slice["piece"])
    store_rejects(context.store, claim.stored.key, piece, rejects=batch.rejects)
    return True


def copy_batch(connection: Connection, claim: Claim, batch: PreparedBatch, *, rejects_kept: int) -> int:
    """COPY trips, rollups, blocks and the load's first rejects, up to rejects_kept, in the caller's transaction;
    returns how many of those.
    """
    if batch.trips:
        execute(connection, "begin_writing")
        copy_rows(connection, "copy_trip", encode_trips(claim.load_id, batch.trips))
        copy_rows(connection, "copy_rollup_week", encode_weeks(claim.load_id, batch.trips))
    if batch.blocks:
        write_rows(connection, "copy_batch_block", ((claim.load_id, *row) for row in batch.blocks))
    if not batch.rejects.height:
        return 0
    # Batches that run side by side don't see each other's: a load may get a batch's worth more for each.
    so_far = execute(connection, "fetch_load", load_id=claim.load_id).mappings().one()["rows_rejected"]
    rejects = pick_stored(batch.rejects, rejects_kept - so_far)
    columns = ("line_in_batch", "record_in_batch", "column_name", "reason", "value", "raw")
    with driver_connection(connection).cursor().copy(query("copy_reject")) as copy:
        for row in rejects.select(columns).iter_rows():
            copy.write_row((claim.load_id, claim.batch_no, *row))
    return rejects.height


def _end_when_due(connection: Connection, context: Context, claim: Claim, *, rows_rejected: int) -> bool:
    given = claim.options.max_rejects
    limit = context.settings.reject_limit_rows if given is None else given
    if rows_rejected > limit:
        message = f"More than {limit:,} rows were rejected; nothing was loaded. See the rejects for the reasons."
        return fail_load(connection, claim.load_id, TerminalError(message, code="too_many_rejects"))
    return finish_load(connection, claim.load_id, context.settings)


def _dispatch_next(context: Context, load_id: int, next_ones: Sequence[int], *, has_ended: bool) -> None:
    if has_ended:
        enqueue_load(context.broker, load_id, actor=CLEAN_ACTOR)
    else:
        dispatch_batches(context, load_id, next_ones)


def _fail(context: Context, claim: Claim, error: TerminalError) -> None:
    LOG.error("batch is given up", extra={**claim.key, "reason": error.message})
    with transaction(context.engine) as connection:
        execute(connection, "fail_batch", **claim.lease, error_message=error.message)
        next_ones = mark_enqueued(connection, claim.load_id, context.settings)
        has_ended = finish_load(connection, claim.load_id, context.settings)
    context.notify()
    context.metrics.batches.labels("failed").inc()
    _dispatch_next(context, claim.load_id, next_ones, has_ended=has_ended)
