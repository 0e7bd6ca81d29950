"""Block bits: the columns of bits that a question reads of blocks, from this process's memory where it has read them before.

    for columns in stream_columns(connection, block_ids, words, needs): ...

A block never changes, and its number is random and never given again, not even by another database: what was read of it stays
true, and what is dropped by packing is asked for no more. Of a box's time finding and sending bits takes four fifths otherwise.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final

DELTAS, X, Y, TIMES = 1, 2, 4, 8
"""Columns of a block's bits, as parts of the number that says which ones a question needs."""

Columns = tuple[bytes | None, ...]

BIT_COLUMNS: Final = 4
NEEDED_COLUMNS: Final = [[column for column in range(BIT_COLUMNS) if needs >> column & 1] for needs in range(1 << BIT_COLUMNS)]


def _list_ranges(columns: Sequence[int]) -> list[list[int]]:
    """Part columns into those that lie side by side."""
    ranges: list[list[int]] = []
    for column in columns:
        if ranges and ranges[-1][-1] == column - 1:
            ranges[-1].append(column)
        else:
            ranges.append([column])
    return ranges


NO_COLUMNS: Final[Columns] = (None,) * BIT_COLUMNS
COLUMN_RANGES: Final = [_list_ranges(columns) for columns in NEEDED_COLUMNS]
# Beyond the last word of any block.
ALL_WORDS: Final = 1 << 27
_MIB: Final = 1 << 20
# What Python needs for a block and its columns besides their bits.
_ENTRY_BYTES: Final = 400


class BlockCache:
    """Columns of bits by block's number; the least recently used are dropped. Threads may share it."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._blocks: OrderedDict[int, Columns] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """How many blocks have some."""
        return len(self._blocks)

    def get(self, block_ids: Sequence[int]) -> list[Columns | None]:
        """Give what is here of each block."""
        with self._lock:
            found = [self._blocks.get(block_id) for block_id in block_ids]
            for block_id, columns in zip(block_ids, found, strict=True):
                if columns is not None:
                    self._blocks.move_to_end(block_id)
        return found

    def put(self, block_id: int, columns: Columns) -> None:
        """Keep a block's columns besides those that are here."""
        with self._lock:
            known = self._blocks.pop(block_id, None)
            if known is not None:
                self._bytes -= _measure(known)
                columns = tuple(new if old is None else old for old, new in zip(known, columns, strict=True))
            self._blocks[block_id] = columns
            self._bytes += _measure(columns)
            while self._bytes > self.limit_bytes and self._blocks:
                self._bytes -= _measure(self._blocks.popitem(last=False)[1])


BLOCK_BITS: Final = BlockCache(256 * _MIB)


def limit_block_bits(mib: int) -> None:
    """Say how much this process may keep. Unit: MiB; 0: nothing."""
    BLOCK_BITS.limit_bytes = mib * _MIB


def _measure(columns: Columns) -> int:
    return _ENTRY_BYTES + sum(len(column) for column in columns if column is not None)
