"""Ordered counter: count flows or groups in order of their origins, and hand over complete ones.

    counter = OrderedCounter(add, keys=2)
    counter.count(parts)       # parts: trips, and the first origin that may come from there on

Of fine cells there are nearly as many flows as trips: a hash table of all of them is read at random, which takes longer than
sorting a quarter of a million trips at a time.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from shared.domain.position import POSITION_BITS
from shared.kernels.bit_packing import count_bits
from shared.kernels.compiler import compile_kernel
from shared.kernels.radix_sort import count_numbers, order_numbers
from shared.platform.arrays import Flags, Numbers
from shared.platform.prefetch import work_ahead

# Trips that are counted at once: 2 MB of keys.
_MOST_TRIPS: Final = 1 << 18
# Parts that are read ahead: some 260,000 trips, 4 to 8 MB each.
_READ_AHEAD: Final = 3
# Greater than any cell.
_LAST: Final = 1 << POSITION_BITS


class OrderedCounter:
    """Counts trips whose origins are roughly in order; holds only trips whose flows or groups are not complete."""

    def __init__(self, add: Callable[[Numbers, Numbers], None], *, keys: int, most_trips: int = _MOST_TRIPS) -> None:
        """Hand complete keys and their trips over to add, in order. Shape: keys by n, n.

        keys: rows of a part that tell what a trip counts for; the first is the origin cell. A row more is numbers of trips.
        most_trips: held before they are counted.
        """
        self._add = add
        self._keys = keys
        self._found: list[Numbers] = []
        self._trips = 0
        self._most_trips = self._most = most_trips

    def count(self, parts: Iterable[tuple[Numbers, int]]) -> None:
        """Count all trips, in another thread. A part: trips, and an origin before which no later trip begins."""
        with ThreadPoolExecutor(1, thread_name_prefix="counter") as pool:
            for _ in work_ahead(pool, self._take, parts, ahead=_READ_AHEAD):
                pass
        if self._found:
            self._count_before(_LAST)

    def _take(self, part: tuple[Numbers, int]) -> None:
        found, complete_before = part
        if self._trips > self._most:
            self._count_before(complete_before)
        self._found.append(found)
        self._trips += found.shape[1]

    def _count_before(self, origin: int) -> None:
        keys, trips, rest = _count_before(np.concatenate(self._found, axis=1), origin, self._keys)
        self._found, self._trips = [rest], rest.shape[1]
        self._most = max(self._most_trips, 2 * self._trips)
        self._add(keys, trips)


def _count_before(found: Numbers, origin: int, keys: int) -> tuple[Numbers, Numbers, Numbers]:
    """Count the trips per key that begin before an origin cell; returns the keys in order, their trips, and the other trips."""
    complete, lows, highs = _measure(found, origin, keys)
    if complete == 0:
        return found[:keys, :0], found[0, :0], found
    widths = np.array([count_bits(high - low) for low, high in zip(lows.tolist(), highs.tolist(), strict=True)])
    if widths.sum() > POSITION_BITS:
        return _sort_before(found, found[0] < origin, keys)
    packed, numbers, rest = _pack(found, (origin, complete), (lows, widths))
    if len(numbers) == 0:
        packed, trips = count_numbers(packed)
    else:
        order = order_numbers(packed)
        starts = np.flatnonzero(np.diff(packed[order], prepend=-1))
        packed, trips = packed[order[starts]], np.add.reduceat(numbers[order], starts)
    return _unpack(packed, lows, widths), trips, rest


def _sort_before(found: Numbers, is_before: Flags, keys: int) -> tuple[Numbers, Numbers, Numbers]:
    """As _count_before where no number holds a key: cells of centimetres, far apart."""
    part = found[:, is_before]
    part = part[:, np.lexsort(part[keys - 1 :: -1])]
    starts = np.flatnonzero((np.diff(part[:keys], axis=1, prepend=-1) != 0).any(axis=0))
    numbers = part[keys] if len(part) > keys else np.ones(part.shape[1], np.int64)
    return part[:keys, starts], np.add.reduceat(numbers, starts), found[:, ~is_before]


@compile_kernel
def _measure(found: Numbers, origin: int, keys: int) -> tuple[int, Numbers, Numbers]:
    """Count the trips from cells before an origin, and find the lowest and the highest of each of their keys."""
    complete = 0
    for i in range(found.shape[1]):
        complete += found[0, i] < origin
    lows, highs = np.empty(keys, np.int64), np.empty(keys, np.int64)
    for row in range(keys):
        low, high = np.int64(_LAST), np.int64(0)
        for i in range(found.shape[1]):
            if found[0, i] < origin:
                low, high = min(low, found[row, i]), max(high, found[row, i])
        lows[row], highs[row] = low, high
    return complete, lows, highs


@compile_kernel
def _pack(found: Numbers, limit: tuple[int, int], ranges: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers, Numbers]:
    """Pack the keys of each trip that begins before an origin into one number; returns those, numbers of trips, and other trips.

    limit: that origin cell, and the trips before it. ranges: the lowest of each key, and the bits that its range takes.
    """
    lows, widths = ranges
    keys, (rows, trips) = len(lows), found.shape
    packed, rest = np.empty(limit[1] + 1, np.int64), np.empty((rows, trips - limit[1] + 1), np.int64)
    numbers = np.empty(limit[1] + 1 if rows > keys else 1, np.int64)
    low, high = 0, 0
    # Branch-free, as branches would be mispredicted: each trip is written to both ends, and only one end advances.
    for i in range(trips):
        key = found[0, i] - lows[0]
        for row in range(1, keys):
            key = key << widths[row] | found[row, i] - lows[row]
        packed[low] = key
        if rows > keys:
            numbers[low] = found[keys, i]
        for row in range(rows):
            rest[row, high] = found[row, i]
        is_before = found[0, i] < limit[0]
        low += is_before
        high += not is_before
    return packed[:low], numbers[: low if rows > keys else 0], rest[:, :high].copy()


@compile_kernel
def _unpack(packed: Numbers, lows: Numbers, widths: Numbers) -> Numbers:
    found = np.empty((len(lows), len(packed)), np.int64)
    for i in range(len(packed)):
        key = packed[i]
        for row in range(len(lows) - 1, -1, -1):
            found[row, i] = (key & (1 << widths[row]) - 1) + lows[row]
            key >>= widths[row]
    return found
