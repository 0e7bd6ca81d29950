"""Rows of run_flow: how many trips there are between cells, of sorted points of origins.

    flows = FlowCells(points)
    rows = flows.make_rows(hours)

A part of a packing has few cells at either end, so their pairs mostly get a place each to be counted at: a fraction of what
sorting the trips takes.
"""

from typing import Final, NamedTuple

import numpy as np

from shared.compaction.sorted_ends import Points
from shared.index.layout import FLOW_SHIFT
from shared.kernels.bit_packing import pack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import gather
from shared.kernels.radix_sort import count_keys, count_numbers, number_kinds, sort_numbers
from shared.platform.arrays import Numbers, Words

# Cells of a grid around all destinations: 8 MB. Of trips between continents the cells are sorted instead.
_GRID_CELLS: Final = 1 << 20


class FlowRows(NamedTuple):
    """Rows of run_flow: what kind of trips each counts, region, origin cell, flows, first and last destination cell; and as
    columns of bits (see pack_numbers) the destination cells and the trips. Shape: n, n by 5.
    """

    kinds: Numbers
    heads: Numbers
    cells: tuple[Words, Numbers]
    trips: tuple[Words, Numbers]


class FlowCells:
    """The cells that trips join: origins' by region, and all destinations'. Raises: ValueError for points without other ends."""

    def __init__(self, points: Points) -> None:
        if points.others is None:
            raise ValueError("flows need both ends")
        starts = points.list_starts(FLOW_SHIFT)
        number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(points.ends)))
        ranks, self._destinations = _rank_cells(points.others >> FLOW_SHIFT)
        self._pairs = number * len(self._destinations) + ranks
        self._heads = np.stack([points.regions[starts], points.ends[starts] >> FLOW_SHIFT], axis=1)

    def make_rows(self, kinds: Numbers | None = None) -> FlowRows:
        """Make the rows of run_flow for each kind of trips; None: one for all. Shape: a kind of 0 to 65,535 for each point."""
        found, numbers = (np.zeros(1, np.int64), 0) if kinds is None else number_kinds(kinds)
        pairs = len(self._heads) * len(self._destinations)
        keys, trips = count_keys(numbers * pairs + self._pairs, len(found) * pairs)
        rows, ranks = np.divmod(keys, len(self._destinations))
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        cuts = np.append(starts, len(keys))
        cells = self._destinations[ranks]
        steps = np.diff(cells, prepend=0)
        steps[starts] = 0
        kind, origin = np.divmod(rows[starts], len(self._heads))
        heads = np.column_stack([self._heads[origin], np.diff(cuts), cells[starts], cells[cuts[1:] - 1]])
        return FlowRows(found[kind], heads, pack_numbers(steps, cuts), pack_numbers(trips, cuts))


@compile_kernel
def _rank_cells(cells: Numbers) -> tuple[Numbers, Numbers]:
    """Number the cells among those that there are, in order. Shape: n cells → n numbers, m distinct cells."""
    ranks = np.empty(len(cells), np.int64)
    x, y = np.empty(len(cells), np.int64), np.empty(len(cells), np.int64)
    for place in range(len(cells)):
        x[place], y[place] = gather(cells[place] >> 1), gather(cells[place])
    west, south = x.min(), y.min()
    height = y.max() - south + 1
    if (x.max() - west + 1) * height > _GRID_CELLS:
        distinct, _ = count_numbers(cells)
        for place in range(len(cells)):
            ranks[place] = np.searchsorted(distinct, cells[place])
        return ranks, distinct
    grid = np.full((x.max() - west + 1) * height, -1, np.int64)
    for place in range(len(cells)):
        x[place] = (x[place] - west) * height + y[place] - south
        grid[x[place]] = cells[place]
    distinct = sort_numbers(grid[grid >= 0])
    for square in range(len(grid)):
        if grid[square] >= 0:
            grid[square] = np.searchsorted(distinct, grid[square])
    for place in range(len(cells)):
        ranks[place] = grid[x[place]]
    return ranks, distinct
