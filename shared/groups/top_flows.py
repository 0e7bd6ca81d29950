"""Top flows: keep the largest of counted flows, and count the trips of their locations."""

from typing import Final

import numpy as np
import polars as pl

from shared.domain.area import AxisArea
from shared.groups.question import FlowQuestion
from shared.groups.top_k import TopK
from shared.kernels.pair_counter import PairCounter
from shared.platform.arrays import Numbers

Flows = tuple[Numbers, Numbers, Numbers]
"""Origin cells, destination cells, trips."""

_PAIR: Final = ("origin", "destination")
# Trips of a location: from it to others, to it from others, within it.
OUT, IN, INTERNAL = range(3)


class LargestFlows:
    """The largest flows of those that were added, after the last flow of the former page; and all trips of their locations."""

    def __init__(self, question: FlowQuestion, view: AxisArea | None) -> None:
        """Take only flows with a cell in the view; None: all flows."""
        self._question = question
        self._view = view
        self._locations = PairCounter()
        self._top = TopK(_PAIR, limit=question.limit, after=question.after_key)
        self.trips = 0

    @property
    def shown(self) -> pl.DataFrame:
        """The largest flows, in order. Shape: columns origin, destination, trips."""
        return self._top.rows

    def add(self, flows: Flows, *, is_seen: bool = False) -> None:
        """Add complete flows. is_seen: all have a cell in the view. Shape: n each."""
        self.trips += int(flows[2].sum())
        if self._view is not None and not is_seen:
            shift = self._question.cell_shift
            touches = self._view.contains(flows[0] << shift) | self._view.contains(flows[1] << shift)
            flows = (flows[0][touches], flows[1][touches], flows[2][touches])
        origins, destinations, trips = flows
        is_internal = origins == destinations
        self._locations.add(destinations, np.where(is_internal, INTERNAL, IN), trips)
        leaving = np.where(is_internal, 0, trips)
        if len(origins):
            starts = np.flatnonzero(np.diff(origins, prepend=-1))
            out = np.add.reduceat(leaving, starts)
            self._locations.add(origins[starts][out > 0], np.full(int((out > 0).sum()), OUT), out[out > 0])
        self._top.add((origins, destinations), trips)

    def list_locations(self) -> dict[tuple[int, int], int]:
        """Trips of the shown flows' locations by cell and kind (OUT, IN, INTERNAL)."""
        shown = np.unique(np.concatenate([self.shown[name].to_numpy() for name in _PAIR]))
        cells, kinds, trips = self._locations.list_pairs()
        found = np.isin(cells, shown)
        keys = zip(cells[found].tolist(), kinds[found].tolist(), strict=True)
        return dict(zip(keys, trips[found].tolist(), strict=True))
