"""Packing: the blocks of some loads, read in position order, merged, and written as the rows of a run.

    has_hours = pack_trips(connection, run_id, load_ids)

About a million trips are merged at once, so memory is bounded whatever the run's size. A row may hold a share of what it stands
for (a cell that two parts cut has two rows): questions add up.

Measured at 6 million trips: 2.0 µs a trip, 1.4 of them processor time of this process; 3.6 when the trips themselves were read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from psycopg import ServerCursor
from sqlalchemy import Connection

from shared.bits import Numbers
from shared.blocks import BLOCK_TRIPS, HOURS, TRIPS, list_ends
from shared.database import driver_connection
from shared.ends import list_sources
from shared.ends import make_blocks as read_blocks
from shared.queries import query
from shared.run_rows import Points, make_blocks, make_cells, make_days, make_flows, sort_points
from shared.run_writing import Row, write_rows
from shared.runs import CELL_SHIFT

# Blocks fetched at once: half a megabyte.
_FETCHED: Final = 16
# Flows per hour are kept where they are at most half as many as the trips.
_TRIPS_PER_FLOW: Final = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many trips are packed at once (each takes some 200 bytes then), and how many a block has at most."""

    part_trips: int = 1_000_000
    block_trips: int = BLOCK_TRIPS


DEFAULT_SIZES: Final = Sizes()


def pack_trips(connection: Connection, run_id: int, load_ids: Sequence[int], *, sizes: Sizes = DEFAULT_SIZES) -> bool:
    """Write the run's rows in the caller's transaction; returns whether flows per hour are among them."""
    writer = _Writer(connection, run_id, sizes.block_trips)
    for is_origin in (True, False):
        for points in _merge(_fetch_blocks(connection, load_ids, is_origin=is_origin), part_trips=sizes.part_trips):
            writer.write(points)
    writer.write_days()
    return bool(writer.has_hours)


class _Writer:
    """Writes the rows of one run."""

    def __init__(self, connection: Connection, run_id: int, block_trips: int) -> None:
        self._connection = connection
        self._run_id = run_id
        self._block_trips = block_trips
        self._days: dict[int, int] = {}
        self.has_hours: bool | None = None

    def write(self, points: Points) -> None:
        """Write blocks and cells, and of origins the flows."""
        self._copy("copy_run_point", make_blocks(points, block_trips=self._block_trips))
        self._copy("copy_run_cell", make_cells(points))
        if points.others is None:
            return
        for stamp, count in zip(*(array.tolist() for array in np.unique(points.stamps, return_counts=True)), strict=True):
            self._days[stamp] = self._days.get(stamp, 0) + count
        hours = (points.stamps >> 32) % HOURS
        for _, rows in make_flows(points, np.zeros_like(hours)):
            self._copy("copy_run_flow", ((row[0], None, None, *row[1:]) for row in rows))
        for datasource, rows in make_flows(points, points.stamps & 65_535):
            self._copy("copy_run_flow", ((row[0], datasource, None, *row[1:]) for row in rows))
        if self.has_hours is not False:
            self._write_slots(points, np.where(hours < 120, hours % 24, 24 + hours % 24))

    def write_days(self) -> None:
        """Write what the origins were counted for."""
        self._copy("copy_run_day", make_days(self._days))

    def _write_slots(self, points: Points, slots: Numbers) -> None:
        flows = [(row[0], None, slot, *row[1:]) for slot, rows in make_flows(points, slots) for row in rows]
        # The first part decides for all: it has nearly all trips of its cells.
        if self.has_hours is None:
            self.has_hours = _TRIPS_PER_FLOW * sum(row[4] for row in flows) <= len(slots)
        if self.has_hours:
            self._copy("copy_run_flow", flows)

    def _copy(self, name: str, rows: Iterable[Row]) -> None:
        write_rows(self._connection, name, ((self._run_id, *row) for row in rows))


def _merge(blocks: Iterable[Numbers], *, part_trips: int) -> Iterator[Points]:
    """Merge sorted blocks that come in the order of their first positions: when there are enough trips, those in cells before the
    next block's go; if they are less than half, all that are not after its first.

    Shape: a block has rows of ends, stamps and, of origins, other ends.
    """
    waiting: list[Numbers] = []
    trips = 0
    for block in blocks:
        if trips >= part_trips:
            cuts = _cut(waiting, block[0, 0] >> CELL_SHIFT << CELL_SHIFT)
            if sum(cuts) < part_trips // 2:
                cuts = _cut(waiting, block[0, 0] + 1)
            if any(cuts):
                yield _join(each[:, :cut] for each, cut in zip(waiting, cuts, strict=True) if cut)
            waiting = [each[:, cut:] for each, cut in zip(waiting, cuts, strict=True) if cut < each.shape[1]]
            trips = 0
        waiting.append(block)
        trips += block.shape[1]
    if waiting:
        yield _join(waiting)


def _cut(blocks: Iterable[Numbers], position: int) -> list[int]:
    """How many trips of each block lie before a position."""
    return [int(np.searchsorted(block[0], position)) for block in blocks]


def _join(blocks: Iterable[Numbers]) -> Points:
    return sort_points(*np.concatenate([*blocks], axis=1))


def _fetch_blocks(connection: Connection, load_ids: Sequence[int], *, is_origin: bool) -> Iterator[Numbers]:
    """Fetch blocks in the order of their first positions, by a cursor of the server: rows are written meanwhile."""
    cursor: ServerCursor[Any] = ServerCursor(driver_connection(connection), "blocks")
    with cursor:
        cursor.execute(query("list_packed_blocks"), {"load_ids": list(load_ids), "is_origin": is_origin}, binary=True)
        while rows := cursor.fetchmany(_FETCHED):
            blocks = read_blocks(row[:-1] for row in rows)
            found = np.empty((3 if is_origin else 2, int(blocks.table[:, TRIPS].sum())), np.int64)
            list_ends(blocks.table, blocks.words, list_sources(row[-1] for row in rows), found)
            for block in np.split(found, np.cumsum(blocks.table[:-1, TRIPS]), axis=1):
                yield block.copy()  # else each would keep all of them
