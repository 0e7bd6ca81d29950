"""Packing: the blocks of some loads, read part by part, sorted, and written as the rows of a run.

    has_hours = pack_trips(connection, Target(run_id, trips), load_ids)

Parts are ranges of positions of about so many trips. Blocks come in order of their first position, each once, and what of them
lies beyond a part waits for the next: at most a block of each batch, 50 MB at 100 million trips. A row may hold a share of what
it stands for (a cell that two parts cut has two rows): questions add up. One thread makes a part's rows while the other writes
those of the part before and reads the next: the server has a third of the work.

Measured at 100 million trips: 0.34 µs a trip elapsed (0.45 with one thread), 0.25 processor time of this process, 0.19 of the
server's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import Connection

from shared.compaction.block_writer import make_blocks
from shared.compaction.flow_writer import FlowCells
from shared.compaction.rollup_writer import count_hours, make_cells, make_days, pack_hours
from shared.compaction.segment_copy import Row, encode_flows, write_encoded, write_rows
from shared.compaction.sorted_ends import Points, sort_points
from shared.index.block_fetch import list_sources
from shared.index.block_fetch import make_blocks as read_blocks
from shared.index.layout import BLOCK_TRIPS, CELL_SHIFT, HOURS, TRIPS
from shared.index.scan_kernels import list_ends
from shared.kernels.compiler import compile_kernel
from shared.kernels.pair_counter import PairCounter
from shared.kernels.radix_sort import order_numbers
from shared.platform.arrays import Numbers
from shared.platform.prefetch import work_ahead
from shared.services.database import driver_connection, execute
from shared.services.named_queries import query

# Some 65,000 trips: what is read at once is no large share of a part.
_BLOCKS_AT_ONCE: Final = 64
_BASE: Final = 2
_PARTS_AHEAD: Final = 2
_LARGEST_PART: Final = 1.5
# Flows per hour are kept where they are at most half as many as the trips.
_TRIPS_PER_FLOW: Final = 2
# Slots of run_flow by hour of the week: hours of working days, then of weekend days.
_SLOTS: Final = np.where(np.arange(HOURS) < 5 * 24, 0, 24) + np.arange(HOURS) % 24


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many trips are packed at once, and how many a block has at most.

    A quarter of a million take 120 MiB, for there are two parts at a time; and a worker's threads need theirs. With a million
    packing takes a fourteenth less time and 2.7 times the memory.
    """

    part_trips: int = 250_000
    block_trips: int = BLOCK_TRIPS


DEFAULT_SIZES: Final = Sizes()


class _Rows(NamedTuple):
    """Rows of a part by the COPY that takes them, and those of flows, encoded."""

    tables: Sequence[tuple[str, Sequence[Row]]]
    flows: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """The run to write, and how many trips it will have."""

    run_id: int
    trips: int


def pack_trips(
    connection: Connection,
    target: Target,
    load_ids: Sequence[int],
    *,
    reader: Connection | None = None,
    sizes: Sizes = DEFAULT_SIZES,
    pause: Callable[[], None] | None = None,
) -> bool:
    """Write the run's rows in the caller's transaction; returns whether flows per hour are among them.

    reader: another connection that sees all blocks, to read parts while others are written. pause: called after each part.
    """
    run = _Run(target, sizes.block_trips)
    with ThreadPoolExecutor(_PARTS_AHEAD, thread_name_prefix="packing") as pool:
        for is_origin in (True, False):
            loads = {"load_ids": list(load_ids), "is_origin": is_origin}
            parts = _read_parts(reader or connection, pool, loads, part_trips=sizes.part_trips)
            for rows in work_ahead(pool, run.make_rows, _read_ahead(parts) if reader else parts, ahead=_PARTS_AHEAD):
                _write(connection, target, rows)
                if pause:
                    pause()
    _write(connection, target, _Rows([("copy_run_day", run.make_days())]))
    if not run.has_hours:
        execute(connection, "delete_run_slots", run_id=target.run_id)
    return run.has_hours


def _read_ahead(parts: Iterator[list[Numbers]]) -> Iterator[list[Numbers]]:
    """Read the next part while the caller is at one."""
    with ThreadPoolExecutor(1, thread_name_prefix="packing reads") as pool:
        waiting = pool.submit(next, parts, None)
        while part := waiting.result():
            waiting = pool.submit(next, parts, None)
            yield part


def _write(connection: Connection, target: Target, rows: _Rows) -> None:
    for name, table in rows.tables:
        write_rows(connection, name, ((target.run_id, *row) for row in table))
    if rows.flows:
        write_encoded(connection, "copy_run_flow", rows.flows)


class _Run:
    """Makes the rows of one run, without it."""

    def __init__(self, target: Target, block_trips: int) -> None:
        self._target = target
        self._block_trips = block_trips
        self._lock = Lock()
        self._days = PairCounter()
        self._hourly_flows = 0
        self.has_hours = True

    def make_rows(self, found: list[Numbers]) -> _Rows:
        """Make blocks and cells, and of origins the flows. Shape: 2 by n each, of origins 3: ends, stamps, other ends."""
        points = sort_points(*np.concatenate(found, axis=1))
        found.clear()
        hours_of_cells = pack_hours(points)
        flows: list[bytes] = []
        tables = [
            ("copy_run_point", list(make_blocks(points, hours_of_cells, block_trips=self._block_trips))),
            ("copy_run_cell", list(make_cells(points, hours_of_cells))),
        ]
        if points.others is not None:
            counted = count_hours(points.stamps)
            with self._lock:
                self._days.add(*counted)
            flows = list(self._encode_flows(points))
        return _Rows(tables, flows)

    def make_days(self) -> list[Row]:
        """Make the rows of what the origins were counted for."""
        return [*make_days(self._days.list_pairs())]

    def _encode_flows(self, points: Points) -> Iterator[bytes]:
        flows, run_id = FlowCells(points), self._target.run_id
        yield encode_flows(flows.make_rows(), run_id=run_id, kind=None)
        yield encode_flows(flows.make_rows(points.stamps & 65_535), run_id=run_id, kind="datasource_id")
        if self.has_hours:
            rows = flows.make_rows(_SLOTS[(points.stamps >> 32) % HOURS])
            with self._lock:
                self._hourly_flows += int(rows.heads[:, 2].sum())
                # No part can decide for all: some places have many trips to each flow, others one. What was written goes then.
                self.has_hours = _TRIPS_PER_FLOW * self._hourly_flows <= self._target.trips
            if self.has_hours:
                yield encode_flows(rows, run_id=run_id, kind="slot")


def _read_parts(
    connection: Connection, pool: Executor, loads: Mapping[str, object], *, part_trips: int
) -> Iterator[list[Numbers]]:
    """Read the trips by position, about so many at a time, in no order within; cut between cells if possible."""
    columns = 3 if loads["is_origin"] else 2
    first, fresh = 0, 0
    found: list[Numbers] = []
    reading: list[Future[list[Numbers]]] = []
    # A cursor of the server's, for the rows of a run are written in between.
    with driver_connection(connection).cursor("packed_blocks") as cursor:
        cursor.execute(query("list_packed_blocks"), loads, binary=True)
        while rows := cursor.fetchmany(_BLOCKS_AT_ONCE):
            base = rows[0][_BASE]
            cell = base >> CELL_SHIFT << CELL_SHIFT
            # A cell of very many trips is cut.
            cut = cell if cell > first else base
            if fresh >= part_trips and cut > first:
                complete, found = _cut(chain(found, *(future.result() for future in reading)), cut)
                reading.clear()
                yield from _cut_parts(complete, part_trips)
                first, fresh = cut, 0
            fresh += sum(row[0] for row in rows)
            reading.append(pool.submit(_read_blocks, rows, columns=columns))
    found += chain.from_iterable(future.result() for future in reading)
    yield from _cut_parts(found, part_trips)


def _read_blocks(rows: Sequence[Row], *, columns: int) -> list[Numbers]:
    """Read the trips of each block, in order of their ends. Each has memory of its own, given back when it has been packed."""
    blocks = read_blocks(row[:-1] for row in rows)
    ends = np.empty((columns, int(blocks.table[:, TRIPS].sum())), np.int64)
    list_ends(blocks.table, blocks.words, list_sources(row[-1] for row in rows), ends)
    return [_sort(block) for block in np.split(ends, np.cumsum(blocks.table[:-1, TRIPS]), axis=1)]


@compile_kernel
def _sort(block: Numbers) -> Numbers:
    """Put trips in order of their ends. Shape: 2 or 3 by n."""
    order, placed = order_numbers(block[0].copy()), np.empty(block.shape, np.int64)
    for column in range(len(block)):
        for place in range(len(order)):
            placed[column, place] = block[column, order[place]]
    return placed


def _cut(found: Iterable[Numbers], cut: int) -> tuple[list[Numbers], list[Numbers]]:
    """Part blocks into what lies before a position, and the rest. They are in order, so nothing is copied."""
    part, rest = [], []
    for block in found:
        if block[0, -1] < cut:
            part.append(block)
        elif block[0, 0] >= cut:
            rest.append(block)
        else:
            place = int(np.searchsorted(block[0], cut))
            part.append(block[:, :place])
            rest.append(block[:, place:])
    return part, rest


def _cut_parts(found: list[Numbers], part_trips: int) -> Iterator[list[Numbers]]:
    """Cut trips into not many more than a part's at once: where a region ends, a block of each batch becomes complete."""
    while sum(block.shape[1] for block in found) > _LARGEST_PART * part_trips:
        at = int(np.partition(np.concatenate([block[0] for block in found]), part_trips)[part_trips])
        lowest, cell = min(int(block[0, 0]) for block in found), at >> CELL_SHIFT << CELL_SHIFT
        if at == lowest:
            break
        part, found = _cut(found, cell if cell > lowest else at)
        yield part
    if found:
        yield found
