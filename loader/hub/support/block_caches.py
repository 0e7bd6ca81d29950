"""The block caches of a hub as metrics."""

from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.index.block_cache import BlockCache


class BlockCacheCollector(Collector):
    """Lookups, hits and columns of some caches together."""

    def __init__(self, caches: Sequence[BlockCache]) -> None:
        self._caches = caches

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        lookups = sum(cache.lookups for cache in self._caches)
        hits = sum(cache.hits for cache in self._caches)
        columns = sum(map(len, self._caches))
        yield CounterMetricFamily("tripdeck_hub_block_cache_lookups", "Columns of blocks that questions needed.", value=lookups)
        yield CounterMetricFamily("tripdeck_hub_block_cache_hits", "Those that the block cache had.", value=hits)
        yield GaugeMetricFamily("tripdeck_hub_block_cache_columns", "Columns of blocks in the block cache.", value=columns)
