"""The backlog: work that waits, as metrics. It is the same in every process that exports it: take the maximum of them."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import redis
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from shared.events import fetch_stream_position
from shared.platform.errors import TripdeckError
from shared.services.database import execute, transaction

LOG = logging.getLogger(__name__)

# Several scrapers within a second share one read.
_MAX_AGE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """Work that waits. Ages in seconds; 0 where nothing waits."""

    loads_queued: int
    loads_planning: int
    batches_waiting: int
    batches_running: int
    oldest_waiting_s: float
    loads_uncompacted: int
    trips_uncompacted: int
    event_position: int
    unrelayed_s: float
    sources_active: int
    sources_failing: int
    source_objects_unread: int
    source_objects_undecided: int
    deliveries_pending: int
    oldest_delivery_s: float

    @property
    def batches_pending(self) -> int:
        """Batches that have not ended."""
        return self.batches_waiting + self.batches_running

    @property
    def work_pending(self) -> int:
        """What workers are needed for: pending batches, and loads that are not planned; a large file is read for minutes."""
        return self.batches_pending + self.loads_queued + self.loads_planning


GAUGES: Final[Mapping[str, tuple[str, Callable[[Backlog], float]]]] = {
    "tripdeck_work_pending": (
        "Batches that have not ended and loads that are not planned: what workers are scaled by.",
        lambda found: found.work_pending,
    ),
    "tripdeck_loads_queued": ("Loads that nobody plans yet.", lambda found: found.loads_queued),
    "tripdeck_loads_planning": ("Loads whose file is not read to its end.", lambda found: found.loads_planning),
    "tripdeck_batches_pending": ("Batches of running loads that have not ended.", lambda found: found.batches_pending),
    "tripdeck_batches_waiting": ("Pending batches without a worker.", lambda found: found.batches_waiting),
    "tripdeck_batches_running": ("Pending batches that a worker has leased.", lambda found: found.batches_running),
    "tripdeck_batch_oldest_waiting_seconds": (
        "Time since the oldest load with a waiting batch was begun; 0 when no batch waits.",
        lambda found: found.oldest_waiting_s,
    ),
    "tripdeck_loads_uncompacted": ("Succeeded loads that are not compacted.", lambda found: found.loads_uncompacted),
    "tripdeck_trips_uncompacted": ("Trips of succeeded loads that are not compacted.", lambda found: found.trips_uncompacted),
    "tripdeck_sources_active": ("Sources that are watched or being read.", lambda found: found.sources_active),
    "tripdeck_sources_failing": ("Active sources whose last listing failed.", lambda found: found.sources_failing),
    "tripdeck_source_objects_unread": ("Objects of sources that are to be read.", lambda found: found.source_objects_unread),
    "tripdeck_source_objects_undecided": (
        "Objects of sources that failed, wait for an answer or were refused: a person decides.",
        lambda found: found.source_objects_undecided,
    ),
    "tripdeck_event_position": ("Position of the newest event in the database.", lambda found: found.event_position),
    "tripdeck_event_oldest_unrelayed_seconds": (
        "Age of the oldest event that is not in the stream; 0 when all are.",
        lambda found: found.unrelayed_s,
    ),
    "tripdeck_webhook_deliveries_pending": (
        "Messages to webhooks that are to be sent, those that are tried again included.",
        lambda found: found.deliveries_pending,
    ),
    "tripdeck_webhook_oldest_pending_seconds": (
        "Age of the oldest message to a webhook that is to be sent; 0 when there is none.",
        lambda found: found.oldest_delivery_s,
    ),
}


class BacklogReader:
    """Reads the backlog at most once a second; thread-safe."""

    def __init__(self, engine: Engine, client: "redis.Redis", *, lease_s: float) -> None:
        self._engine = engine
        self._client = client
        self._lease_s = lease_s
        self._lock = threading.Lock()
        self._read_at = -math.inf
        self._relayed_to = 0
        self.newest: Backlog | None = None

    def read(self) -> Backlog | None:
        """Return the backlog; None when the database is away. While another thread reads it, the one before."""
        if not self._lock.acquire(blocking=False):
            return self.newest
        try:
            if time.monotonic() - self._read_at > _MAX_AGE_S:
                self.newest = self._fetch()
                self._read_at = time.monotonic()
            return self.newest
        finally:
            self._lock.release()

    def _fetch(self) -> Backlog | None:
        try:
            self._relayed_to = fetch_stream_position(self._client)
        except redis.RedisError as error:  # what was relayed last is known
            LOG.debug("the stream can't be asked", extra={"reason": str(error)})
        try:
            with transaction(self._engine) as connection:
                work = execute(connection, "fetch_backlog", lease_s=self._lease_s).one()
                sources = execute(connection, "fetch_source_backlog").one()
                relay = execute(connection, "fetch_relay_backlog", relayed_to=self._relayed_to).one()
                webhooks = execute(connection, "fetch_webhook_backlog").one()
        except TripdeckError as error:
            LOG.debug("the backlog can't be read", extra={"reason": error.message})
            return None
        return Backlog(
            loads_queued=work.loads_queued,
            loads_planning=work.loads_planning,
            batches_waiting=work.batches_waiting,
            batches_running=work.batches_running,
            oldest_waiting_s=work.oldest_waiting_s or 0.0,
            loads_uncompacted=work.loads_uncompacted,
            trips_uncompacted=work.trips_uncompacted,
            event_position=relay.last_position,
            unrelayed_s=max(0.0, relay.unrelayed_s or 0.0),
            sources_active=sources.active,
            sources_failing=sources.failing,
            source_objects_unread=sources.to_read,
            source_objects_undecided=sources.undecided,
            deliveries_pending=webhooks.pending,
            oldest_delivery_s=max(0.0, webhooks.oldest_s or 0.0),
        )


class BacklogCollector(Collector):
    """The backlog's metrics; none while it can't be read, so that nobody scales by an old one."""

    def __init__(self, find: Callable[[], Backlog | None]) -> None:
        self._find = find

    def describe(self) -> Iterator[Metric]:
        """The metrics without values."""
        for name, (text, _) in GAUGES.items():
            yield GaugeMetricFamily(name, text)

    def collect(self) -> Iterator[Metric]:
        """The metrics that there are now."""
        found = self._find()
        if found is not None:
            for name, (text, pick) in GAUGES.items():
                yield GaugeMetricFamily(name, text, value=pick(found))
