"""The block cache of a hub, with its lookups counted."""

from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from shared.index.block_cache import BlockCache, Columns


class CountedBlockCache(BlockCache):
    """A block cache that counts blocks found and looked up. The counts are not locked: they may miss a few."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.lookups = 0
        self.hits = 0

    def get(self, block_ids: Sequence[int]) -> list[Columns | None]:
        """The cached columns of each block; None for a block without any."""
        found = super().get(block_ids)
        self.lookups += len(found)
        self.hits += len(found) - found.count(None)
        return found


def count_lookups(engine: Engine) -> tuple[Engine, CountedBlockCache]:
    """Return the engine with an empty counted block cache as large as its own."""
    [(option, cache)] = [(name, value) for name, value in engine.get_execution_options().items() if isinstance(value, BlockCache)]
    counted = CountedBlockCache(cache.limit_bytes)
    return engine.execution_options(**{option: counted}), counted


class BlockCacheCollector(Collector):
    """Lookups, hits and blocks of some caches together."""

    def __init__(self, caches: Sequence[CountedBlockCache]) -> None:
        self._caches = caches

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        lookups = sum(cache.lookups for cache in self._caches)
        hits = sum(cache.hits for cache in self._caches)
        blocks = sum(map(len, self._caches))
        yield CounterMetricFamily("tripdeck_hub_block_cache_lookups", "Blocks that questions needed.", value=lookups)
        yield CounterMetricFamily("tripdeck_hub_block_cache_hits", "Those that the block cache had.", value=hits)
        yield GaugeMetricFamily("tripdeck_hub_block_cache_blocks", "Blocks in the block cache.", value=blocks)
