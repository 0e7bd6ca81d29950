"""Sorted ends: one end of many trips as columns, sorted by region and position. Blocks, cells and flows are made of them."""

from dataclasses import dataclass

import numpy as np

from shared.index.stamps import get_region
from shared.kernels.compiler import compile_kernel
from shared.kernels.radix_sort import order_numbers
from shared.platform.arrays import Numbers


@dataclass(frozen=True, slots=True)
class SortedEnds:
    """One end of trips, sorted by region and position. Shape: n each; others (the other ends) are there for origins only."""

    positions: Numbers
    stamps: Numbers
    durations: Numbers
    others: Numbers | None = None

    @property
    def regions(self) -> Numbers:
        """Each trip's region."""
        regions: Numbers = get_region(self.stamps)
        return regions

    def list_cell_offsets(self, shift: int) -> Numbers:
        """Offsets of the first trip of each cell (position >> shift) of each region."""
        return _list_cell_offsets(self.positions, self.stamps, shift)

    def reorder(self, order: Numbers) -> "SortedEnds":
        """The same trips in another order. Shape: order has n indexes."""
        others = self.positions[:0] if self.others is None else self.others
        columns = _reorder((self.positions, self.stamps, self.durations, others), order)
        return SortedEnds(*(columns[:3] if self.others is None else columns))


@compile_kernel
def _list_cell_offsets(ends: Numbers, stamps: Numbers, shift: int) -> Numbers:
    offsets, count = np.empty(len(ends), np.int64), 0
    cell, region = np.int64(-1), np.int64(-1)
    for i in range(len(ends)):
        this, its = ends[i] >> shift, get_region(stamps[i])
        offsets[count] = i
        count += (this != cell) | (its != region)
        cell, region = this, its
    return offsets[:count].copy()


def sort_ends(ends: Numbers, stamps: Numbers, durations: Numbers, *, others: Numbers | None = None) -> SortedEnds:
    """Sort one end of trips by region and position. durations: codes."""
    order = order_numbers(ends)
    if _has_regions(stamps):
        regions = get_region(stamps[order]).astype(np.uint16)
        order = order[np.argsort(regions, kind="stable")]
    return SortedEnds(ends, stamps, durations, others).reorder(order)


@compile_kernel
def _has_regions(stamps: Numbers) -> bool:
    """Whether the trips are of several regions."""
    varying = np.int64(0)
    for stamp in stamps:
        varying |= stamp ^ stamps[0]
    return get_region(varying) != 0  # type: ignore[no-any-return]


@compile_kernel
def _reorder(columns: tuple[Numbers, Numbers, Numbers, Numbers], order: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Reorder four columns in one pass: half the time of one after the other. The last may be empty."""
    ends, stamps, durations, others = columns
    placed = np.empty_like(ends), np.empty_like(stamps), np.empty_like(durations), np.empty_like(others)
    has_others = len(others) > 0
    for i in range(len(order)):
        number = order[i]
        placed[0][i], placed[1][i], placed[2][i] = ends[number], stamps[number], durations[number]
        if has_others:
            placed[3][i] = others[number]
    return placed
