"""Block cache: which columns are cached, what is evicted at the limit, and what readers keep."""

import numpy as np

from shared.index.block_cache import BIT_COLUMNS, DELTAS, TIMES, BlockCache, X
from shared.kernels.offset_table import ABSENT
from shared.platform.arrays import Words

PAGE_COLUMNS = 32
# So many fill a page of a MiB.
SIZE = (1 << 17) // PAGE_COLUMNS


def make_column(number: int, size: int = SIZE) -> Words:
    return np.full(size, number, np.uint64)


def put(cache: BlockCache, block_ids: range, column: int = 0) -> None:
    cache.put([(block_id, column) for block_id in block_ids], [make_column(block_id) for block_id in block_ids])


def find(cache: BlockCache, block_ids: range, needs: int = DELTAS) -> list[int | None]:
    """What the first needed column of each block holds; None where it is not cached."""
    with cache.find(np.array(block_ids, np.int64), np.full(len(block_ids), needs)) as found:
        column = next(flag for flag in range(BIT_COLUMNS) if needs >> flag & 1)
        return [None if at == ABSENT else int(cache.words[at]) for at in found.offsets[:, column].tolist()]


def test_only_needed_columns_are_found() -> None:
    cache = BlockCache(2)
    cache.put([(7, 0), (7, 3), (8, 1)], [make_column(1, 3), make_column(2, 1), make_column(3, 2)])
    with cache.find(np.array([7, 8, 9]), np.array([DELTAS | X, X, DELTAS])) as found:
        assert np.argwhere(found.offsets != ABSENT).tolist() == [[0, 0], [1, 1]]
        assert [cache.words[at] for at in (found.offsets[0, 0], found.offsets[1, 1])] == [1, 3]
    assert find(cache, range(7, 8), TIMES) == [2]
    assert (cache.lookups, cache.hits) == (5, 3)


def test_the_least_recently_used_page_goes_first() -> None:
    cache = BlockCache(3)
    put(cache, range(3 * PAGE_COLUMNS))
    find(cache, range(1))
    put(cache, range(1_000, 1_001))
    found = find(cache, range(3 * PAGE_COLUMNS))
    assert found[:PAGE_COLUMNS] == [*range(PAGE_COLUMNS)]
    assert found[PAGE_COLUMNS : 2 * PAGE_COLUMNS] == [None] * PAGE_COLUMNS
    assert found[2 * PAGE_COLUMNS :] == [*range(2 * PAGE_COLUMNS, 3 * PAGE_COLUMNS)]
    assert find(cache, range(1_000, 1_001)) == [1_000]
    assert len(cache) == 2 * PAGE_COLUMNS + 1


def test_what_is_being_read_stays() -> None:
    cache = BlockCache(2)
    put(cache, range(2 * PAGE_COLUMNS))
    with cache.find(np.arange(2 * PAGE_COLUMNS), np.full(2 * PAGE_COLUMNS, DELTAS)) as found:
        put(cache, range(1_000, 1_000 + PAGE_COLUMNS))
        assert [int(cache.words[at]) for at in found.offsets[:, 0].tolist()] == [*range(2 * PAGE_COLUMNS)]
    assert find(cache, range(1_000, 1_001)) == [None]
    put(cache, range(1_000, 1_001))
    assert find(cache, range(1_000, 1_001)) == [1_000]


def test_what_is_cached_is_not_cached_twice() -> None:
    cache = BlockCache(1)
    for _ in range(100):
        put(cache, range(1))
    assert len(cache) == 1
    put(cache, range(1, PAGE_COLUMNS))
    assert find(cache, range(PAGE_COLUMNS)) == [*range(PAGE_COLUMNS)]


def test_evicted_columns_can_come_again_and_again() -> None:
    cache = BlockCache(2)
    for first in range(0, 100 * PAGE_COLUMNS, PAGE_COLUMNS):
        put(cache, range(first, first + PAGE_COLUMNS))
        assert find(cache, range(first, first + PAGE_COLUMNS)) == [*range(first, first + PAGE_COLUMNS)]
    assert len(cache) == 2 * PAGE_COLUMNS


def test_without_memory_nothing_is_cached() -> None:
    cache = BlockCache(0)
    put(cache, range(3))
    assert find(cache, range(3)) == [None] * 3
    assert len(cache) == 0
