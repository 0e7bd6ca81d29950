"""Segments: finished loads compacted into sorted blocks, so that questions read a few blocks instead of the trips.

    while compact_loads(engine): pass      # in the background, whenever a load has succeeded

A load that is in no segment is uncompacted: every question reads the blocks of its batches, or its trips. A compaction is one
transaction, so a question sees a load either uncompacted or in a segment, never both. Uncompacted loads are merged with the
segments that are no larger than they are together, so that segments stay few and a trip is merged again only when its segment has
doubled (a log-structured merge tree).
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine

from shared.compaction.merge_policy import list_merge_candidates, select_loads
from shared.platform.errors import TransientError
from shared.services.database import execute, execute_alone, transaction

if TYPE_CHECKING:
    from shared.compaction.merger import Sizes

LOG = logging.getLogger(__name__)

# Reading the blocks of so many uncompacted trips costs a question some milliseconds.
LEAST_TRIPS: Final = 100_000


_CLEARANCE: Final = ("delete_segment_days", "delete_segment_cells", "delete_segment_blocks", "delete_segment_flows")


def compact_loads(engine: Engine, *, least_trips: int = LEAST_TRIPS, pause: Callable[[], None] | None = None) -> int:
    """Compact the uncompacted loads when they have at least least_trips trips.

    Returns the number of loads in the new segment; 0 when there was nothing to do. pause: called after each part, while nothing
    but the transaction is held; it may block as long as it likes.
    Raises: TransientError when a load was undone meanwhile; nothing has changed then, and the next call compacts the rest.
    """
    with transaction(engine) as connection:
        if not execute(connection, "lock_compaction").scalar_one():
            return 0
        load_ids, trips = select_loads(list_merge_candidates(connection), least_trips=least_trips)
        if not load_ids:
            return 0
        execute(connection, "begin_compaction")
        with transaction(engine) as reader:
            execute(reader, "begin_compaction")
            create_segment(connection, load_ids, trips, reader=reader, pause=pause)
    LOG.info("compacted loads into a segment", extra={"loads": len(load_ids), "trips": trips})
    with transaction(engine) as connection:
        execute(connection, "begin_compaction")
        execute(connection, "summarize_ranges")
        execute(connection, "analyze_trips")
    clear_batch_blocks(engine)
    return len(load_ids)


def clear_batch_blocks(engine: Engine) -> None:
    """Delete the batches' blocks of loads that are in a segment now: by truncation when no load is uncompacted.

    Deleting row by row would write as much as the compaction did. While a question has the table open, the blocks stay.
    """
    with transaction(engine) as connection:
        found = execute(connection, "find_batch_blocks").one()
        if not found.has_compacted:
            return
        if found.has_uncompacted:
            execute(connection, "delete_compacted_batch_blocks")
    if found.has_uncompacted:
        # The next batches reuse the space.
        execute_alone(engine, "vacuum_batch_blocks")
        return
    with suppress(TransientError), transaction(engine) as connection:
        # Fails while a batch or a question has the table open. Under the lock nobody adds blocks.
        execute(connection, "lock_batch_blocks")
        if not execute(connection, "find_batch_blocks").one().has_uncompacted:
            execute(connection, "truncate_batch_blocks")


def create_segment(
    connection: Connection,
    load_ids: Sequence[int],
    trips: int,
    *,
    reader: Connection | None = None,
    sizes: "Sizes | None" = None,
    pause: Callable[[], None] | None = None,
) -> None:
    """Compact loads into a new segment in the caller's transaction, and delete the segments that have no load left.

    reader: another connection, which reads committed blocks while this one writes.
    Raises: TransientError when one of the loads was undone meanwhile.
    """
    # Imported here: callers that only list segments need not load compiled kernels.
    from shared.compaction.backfill import index_loads
    from shared.compaction.merger import DEFAULT_SIZES, Target, write_segment_rows

    loads, sizes = list(load_ids), sizes or DEFAULT_SIZES
    segment_id = execute(connection, "insert_segment", trips=trips).scalar_one()
    if unindexed := list(execute(connection, "list_unindexed_loads", load_ids=loads).scalars()):
        index_loads(connection, unindexed, trips=trips, part_trips=sizes.part_trips)
        # Another connection does not see the blocks of an open transaction.
        reader = None
    if write_segment_rows(connection, Target(segment_id, trips), loads, reader=reader, sizes=sizes, pause=pause):
        execute(connection, "mark_segment_hours", segment_id=segment_id)
    if len(execute(connection, "finish_compaction", segment_id=segment_id, load_ids=loads).all()) < len(load_ids):
        raise TransientError("A load was undone while it was being compacted.", code="compaction_overtaken")
    execute(connection, "delete_empty_segments")
    for name in _CLEARANCE:
        execute(connection, name)
