"""Points: one end of many trips as columns of numbers, sorted by region and position. What blocks, cells and flows are made of.

A stamp is hour << 32 | region << 16 | datasource, the hour counted from 0001-01-01 0 h, a Monday.
"""

from dataclasses import dataclass

import numpy as np

from shared.kernels.compiler import compile_kernel
from shared.kernels.radix_sort import order_numbers
from shared.platform.arrays import Numbers


@dataclass(frozen=True, slots=True)
class Points:
    """One end of trips, by region and position. Shape: n each; others, the other ends, only of origins."""

    ends: Numbers
    stamps: Numbers
    others: Numbers | None = None

    @property
    def regions(self) -> Numbers:
        """Each trip's region."""
        return self.stamps >> 16 & 65_535

    def list_starts(self, shift: int) -> Numbers:
        """List where each cell of position >> shift of a region begins."""
        return _list_starts(self.ends, self.stamps, shift)

    def place(self, order: Numbers) -> "Points":
        """Put them in another order."""
        columns = _place((self.ends, self.stamps, self.ends[:0] if self.others is None else self.others), order)
        return Points(*(columns[:2] if self.others is None else columns))


@compile_kernel
def _list_starts(ends: Numbers, stamps: Numbers, shift: int) -> Numbers:
    starts, count = np.empty(len(ends), np.int64), 0
    cell, region = np.int64(-1), np.int64(-1)
    for place in range(len(ends)):
        this, its = ends[place] >> shift, stamps[place] >> 16 & 65_535
        starts[count] = place
        count += (this != cell) | (its != region)
        cell, region = this, its
    return starts[:count].copy()


def sort_points(ends: Numbers, stamps: Numbers, others: Numbers | None = None) -> Points:
    """Sort one end of trips by region and position."""
    order = order_numbers(ends)
    if _has_regions(stamps):
        regions = (stamps[order] >> 16).astype(np.uint16)
        order = order[np.argsort(regions, kind="stable")]
    return Points(ends, stamps, others).place(order)


@compile_kernel
def _has_regions(stamps: Numbers) -> bool:
    """Whether there are trips of several regions."""
    varying = np.int64(0)
    for stamp in stamps:
        varying |= stamp ^ stamps[0]
    return varying >> 16 & 65_535 != 0  # type: ignore[no-any-return]


@compile_kernel
def _place(columns: tuple[Numbers, Numbers, Numbers], order: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Put columns in order, all at once, which is half the work of one after the other; the third may be empty."""
    ends, stamps, others = columns
    placed = np.empty_like(ends), np.empty_like(stamps), np.empty_like(others)
    has_others = len(others) > 0
    for place in range(len(order)):
        number = order[place]
        placed[0][place], placed[1][place] = ends[number], stamps[number]
        if has_others:
            placed[2][place] = others[number]
    return placed
