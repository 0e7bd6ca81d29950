"""Runs: finished loads packed together in sorted order, so that questions read a few blocks instead of the trips.

    while pack_loads(engine): pass      # in the background, whenever a load has succeeded

A load that is in no run is loose, and every question reads the blocks of its batches, or its trips. Packing is one transaction: a
question sees a load loose or packed, never both. Loose loads are packed with the runs that are no larger than they are together,
so that runs stay few and a trip is packed again only as often as its run has doubled (a log-structured merge).

See shared/compaction/merger.py for how.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine

from shared.compaction.merge_policy import choose_loads, list_piles
from shared.platform.errors import TransientError
from shared.services.database import execute, execute_alone, transaction

if TYPE_CHECKING:
    from shared.compaction.merger import Sizes

LOG = logging.getLogger(__name__)

# Reading the blocks of so many loose trips costs a question some milliseconds.
LEAST_TRIPS: Final = 100_000


_CLEARANCE: Final = ("delete_run_days", "delete_run_cells", "delete_run_points", "delete_run_flows")


def pack_loads(engine: Engine, *, least_trips: int = LEAST_TRIPS, pause: Callable[[], None] | None = None) -> int:
    """Pack the loose loads when they have enough trips; returns how many loads share the new run, 0 when there was nothing to do.

    pause: called now and then, while nothing but the transaction is held; it may take as long as it likes.
    Raises: TransientError when a load was undone meanwhile; nothing has happened then, and the next call sees to the rest.
    """
    with transaction(engine) as connection:
        if not execute(connection, "lock_packing").scalar_one():
            return 0
        load_ids, trips = choose_loads(list_piles(connection), least_trips=least_trips)
        if not load_ids:
            return 0
        execute(connection, "begin_packing")
        with transaction(engine) as reader:
            execute(reader, "begin_packing")
            pack_run(connection, load_ids, trips, reader=reader, pause=pause)
    LOG.info("packed loads into a run", extra={"loads": len(load_ids), "trips": trips})
    with transaction(engine) as connection:
        execute(connection, "begin_packing")
        execute(connection, "summarize_ranges")
        execute(connection, "analyze_trips")
    clear_batch_points(engine)
    return len(load_ids)


def clear_batch_points(engine: Engine) -> None:
    """Give back the room of blocks that are in a run now, which nobody reads any more: all at once when no load is loose.

    Deleting them block by block would write as much as packing did. While a question has the table open they stay.
    """
    with transaction(engine) as connection:
        found = execute(connection, "find_batch_points").one()
        if not found.has_packed:
            return
        if found.has_loose:
            execute(connection, "delete_packed_batch_points")
    if found.has_loose:
        # The next batches use the room.
        execute_alone(engine, "vacuum_batch_points")
        return
    with suppress(TransientError), transaction(engine) as connection:
        # Refused while a batch or a question has the table open. Behind the lock nobody adds any.
        execute(connection, "lock_batch_points")
        if not execute(connection, "find_batch_points").one().has_loose:
            execute(connection, "truncate_batch_points")


def pack_run(
    connection: Connection,
    load_ids: Sequence[int],
    trips: int,
    *,
    reader: Connection | None = None,
    sizes: "Sizes | None" = None,
    pause: Callable[[], None] | None = None,
) -> None:
    """Pack loads into a new run in the caller's transaction; runs that lose their loads to it go.

    reader: another connection, for what is committed. That a load was undone while it read shows in the end.
    Raises: TransientError when one of the loads does not stand any more.
    """
    # Packing brings compiled kernels: what only asks which runs there are need not wait for those.
    from shared.compaction.backfill import block_loads
    from shared.compaction.merger import DEFAULT_SIZES, Target, pack_trips

    loads, sizes = list(load_ids), sizes or DEFAULT_SIZES
    run_id = execute(connection, "insert_run", trips=trips).scalar_one()
    if bare := list(execute(connection, "list_bare_loads", load_ids=loads).scalars()):
        block_loads(connection, bare, trips=trips, part_trips=sizes.part_trips)
        # Nobody else sees those blocks.
        reader = None
    if pack_trips(connection, Target(run_id, trips), loads, reader=reader, sizes=sizes, pause=pause):
        execute(connection, "mark_run_hours", run_id=run_id)
    if len(execute(connection, "finish_packing", run_id=run_id, load_ids=loads).all()) < len(load_ids):
        raise TransientError("A load was undone while it was being packed.", code="packing_overtaken")
    execute(connection, "delete_empty_runs")
    for name in _CLEARANCE:
        execute(connection, name)
