"""Offset table: a hash table from the id of a block and one of its columns to an offset.

table = OffsetTable()
table.set(block_ids, columns, offsets)       # -1 removes
table.find(block_ids, columns)               # -1 where there is none
"""

from typing import Final

import numpy as np

from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers

_FIRST_SLOTS: Final = 1 << 10
ABSENT: Final = -1
# Odd multipliers with well-mixed bits, as in pair_counter.py. Keys are id and column; a slot that was never used has column -1.
_STIR: Final = (0x1E37_79B9_7F4A_7C15, 0x42B2_AE3D_27D4_EB4F)


class OffsetTable:
    """Offsets by id and column. Not thread-safe."""

    def __init__(self) -> None:
        self._slots = _make_slots(_FIRST_SLOTS)
        self._used = 0

    def __len__(self) -> int:
        """Number of slots."""
        return len(self._slots)

    def find(self, ids: Numbers, columns: Numbers) -> Numbers:
        """The offset of each; ABSENT where there is none. Shape: n each → n."""
        return _find(self._slots, ids, columns)

    def set(self, ids: Numbers, columns: Numbers, offsets: Numbers) -> None:
        """Set offsets; ABSENT removes. Shape: n each."""
        if 2 * (self._used + len(ids)) > len(self._slots):
            # Slots of removed keys are given up here.
            left = self._slots[self._slots[:, 2] != ABSENT]
            size = len(self._slots)
            while 3 * (len(left) + len(ids)) > size:
                size *= 2
            self._slots = _make_slots(size)
            self._used = _set(self._slots, left[:, 0].copy(), left[:, 1].copy(), left[:, 2].copy())
        self._used += _set(self._slots, ids, columns, offsets)


def _make_slots(size: int) -> Numbers:
    slots = np.empty((size, 3), np.int64)
    slots[:, 1:] = ABSENT
    return slots


@compile_kernel
def _find_slot(slots: Numbers, key: int, column: int) -> int:
    """The slot of a key, or the one that is free for it."""
    size = len(slots)
    stirred = (key * _STIR[0] + column) * _STIR[1]
    slot = (stirred >> 24 ^ stirred >> 44) & (size - 1)
    while slots[slot, 1] >= 0 and (slots[slot, 0] != key or slots[slot, 1] != column):
        slot = (slot + 1) & (size - 1)
    return slot


@compile_kernel
def _find(slots: Numbers, ids: Numbers, columns: Numbers) -> Numbers:
    found = np.empty(len(ids), np.int64)
    for i in range(len(ids)):
        found[i] = slots[_find_slot(slots, ids[i], columns[i]), 2]
    return found


@compile_kernel
def _set(slots: Numbers, ids: Numbers, columns: Numbers, offsets: Numbers) -> int:
    """Set offsets; returns how many slots were free before."""
    added = 0
    for i in range(len(ids)):
        slot = _find_slot(slots, ids[i], columns[i])
        added += slots[slot, 1] < 0
        slots[slot, 0], slots[slot, 1], slots[slot, 2] = ids[i], columns[i], offsets[i]
    return added
