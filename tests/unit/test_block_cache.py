"""Block cache: what is cached of blocks, and what is evicted at the limit."""

from shared.index.block_cache import BlockCache

KIB = bytes(1_024)


def test_columns_of_a_block_come_together() -> None:
    bits = BlockCache(1 << 20)
    bits.put(7, (b"places", None, None, None))
    bits.put(7, (None, None, b"y", b""))
    bits.put(8, (None, b"x", None, None))
    assert bits.get([8, 7, 9]) == [(None, b"x", None, None), (b"places", None, b"y", b""), None]


def test_the_least_recently_used_go_first() -> None:
    bits = BlockCache(10 * 1_024)
    for block_id in range(6):
        bits.put(block_id, (KIB, None, None, None))
    bits.get([0])
    for block_id in range(6, 10):
        bits.put(block_id, (KIB, None, None, None))
    assert bits.get(range(10))[:5] == [(KIB, None, None, None), None, None, None, (KIB, None, None, None)]
    assert len(bits) == 7


def test_what_is_replaced_counts_once() -> None:
    bits = BlockCache(4 * 1_024)
    for _ in range(100):
        bits.put(1, (KIB, KIB, None, None))
    assert bits.get([1]) == [(KIB, KIB, None, None)]


def test_nothing_is_kept_where_nothing_may_be() -> None:
    bits = BlockCache(0)
    bits.put(1, (KIB, None, None, None))
    assert bits.get([1]) == [None]
    assert len(bits) == 0
