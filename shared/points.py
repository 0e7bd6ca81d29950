"""Points: one end of many trips as columns of numbers, sorted by region and position. What blocks, cells and flows are made of.

A stamp is hour << 32 | region << 16 | datasource, the hour counted from 0001-01-01 0 h, a Monday.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.bits import Numbers, compile_kernel, spread
from shared.position import AXIS_STEPS, Degrees, Positions
from shared.sorting import order_numbers

DAY_ONE: Final = date(1, 1, 1)


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

    def choose(self, chosen: npt.NDArray[Any]) -> "Points":
        """The points of an index."""
        return Points(self.ends[chosen], self.stamps[chosen], None if self.others is None else self.others[chosen])


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


@compile_kernel
def _quantise(degrees: float, half: float) -> int:
    return min(np.int64((degrees + half) / (2 * half) * AXIS_STEPS), AXIS_STEPS - 1)  # type: ignore[return-value]


@compile_kernel
def encode_positions(longitude: Degrees, latitude: Degrees) -> Positions:
    """Positions of many points, the same to the bit as encode_position.

    Shape: two arrays of n degrees → n int64. Raises: nothing; callers validate the range first.
    """
    positions = np.empty(len(longitude), np.int64)
    for place in range(len(longitude)):
        positions[place] = spread(_quantise(longitude[place], 180.0)) << 1 | spread(_quantise(latitude[place], 90.0))
    return positions


def sort_points(ends: Numbers, stamps: Numbers, others: Numbers | None = None) -> Points:
    """Sort one end of trips by region and position."""
    order = order_numbers(ends)
    regions = (stamps[order] >> 16).astype(np.uint16)
    if len(regions) and (regions != regions[0]).any():
        order = order[np.argsort(regions, kind="stable")]
    return Points(ends, stamps, others).choose(order)
