"""Pairs: numbers of trips added up by origin and destination cell, in a table that hashes both.

    counter = PairCounter()
    counter.add(origins, destinations, trips)
    origins, destinations, trips = counter.list_pairs()

A tenth of the time that grouping columns takes, where the same few flows come again and again in every batch of blocks.
"""

from typing import Final

import numpy as np

from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers

_FIRST_SLOTS: Final = 1 << 12
# Odd numbers with bits all over (from the golden ratio and xxHash), so that neighbouring cells go to slots far apart.
_STIR: Final = (0x1E37_79B9_7F4A_7C15, 0x42B2_AE3D_27D4_EB4F)


class PairCounter:
    """Trips per pair."""

    def __init__(self, slots: int = _FIRST_SLOTS) -> None:
        """Make a table of so many slots, a power of two; it grows as soon as half of them are in use."""
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
        """List the pairs in no order. Shape: 3 by n: origins, destinations, trips."""
        return _list_pairs(self._slots, self._used)

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return self._used

    @property
    def slots(self) -> Numbers:
        """The table itself, for find_pair."""
        return self._slots


@compile_kernel
def _first_slot(origin: int, destination: int, size: int) -> int:
    stirred = (origin * _STIR[0] + destination) * _STIR[1]
    return (stirred >> 24 ^ stirred >> 44) & (size - 1)


@compile_kernel
def find_pair(slots: Numbers, origin: int, destination: int) -> int:
    """Give the trips of a pair in a counter's table; 0 where it isn't there."""
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
