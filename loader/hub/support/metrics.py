"""Metrics of one hub process, for Prometheus."""

from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric

from loader.hub.support.block_caches import BlockCacheCollector
from loader.telemetry.backlog import BacklogCollector, BacklogReader
from loader.telemetry.registry import make_registry
from shared.index.block_cache import BlockCache

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The process's counters, and the backlog that it read last."""

    def __init__(self) -> None:
        self._registry = make_registry()
        self.requests = Counter(
            "tripdeck_hub_requests", "Answered requests.", ("method", "route", "status"), registry=self._registry
        )
        self.request_seconds = Histogram(
            "tripdeck_hub_request_seconds", "Time to answer.", ("method", "route"), buckets=_SECONDS, registry=self._registry
        )
        self.open_requests = 0
        Gauge("tripdeck_hub_requests_open", "Requests being answered.", registry=self._registry).set_function(
            lambda: self.open_requests
        )
        self.received_bytes = Counter(
            "tripdeck_hub_received_bytes", "Bytes of files sent through the hub.", registry=self._registry
        )
        self.unread_bytes = Gauge(
            "tripdeck_hub_unread_bytes", "Bytes of answers that clients haven't read yet.", registry=self._registry
        )
        self.refused_connections = Counter(
            "tripdeck_hub_refused_connections", "Connections beyond the limit.", registry=self._registry
        )
        self.feed_clients = Gauge("tripdeck_hub_feed_clients", "Clients that follow the feed.", registry=self._registry)
        self.feed_messages = Counter("tripdeck_hub_feed_messages", "Messages sent to them.", registry=self._registry)
        self.feed_conflated = Counter(
            "tripdeck_hub_feed_conflated", "Events that slow clients were spared for a newer one.", registry=self._registry
        )
        self.feed_snapshots = Counter("tripdeck_hub_feed_snapshots", "Snapshots sent.", registry=self._registry)
        self.feed_malformed = Counter(
            "tripdeck_hub_feed_malformed", "Entries that were no events.", ("source",), registry=self._registry
        )
        self.feed_failures = Counter(
            "tripdeck_hub_feed_failures", "Turns of the feed that failed unforeseen.", registry=self._registry
        )
        self.feed_position = Gauge("tripdeck_hub_feed_position", "Position of the newest event seen.", registry=self._registry)

        self.feed_lag = Gauge(
            "tripdeck_hub_feed_lag_events", "Events in the database that this hub has not seen yet.", registry=self._registry
        )

    def export_backlog(self, reader: BacklogReader) -> None:
        """Export the backlog as the reader read it last."""
        self._registry.register(BacklogCollector(lambda: reader.newest))

    def export_caches(self, caches: Sequence[BlockCache]) -> None:
        """Export how often columns of blocks were found in the block caches, and how many these hold."""
        self._registry.register(BlockCacheCollector(caches))

    def collect(self) -> Iterable[Metric]:
        """Return the metrics with their samples."""
        return self._registry.collect()

    def render(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
