"""Block cache: columns of bits of blocks in this process's memory, carried by an engine.

    engine = cache_blocks(connect_database(settings), mib=settings.block_cache_mib)

The connections of the engine share one cache. A block is immutable, and its id is random and never reused, not even by another
database: cached columns are always valid, and those of deleted blocks age out. Without the cache, reading and sending bits takes
four fifths of the time of a box.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final

from sqlalchemy import Connection, Engine

DELTAS, X, Y, TIMES = 1, 2, 4, 8
"""Columns of a block's bits, as flags of the columns that a question needs."""

Columns = tuple[bytes | None, ...]

BIT_COLUMNS: Final = 4
NEEDED_COLUMNS: Final = [[column for column in range(BIT_COLUMNS) if needs >> column & 1] for needs in range(1 << BIT_COLUMNS)]


def _list_ranges(columns: Sequence[int]) -> list[list[int]]:
    """Group columns into ranges of adjacent ones."""
    ranges: list[list[int]] = []
    for column in columns:
        if ranges and ranges[-1][-1] == column - 1:
            ranges[-1].append(column)
        else:
            ranges.append([column])
    return ranges


NO_COLUMNS: Final[Columns] = (None,) * BIT_COLUMNS
COLUMN_RANGES: Final = [_list_ranges(columns) for columns in NEEDED_COLUMNS]
# Greater than the length of any block, in words.
ALL_WORDS: Final = 1 << 27
_MIB: Final = 1 << 20
# Memory of a Python entry for a block, besides its bits.
_ENTRY_BYTES: Final = 400
_OPTION: Final = "tripdeck_block_cache"


class BlockCache:
    """Columns of bits by block id; the least recently used are dropped. Thread-safe."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._blocks: OrderedDict[int, Columns] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """Number of blocks with cached columns."""
        return len(self._blocks)

    def get(self, block_ids: Sequence[int]) -> list[Columns | None]:
        """The cached columns of each block; None for a block without any."""
        with self._lock:
            found = [self._blocks.get(block_id) for block_id in block_ids]
            for block_id, columns in zip(block_ids, found, strict=True):
                if columns is not None:
                    self._blocks.move_to_end(block_id)
        return found

    def put(self, block_id: int, columns: Columns) -> None:
        """Cache columns of a block besides those that are cached."""
        with self._lock:
            cached = self._blocks.pop(block_id, None)
            if cached is not None:
                self._bytes -= _measure(cached)
                columns = tuple(new if old is None else old for old, new in zip(cached, columns, strict=True))
            self._blocks[block_id] = columns
            self._bytes += _measure(columns)
            while self._bytes > self.limit_bytes and self._blocks:
                self._bytes -= _measure(self._blocks.popitem(last=False)[1])


def cache_blocks(engine: Engine, *, mib: int) -> Engine:
    """Make an engine with the same connections and a new block cache. mib: its limit in MiB; 0: nothing is cached."""
    return engine.execution_options(**{_OPTION: BlockCache(mib * _MIB)})


def get_block_cache(connection: Connection) -> BlockCache:
    """The block cache of the connection's engine; an empty one of no size where the engine has none."""
    cache: BlockCache | None = connection.get_execution_options().get(_OPTION)
    return BlockCache(0) if cache is None else cache


def _measure(columns: Columns) -> int:
    return _ENTRY_BYTES + sum(len(column) for column in columns if column is not None)
