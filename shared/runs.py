"""Runs: finished loads packed together in sorted order, so that questions read a few blocks instead of the trips.

    while pack_loads(engine): pass      # in the background, whenever a load has succeeded

A load that is in no run is loose, and every question reads its trips. Packing is one transaction: a question sees a load loose or
packed, never both. Loose loads are packed with the runs that are no larger than they are together, so that runs stay few and a
trip is packed again only as often as its run has doubled (a log-structured merge).

Measured on one core: 6 µs of processor time a trip.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine

from shared.database import execute, transaction
from shared.errors import TransientError

LOG = logging.getLogger(__name__)

# Reading so many loose trips costs a question some 20 ms.
LEAST_TRIPS: Final = 100_000

CELL_SHIFTS: Final = (34, 30, 28)
"""Levels of run_cell, coarse to fine: cells are position >> shift, 14, 16 and 17 bits an axis."""

# Blocks of points don't cross the borders of these cells, so that an offset fits four bytes.
_BLOCK_SHIFT: Final = 32
# Smaller runs are read point by point for hours: a second at most, where counting whether hours pay takes half a minute.
_CELL_HOUR_TRIPS: Final = 20_000_000
_CLEARANCE: Final = ("delete_run_days", "delete_run_cells", "delete_run_hours", "delete_run_points", "delete_run_flows")


@dataclass(frozen=True, slots=True)
class Pile:
    """Loads that lie together: a run, or (run_id None) the loose ones."""

    run_id: int | None
    trips: int
    load_ids: Sequence[int]


def pack_loads(engine: Engine, *, least_trips: int = LEAST_TRIPS) -> int:
    """Pack the loose loads when they have enough trips; returns how many loads share the new run, 0 when there was nothing to do.

    Raises: TransientError when a load was undone meanwhile; nothing has happened then, and the next call sees to the rest.
    """
    with transaction(engine) as connection:
        if not execute(connection, "lock_packing").scalar_one():
            return 0
        load_ids, trips = choose_loads(list_piles(connection), least_trips=least_trips)
        if load_ids:
            execute(connection, "begin_packing")
            pack_run(connection, load_ids, trips)
    if load_ids:
        with transaction(engine) as connection:
            execute(connection, "summarize_ranges")
            execute(connection, "analyze_trips")
        LOG.info("packed loads into a run", extra={"loads": len(load_ids), "trips": trips})
    return len(load_ids)


def list_piles(connection: Connection) -> list[Pile]:
    """List the loose loads as one pile, then the runs from the smallest on."""
    return [Pile(row.run_id, row.trips, row.load_ids) for row in execute(connection, "list_packable")]


def choose_loads(piles: Sequence[Pile], *, least_trips: int) -> tuple[list[int], int]:
    """Choose what to pack together: the loose loads, and each run that is no larger than what is chosen so far.

    Shape: the loads' ids, and their trips together.
    """
    if not piles or piles[0].run_id is not None or piles[0].trips < least_trips:
        return [], 0
    load_ids, trips = list(piles[0].load_ids), piles[0].trips
    for pile in piles[1:]:
        if pile.trips > trips:
            break
        load_ids += pile.load_ids
        trips += pile.trips
    return sorted(load_ids), trips


def pack_run(
    connection: Connection,
    load_ids: Sequence[int],
    trips: int,
    *,
    finest_shift: int | None = None,
    with_cell_hours: bool = False,
) -> None:
    """Pack loads into a new run in the caller's transaction; runs that lose their loads to it go.

    finest_shift: one of CELL_SHIFTS, or None for what pays. with_cell_hours: pack hours of cells even where they don't pay.
    Raises: TransientError when one of the loads does not stand any more.
    """
    loads = list(load_ids)
    made = execute(connection, "insert_run", trips=trips, load_ids=loads, finest_shift=finest_shift).one()
    run_id, finest = made.run_id, made.finest_shift
    run = {"run_id": run_id, "load_ids": loads}
    execute(connection, "pack_days", **run)
    for is_origin in (True, False):
        execute(connection, "pack_points", **run, is_origin=is_origin, block_shift=min(_BLOCK_SHIFT, finest))
    for shift in CELL_SHIFTS:
        if shift >= finest:
            execute(connection, "pack_cells", run_id=run_id, shift=shift, with_density=shift == CELL_SHIFTS[0])
    if (with_cell_hours or trips >= _CELL_HOUR_TRIPS) and _pack_cell_hours(connection, run_id, is_forced=with_cell_hours):
        execute(connection, "mark_cell_hours", run_id=run_id)
    execute(connection, "pack_flows", **run)
    if execute(connection, "pack_flow_hours", **run).rowcount:
        execute(connection, "mark_run_hours", run_id=run_id)
    if len(execute(connection, "finish_packing", **run).all()) < len(load_ids):
        raise TransientError("A load was undone while it was being packed.", code="packing_overtaken")
    execute(connection, "delete_empty_runs")
    for name in _CLEARANCE:
        execute(connection, name)


def _pack_cell_hours(connection: Connection, run_id: int, *, is_forced: bool) -> bool:
    """Pack the hours of cells where they pay; returns whether they did."""
    return execute(connection, "pack_cell_hours", run_id=run_id, is_forced=is_forced).rowcount > 0
