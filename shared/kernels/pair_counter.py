"""Pair counter: a hash table from two keys, such as origin and destination cell, to a sum of trips.

    counter = PairCounter()
    counter.add(origins, destinations, trips)
    origins, destinations, trips = counter.list_pairs()

A tenth of the time of a group-by, where the same few flows recur in every batch of blocks.
"""

from typing import Final

import numpy as np

from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers

_FIRST_SLOTS: Final = 1 << 12
# Odd multipliers with well-mixed bits (from the golden ratio and xxHash) spread neighbouring cells over the table.
_STIR: Final = (0x1E37_79B9_7F4A_7C15, 0x42B2_AE3D_27D4_EB4F)


class PairCounter:
    """Sums of trips per pair of keys."""

    def __init__(self, slots: int = _FIRST_SLOTS) -> None:
        """Make a table. slots: a power of two; the table grows when half of them are used."""
        self._slots = np.zeros((slots, 3), np.int64)
        self._used = 0

    def add(self, origins: Numbers, destinations: Numbers, trips: Numbers | None = None) -> None:
        """Add numbers of trips, 1 or more; one each where they are left out. Shape: n each."""
        numbers = np.ones(1, np.int64) if trips is None else trips
        done = 0
        while True:
            done, self._used = _add_pairs(self._slots, self._used, (origins, destinations, numbers), done)
            if done == len(origins):
                return
            filled = self.list_pairs()
            self._slots = np.zeros((4 * len(self._slots), 3), np.int64)
            self._used = _add_pairs(self._slots, 0, tuple(filled), 0)[1]

    def list_pairs(self) -> Numbers:
        """All pairs, unordered. Shape: 3 by n: origins, destinations, trips."""
        return _list_pairs(self._slots, self._used)

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return self._used

    @property
    def slots(self) -> Numbers:
        """The table, for find_pair."""
        return self._slots


@compile_kernel
def _first_slot(origin: int, destination: int, size: int) -> int:
    stirred = (origin * _STIR[0] + destination) * _STIR[1]
    return (stirred >> 24 ^ stirred >> 44) & (size - 1)


@compile_kernel
def find_pair(slots: Numbers, origin: int, destination: int) -> int:
    """The trips of a pair in a counter's table; 0 without the pair."""
    size = len(slots)
    slot = _first_slot(origin, destination, size)
    while slots[slot, 2] and (slots[slot, 0] != origin or slots[slot, 1] != destination):
        slot = (slot + 1) & (size - 1)
    return int(slots[slot, 2])


@compile_kernel
def _list_pairs(slots: Numbers, used: int) -> Numbers:
    pairs = np.empty((3, used), np.int64)
    found = 0
    for slot in range(len(slots)):
        if slots[slot, 2]:
            for column in range(3):
                pairs[column, found] = slots[slot, column]
            found += 1
    return pairs


@compile_kernel
def _add_pairs(slots: Numbers, used: int, pairs: tuple[Numbers, Numbers, Numbers], first: int) -> tuple[int, int]:
    """Add pairs from the first on until all are added or the table is half full; returns the next pair and the slots in use."""
    origins, destinations, trips = pairs
    size = len(slots)
    for pair in range(first, len(origins)):
        if 2 * used >= size:
            return pair, used
        origin, destination = origins[pair], destinations[pair]
        slot = _first_slot(origin, destination, size)
        while slots[slot, 2] and (slots[slot, 0] != origin or slots[slot, 1] != destination):
            slot = (slot + 1) & (size - 1)
        if slots[slot, 2] == 0:
            slots[slot, 0], slots[slot, 1] = origin, destination
            used += 1
        slots[slot, 2] += trips[pair if len(trips) > 1 else 0]
    return len(origins), used
