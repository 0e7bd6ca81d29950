"""Points: one end of many trips as columns of numbers, sorted by region and position. What blocks, cells and flows are made of.

A stamp is hour << 32 | region << 16 | datasource, the hour counted from 0001-01-01 0 h, a Monday.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.bits import Numbers
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
        keys = np.stack([self.ends >> shift, self.regions])
        return np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)))

    def choose(self, chosen: npt.NDArray[Any]) -> "Points":
        """The points of an index."""
        return Points(self.ends[chosen], self.stamps[chosen], None if self.others is None else self.others[chosen])


def sort_points(ends: Numbers, stamps: Numbers, others: Numbers | None = None) -> Points:
    """Sort one end of trips by region and position."""
    order = order_numbers(ends)
    regions = (stamps[order] >> 16).astype(np.uint16)
    if len(regions) and (regions != regions[0]).any():
        order = order[np.argsort(regions, kind="stable")]
    return Points(ends, stamps, others).choose(order)
