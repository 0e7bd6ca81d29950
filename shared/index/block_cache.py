"""Block cache: columns of bits of blocks in this process's memory, ready for the kernels.

    with cache.find(block_ids, needs) as found:
        found.offsets        # where each column begins in cache.words

Pages of one arena hold the columns; when all pages are used, the least recently used one is emptied, unless someone reads it. A
block is immutable, and its id is random and never reused, not even by another database: cached columns are always valid, and
those of deleted blocks age out. Kernels read the arena in place: a question whose columns are cached copies nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Final, NamedTuple

import numpy as np

from shared.kernels.offset_table import ABSENT, OffsetTable
from shared.platform.arrays import Numbers, Words

DELTAS, X, Y, TIMES, DURATIONS, MINUTES = 1, 2, 4, 8, 16, 32
"""Columns of a block's bits, as flags of the columns that a question needs."""

BIT_COLUMNS: Final = 6
_MIB: Final = 1 << 20
# One MiB: a hundred columns are evicted at a time, and a column, 32 KB at most, leaves little of a page unused.
_PAGE_WORDS: Final = _MIB // 8


class CachedColumns(NamedTuple):
    """Where columns begin in the arena, in words. Shape: n by BIT_COLUMNS; ABSENT: not needed, or not cached."""

    offsets: Numbers


class BlockCache:
    """Columns of bits by block id. Thread-safe. lookups, hits: columns that were needed, and those that were cached."""

    def __init__(self, limit_mib: int) -> None:
        """Reserve address space; memory is taken as columns come. limit_mib: 0 caches nothing."""
        self._pages = limit_mib
        # Kernels may read a word beyond the last column.
        self.words: Words = np.empty(limit_mib * _PAGE_WORDS + 1, np.uint64)
        self._table = OffsetTable()
        self._keys: list[list[tuple[int, int]]] = [[] for _ in range(limit_mib)]
        self._last_use = np.zeros(limit_mib, np.int64)
        self._readers = np.zeros(limit_mib, np.int64)
        self._page = self._used_words = self._time = 0
        self.lookups = self.hits = 0
        self._lock = Lock()

    @property
    def limit_words(self) -> int:
        """Words of all pages."""
        return self._pages * _PAGE_WORDS

    def __len__(self) -> int:
        """Number of cached columns."""
        return sum(map(len, self._keys))

    @contextmanager
    def find(self, block_ids: Numbers, needs: Numbers) -> Iterator[CachedColumns]:
        """Find the columns that are needed, and keep them cached meanwhile. needs: flags of the columns. Shape: n each."""
        columns = np.arange(BIT_COLUMNS)
        ids = np.repeat(block_ids, BIT_COLUMNS)
        with self._lock:
            offsets = self._table.find(ids, np.tile(columns, len(block_ids))).reshape(-1, BIT_COLUMNS)
            offsets[needs[:, None] >> columns & 1 == 0] = ABSENT
            pages = np.unique(offsets[offsets != ABSENT] // _PAGE_WORDS)
            self.lookups += int(np.bitwise_count(needs).sum())
            self.hits += int((offsets != ABSENT).sum())
            self._time += 1
            self._last_use[pages] = self._time
            self._readers[pages] += 1
        try:
            yield CachedColumns(offsets)
        finally:
            with self._lock:
                self._readers[pages] -= 1

    def put(self, keys: Sequence[tuple[int, int]], columns: Sequence[Words]) -> None:
        """Cache columns, as far as there are pages that nobody reads. keys: block ids, and numbers of columns."""
        if not self._pages:
            return
        with self._lock:
            self._time += 1
            known = self._table.find(*_split(keys))
            for key, column, offset in zip(keys, columns, known.tolist(), strict=True):
                if offset != ABSENT:
                    continue  # another question read it, too
                if self._used_words + len(column) > _PAGE_WORDS and not self._turn_page():
                    return
                start = self._page * _PAGE_WORDS + self._used_words
                self.words[start : start + len(column)] = column
                self._used_words += len(column)
                self._last_use[self._page] = self._time
                self._keys[self._page].append(key)
                self._table.set(*_split([key]), np.array([start]))

    def _turn_page(self) -> bool:
        """Begin an empty page; False when all are being read."""
        free = np.flatnonzero(self._readers == 0)
        free = free[free != self._page]
        if len(free) == 0:
            return False
        page = int(free[np.argmin(self._last_use[free])])
        if self._keys[page]:
            self._table.set(*_split(self._keys[page]), np.full(len(self._keys[page]), ABSENT))
        self._keys[page] = []
        self._page, self._used_words = page, 0
        return True


def _split(keys: Sequence[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    ids, columns = np.array(keys, np.int64).T
    return ids.copy(), columns.copy()
