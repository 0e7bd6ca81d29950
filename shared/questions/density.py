"""Density: trip origins per cell, in the finest cells of which there are at most a given number. The map's ground layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from shared.domain.area import WHOLE_WORLD, AxisArea, Box
from shared.domain.position import Positions, cell_middles
from shared.index.layout import CELL_SHIFT, FINE_SHIFT
from shared.index.snapshot import StaleError, fetch_uncompacted_loads, retry_stale
from shared.services.database import execute, stream_rows

# Bits of one level of the cell pyramid: half the rows, half the columns.
_STEP_BITS: Final = 2
# Most distinct cells while blocks are read; more are coarsened at once.
_MOST_CELLS: Final = 250_000
# Blocks read at once, of some 1,000 trips each, before their cells are merged.
_ROWS: Final = 256


@dataclass(frozen=True, slots=True)
class CellCount:
    """Trip ends in one cell of the density map; longitude and latitude are its middle. Units: degrees."""

    longitude: float
    latitude: float
    trips: int


def fetch_density(connection: Connection, *, viewport: Box | None = None, limit: int = 30_000) -> list[CellCount]:
    """Count trip origins per cell, most first, in the cells the viewport touches: the finest of which there are at most limit."""
    area = viewport.area().outer(FINE_SHIFT) if viewport else WHOLE_WORLD
    if area.is_empty:
        return []
    rows = retry_stale(lambda: _list_cells(connection, viewport, area, limit=limit))
    if rows[0].cell is None:
        return []
    longitudes, latitudes = cell_middles(np.array([row.cell for row in rows]), rows[0].shift)
    return [
        CellCount(longitude, latitude, row.trips)
        for longitude, latitude, row in zip(longitudes.tolist(), latitudes.tolist(), rows, strict=True)
    ]


def _list_cells(connection: Connection, viewport: Box | None, area: AxisArea, *, limit: int) -> Sequence[Any]:
    """Rows of list_density, at least one. Raises: StaleError."""
    areas = {
        "area": area.bounds() if viewport else None,
        "cell_area": area.outer(CELL_SHIFT).bounds() if viewport else None,
    }
    loads = fetch_uncompacted_loads(connection)
    has_blocks = loads["uncompacted_loads"] != loads["unindexed_loads"]
    uncompacted = _count_blocks(connection, area, loads, limit=limit) if has_blocks else _Cells()
    known = {"least_level": uncompacted.level, "cells": uncompacted.cells.tolist(), "cell_trips": uncompacted.trips.tolist()}
    rows = execute(connection, "list_density", **areas, **loads, **known, limit=limit).all()
    if not rows[0].is_current:
        raise StaleError
    return rows


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


def _count_blocks(connection: Connection, area: AxisArea, loads: Mapping[str, object], *, limit: int) -> _Cells:
    """Count the origins of uncompacted loads that have blocks, in at most limit cells."""
    # Imported here: where all loads are compacted no compiled kernels are needed.
    from shared.index.block_fetch import decode_blocks
    from shared.index.block_header import BlockHeader, EncodedBlock
    from shared.index.scan_kernels import list_positions
    from shared.kernels.radix_sort import count_numbers

    found = _Cells()
    for rows in stream_rows(connection, "list_origin_blocks", {"area": area.bounds(), **loads}, rows=_ROWS):
        blocks = decode_blocks(EncodedBlock(BlockHeader(row.trips, base=row.base), row.week_index, row.deltas) for row in rows)
        positions = np.empty(blocks.trips, np.int64)
        list_positions(blocks.table, blocks.words, positions)
        found.add(*count_numbers(positions[area.contains(positions)] >> FINE_SHIFT + found.level))
        found.coarsen(_MOST_CELLS)
    found.coarsen(limit)
    return found
