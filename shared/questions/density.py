"""Density: trip origins per cell, in the finest cells of which there are at most a given number. The map's ground layer."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection

from shared.domain.area import OUTSIDE, WHOLE_WORLD, AxisArea, Box
from shared.domain.position import Positions, cell_middles
from shared.index.block_cache import DELTAS
from shared.index.block_fetch import BlockScan, read_blocks
from shared.index.layout import CELL_SHIFT, FINE_SHIFT
from shared.index.scan_kernels import list_positions
from shared.index.snapshot import Reader, Snapshot, open_snapshot, retry_stale
from shared.kernels.radix_sort import count_numbers
from shared.platform.arrays import Numbers
from shared.services.database import execute

# Bits of one level of the cell pyramid: half the rows, half the columns.
_STEP_BITS: Final = 2
# Most distinct cells while blocks are read; more are coarsened at once.
_MOST_CELLS: Final = 250_000
_FINE_BITS: Final = CELL_SHIFT - FINE_SHIFT


@dataclass(frozen=True, slots=True)
class CellCount:
    """Trip ends in one cell of the density map; longitude and latitude are its middle. Units: degrees."""

    longitude: float
    latitude: float
    trips: int


def fetch_density(connection: Connection, *, viewport: Box | None = None, limit: int = 30_000) -> list[CellCount]:
    """Count trip origins per cell, most first, in the cells the viewport touches: the finest of which there are at most limit."""
    area = viewport.on_grid().outer(FINE_SHIFT) if viewport else WHOLE_WORLD
    if area.is_empty:
        return []
    found = _count_cells(connection, area, limit=limit)
    order = np.lexsort((found.cells, -found.trips))
    longitudes, latitudes = cell_middles(found.cells[order], FINE_SHIFT + found.level)
    return [
        CellCount(longitude, latitude, trips)
        for longitude, latitude, trips in zip(longitudes.tolist(), latitudes.tolist(), found.trips[order].tolist(), strict=True)
    ]


class _Cells:
    """Trips per cell of position >> (FINE_SHIFT + level), in order."""

    def __init__(self) -> None:
        self.level = 0
        self.cells = self.trips = np.empty(0, np.int64)

    def add(self, cells: Positions, trips: Positions) -> None:
        """Add cells of this level, and their trips."""
        self._merge(np.append(self.cells, cells), np.append(self.trips, trips))

    def coarsen(self, most: int) -> None:
        """Merge cells into larger ones until there are at most so many."""
        while len(self.cells) > most:
            self.level += _STEP_BITS
            self._merge(self.cells >> _STEP_BITS, self.trips)

    def _merge(self, cells: Positions, trips: Positions) -> None:
        order = np.argsort(cells, kind="stable")  # a stable sort is fast on concatenated sorted columns
        cells = cells[order]
        first = np.flatnonzero(np.diff(cells, prepend=-1))
        self.cells, self.trips = cells[first], np.add.reduceat(trips[order], first) if len(first) else first


@retry_stale
def _count_cells(connection: Connection, area: AxisArea, *, limit: int) -> _Cells:
    reader = open_snapshot(connection)
    found = _Cells()
    found.add(*_list_segment_cells(reader.snapshot, area))
    found.coarsen(max(limit, _MOST_CELLS))
    _add_uncompacted(reader, area, found)
    if reader.snapshot.unindexed_loads:
        parameters = {"shift": FINE_SHIFT + found.level, "area": None if area == WHOLE_WORLD else area.bounds()}
        loads = reader.snapshot.unindexed_loads
        rows = execute(connection, "count_unindexed_cells", unindexed_loads=loads, **parameters).all()
        found.add(*np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2).T)
        reader.check()
    found.coarsen(limit)
    return found


def _list_segment_cells(snapshot: Snapshot, area: AxisArea) -> tuple[Numbers, Numbers]:
    """The fine cells of segments in an area, and their trips."""
    cells = snapshot.data.cells
    outer = area.outer(CELL_SHIFT)
    rows = np.flatnonzero(cells.is_origin & outer.contains(cells.corner))
    found, trips = cells.fine_cells.take(rows), cells.fine_trips.take(rows)
    fine = np.repeat(cells.corner[rows] >> CELL_SHIFT << _FINE_BITS, found.counts) | found.values
    is_inside = area.contains(fine << FINE_SHIFT)
    return fine[is_inside], trips.values[is_inside].astype(np.int64)


def _add_uncompacted(reader: Reader, area: AxisArea, found: _Cells) -> None:
    """Add the origins of loads that are in no segment."""
    headers = reader.snapshot.data.origins
    headers = headers.take(~headers.is_compacted & (area.classify(headers.bounds) != OUTSIDE))
    scan = BlockScan.without_tests(headers, DELTAS, np.full(headers.size, -1))
    for _, blocks in read_blocks(reader.connection, reader.snapshot.cache, scan):
        positions = np.empty(blocks.trips, np.int64)
        list_positions(blocks.table, blocks.words, positions)
        found.add(*count_numbers(positions[area.contains(positions)] >> FINE_SHIFT + found.level))
        found.coarsen(_MOST_CELLS)
