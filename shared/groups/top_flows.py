"""Top flows: count flows in order of their origins, keep the largest, and count the trips of their locations.

    largest = LargestFlows(question, view)
    counter = OrderedFlows(largest, is_seen=True)
    for cells in …: counter.add(cells, complete_before=the first origin that may come from here on)
    counter.finish()

Of fine cells there are nearly as many flows as trips: a hash table of all of them is read at random, which takes longer than
sorting a quarter of a million trips at a time.
"""

from typing import Final

import numpy as np
import polars as pl

from shared.domain.area import AxisArea
from shared.domain.position import POSITION_BITS
from shared.groups.question import FlowQuestion
from shared.groups.top_k import TopK
from shared.kernels.bit_packing import count_bits
from shared.kernels.compiler import compile_kernel
from shared.kernels.pair_counter import PairCounter
from shared.kernels.radix_sort import count_numbers
from shared.platform.arrays import Numbers

Flows = tuple[Numbers, Numbers, Numbers]
"""Origin cells, destination cells, trips."""

_PAIR: Final = ("origin", "destination")
# Trips that are counted at once: 2 MB of keys.
_MOST_TRIPS: Final = 1 << 18
# Greater than any cell.
_LAST: Final = 1 << POSITION_BITS
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
        is_large = trips >= self._top.floor
        self._top.add(
            pl.DataFrame({"origin": origins[is_large], "destination": destinations[is_large], "trips": trips[is_large]})
        )

    def list_locations(self) -> dict[tuple[int, int], int]:
        """Trips of the shown flows' locations by cell and kind (OUT, IN, INTERNAL)."""
        shown = np.unique(np.concatenate([self.shown[name].to_numpy() for name in _PAIR]))
        cells, kinds, trips = self._locations.list_pairs()
        found = np.isin(cells, shown)
        keys = zip(cells[found].tolist(), kinds[found].tolist(), strict=True)
        return dict(zip(keys, trips[found].tolist(), strict=True))


class OrderedFlows:
    """Counts trips whose origins are roughly in order; holds only trips whose flows are not complete."""

    def __init__(self, largest: LargestFlows, *, is_seen: bool, most_trips: int = _MOST_TRIPS) -> None:
        """Count into largest. is_seen: all flows have a cell in the view. most_trips: held before they are counted."""
        self._largest = largest
        self._is_seen = is_seen
        self._found: list[Numbers] = []
        self._trips = 0
        self._most_trips = self._most = most_trips

    def add(self, cells: Numbers, *, complete_before: int) -> None:
        """Add trips. complete_before: no later trip begins before this origin cell. Shape: 2 by n: origins, destinations."""
        if self._trips > self._most:
            self._count(complete_before)
        self._found.append(cells)
        self._trips += cells.shape[1]

    def finish(self) -> None:
        """Count the remaining trips."""
        if self._found:
            self._count(_LAST)

    def _count(self, origin: int) -> None:
        flows, rest = _count_before(np.concatenate(self._found, axis=1), origin)
        self._found, self._trips = [rest], rest.shape[1]
        self._most = max(self._most_trips, 2 * self._trips)
        self._largest.add(flows, is_seen=self._is_seen)


def _count_before(cells: Numbers, origin: int) -> tuple[Flows, Numbers]:
    """Count the flows that begin before an origin cell; returns them and the other trips. Shape: 2 by n trips."""
    trips, first, last, low, high = _measure(cells, origin)
    if trips == 0:
        return (cells[0, :0], cells[1, :0], cells[0, :0]), cells
    bits = count_bits(high - low)
    if bits + count_bits(last - first) > POSITION_BITS:
        # Cells of centimetres, far apart: counted by their ranks.
        (origins, from_), (destinations, to) = (np.unique(column, return_inverse=True) for column in cells)
        flows, rest = _count_before(np.stack([from_, to]), int(np.searchsorted(origins, origin)))
        return (origins[flows[0]], destinations[flows[1]], flows[2]), np.stack([origins[rest[0]], destinations[rest[1]]])
    keys, rest = _make_keys(cells, (origin, trips), (first, low, bits))
    keys, counts = count_numbers(keys)
    return ((keys >> bits) + first, (keys & (1 << bits) - 1) + low, counts), rest


@compile_kernel
def _measure(cells: Numbers, origin: int) -> tuple[int, int, int, int, int]:
    """Count the trips from cells before an origin, and find the lowest and highest origin, and destination, of those."""
    trips = 0
    first, last, low, high = np.int64(_LAST), np.int64(0), np.int64(_LAST), np.int64(0)
    for i in range(cells.shape[1]):
        if cells[0, i] < origin:
            trips += 1
            first, last = min(first, cells[0, i]), max(last, cells[0, i])
            low, high = min(low, cells[1, i]), max(high, cells[1, i])
    return trips, first, last, low, high  # type: ignore[return-value]


@compile_kernel
def _make_keys(cells: Numbers, limit: tuple[int, int], least: tuple[int, int, int]) -> tuple[Numbers, Numbers]:
    """Pack each pair of cells that begins before an origin into one key; returns the keys and the other pairs.

    limit: that origin cell, and the number of pairs before it. least: the lowest origin and destination of those, and the bits of
    the range of destinations.
    """
    trips = cells.shape[1]
    keys, rest = np.empty(limit[1] + 1, np.int64), np.empty((2, trips - limit[1] + 1), np.int64)
    low, high = 0, 0
    # Branch-free, as branches would be mispredicted: each pair is written to both ends, and only one end advances.
    for i in range(trips):
        first, second = cells[0, i], cells[1, i]
        keys[low] = (first - least[0]) << least[2] | (second - least[1])
        rest[0, high], rest[1, high] = first, second
        low += first < limit[0]
        high += first >= limit[0]
    return keys[:low], rest[:, :high].copy()
