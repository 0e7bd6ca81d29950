"""Rows of run_flow: how many trips there are between cells, of sorted points of origins.

    flows = FlowCells(points)
    for kind, row in flows.make_rows(hours): ...

A part of a packing has few cells at either end, so their pairs mostly get a place each to be counted at: a fraction of what
sorting the trips takes.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from shared.bits import Numbers, compile_kernel, gather, list_columns, pack_numbers
from shared.points import Points
from shared.run_writing import Row
from shared.sorting import count_numbers, sort_numbers

FLOW_SHIFT: Final = 32
# Places to count at, for each trip: more take longer to look through than trips to sort.
_PLACES_PER_TRIP: Final = 8
_LEAST_PLACES: Final = 4_096
# Cells of a grid around all destinations: 8 MB. Of trips between continents the cells are sorted instead.
_GRID_CELLS: Final = 1 << 20
_KINDS: Final = 65_536


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

    def make_rows(self, kinds: Numbers) -> Iterator[tuple[int, Row]]:
        """Make the rows of run_flow for each kind of trips: the kind, and region and the columns after slot.

        Shape: a kind of 0 to 65,535 for each point.
        """
        found, numbers = _number_kinds(kinds)
        pairs = len(self._heads) * len(self._destinations)
        keys, trips = _count_keys(numbers * pairs + self._pairs, len(found) * pairs)
        rows, ranks = np.divmod(keys, len(self._destinations))
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        cuts = np.append(starts, len(keys))
        cells = self._destinations[ranks]
        steps = np.diff(cells, prepend=0)
        steps[starts] = 0
        columns = zip(list_columns(*pack_numbers(steps, cuts)), list_columns(*pack_numbers(trips, cuts)), strict=True)
        kind, origin = np.divmod(rows[starts], len(self._heads))
        heads = np.column_stack([self._heads[origin], np.diff(cuts), cells[starts], cells[cuts[1:] - 1]])
        for number, head, column in zip(found[kind].tolist(), heads.tolist(), columns, strict=True):
            yield number, (*head, *column)


def _number_kinds(kinds: Numbers) -> tuple[Numbers, Numbers]:
    """List the kinds that there are, and number each trip's among them."""
    found = np.flatnonzero(np.bincount(kinds, minlength=1))
    if len(found) == 1:
        return found, np.zeros_like(kinds)
    numbers = np.zeros(_KINDS, np.int64)
    numbers[found] = np.arange(len(found))
    return found, numbers[kinds]


def _count_keys(keys: Numbers, places: int) -> tuple[Numbers, Numbers]:
    """Count how often each key from 0 to places occurs. Shape: m distinct ones in order, and m counts."""
    if places > max(_LEAST_PLACES, _PLACES_PER_TRIP * len(keys)):
        return count_numbers(keys)
    counts = np.bincount(keys, minlength=places)
    found = np.flatnonzero(counts)
    return found, counts[found]


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
