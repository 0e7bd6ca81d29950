"""Flow writer: trips per origin and destination cell, counted from sorted origins.

    flows = FlowCells(sorted_ends)
    rows = flows.make_rows(kinds)

A part of a compaction has few cells at either end, so pairs of cells are mostly counted in an array with an element for each: a
fraction of the time of sorting the trips.
"""

from typing import Final, NamedTuple

import numpy as np

from shared.compaction.sorted_ends import SortedEnds
from shared.index.layout import FLOW_SHIFT
from shared.kernels.bit_packing import pack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import gather
from shared.kernels.radix_sort import count_keys, count_numbers, number_kinds, sort_numbers
from shared.platform.arrays import Numbers, Words

# Most cells of a grid around all destinations: 8 MB. Beyond (trips between continents) the cells are sorted instead.
_GRID_CELLS: Final = 1 << 20


class FlowRows(NamedTuple):
    """Rows of flows of one origin cell each. Shape: n kinds; headers n by 5; two columns of bits (see pack_numbers).

    kinds: what kind of trips a row counts. headers: region, origin cell, flows, first and last destination cell.
    """

    kinds: Numbers
    headers: Numbers
    cells: tuple[Words, Numbers]
    trips: tuple[Words, Numbers]


class FlowCells:
    """The cells that trips join: origins' by region, and all destinations'. Raises: ValueError without other ends."""

    def __init__(self, sorted_ends: SortedEnds) -> None:
        if sorted_ends.others is None:
            raise ValueError("flows need both ends")
        starts = sorted_ends.list_cell_offsets(FLOW_SHIFT)
        number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(sorted_ends.positions)))
        ranks, self._destinations = _rank_cells(sorted_ends.others >> FLOW_SHIFT)
        self._pairs = number * len(self._destinations) + ranks
        self._headers = np.stack([sorted_ends.regions[starts], sorted_ends.positions[starts] >> FLOW_SHIFT], axis=1)

    def make_rows(self, kinds: Numbers | None = None) -> FlowRows:
        """Count the flows of each kind of trips; None: of all together. Shape: a kind of 0 to 65,535 for each trip."""
        found, numbers = (np.zeros(1, np.int64), 0) if kinds is None else number_kinds(kinds)
        pairs = len(self._headers) * len(self._destinations)
        keys, trips = count_keys(numbers * pairs + self._pairs, len(found) * pairs)
        rows, ranks = np.divmod(keys, len(self._destinations))
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        offsets = np.append(starts, len(keys))
        cells = self._destinations[ranks]
        steps = np.diff(cells, prepend=0)
        steps[starts] = 0
        kind, origin = np.divmod(rows[starts], len(self._headers))
        headers = np.column_stack([self._headers[origin], np.diff(offsets), cells[starts], cells[offsets[1:] - 1]])
        return FlowRows(found[kind], headers, pack_numbers(steps, offsets), pack_numbers(trips, offsets))


@compile_kernel
def _rank_cells(cells: Numbers) -> tuple[Numbers, Numbers]:
    """Rank each cell among the distinct ones. Shape: n cells → n ranks, m distinct cells in order."""
    ranks = np.empty(len(cells), np.int64)
    x, y = np.empty(len(cells), np.int64), np.empty(len(cells), np.int64)
    for i in range(len(cells)):
        x[i], y[i] = gather(cells[i] >> 1), gather(cells[i])
    west, south = x.min(), y.min()
    height = y.max() - south + 1
    if (x.max() - west + 1) * height > _GRID_CELLS:
        distinct, _ = count_numbers(cells)
        for i in range(len(cells)):
            ranks[i] = np.searchsorted(distinct, cells[i])
        return ranks, distinct
    grid = np.full((x.max() - west + 1) * height, -1, np.int64)
    for i in range(len(cells)):
        x[i] = (x[i] - west) * height + y[i] - south
        grid[x[i]] = cells[i]
    distinct = sort_numbers(grid[grid >= 0])
    for square in range(len(grid)):
        if grid[square] >= 0:
            grid[square] = np.searchsorted(distinct, grid[square])
    for i in range(len(cells)):
        ranks[i] = grid[x[i]]
    return ranks, distinct
