"""Context: what every step of a load works with, made once per worker process and passed down."""

import threading
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine

from loader.pipeline.batch_cache import BatchCache
from loader.storage.name_ids import Labels
from loader.storage.place_lookups import PlaceCache
from loader.telemetry.worker_metrics import WorkerMetrics
from shared.platform.settings import Settings
from shared.platform.spans import Tracing
from shared.services.database import connect_database
from shared.services.objects import ObjectStore
from shared.services.queueing import NotifyingBroker

# Far above the longest statement of a load, the COPY of one batch (about 0.2 s), or of a removal; a limit all the same, so that a
# lock nobody releases ends in a retry.
_STATEMENT_TIMEOUT_MS: Final = 600_000


@dataclass(frozen=True)
class Context:
    """Connections and signals of one worker process.

    unpublished: set by notify. stopping: set when the process is to end.
    """

    settings: Settings
    engine: Engine
    store: ObjectStore
    broker: NotifyingBroker
    batch_cache: BatchCache
    labels: Labels = field(default_factory=Labels)
    places: PlaceCache = field(default_factory=PlaceCache)
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    tracing: Tracing = field(default_factory=Tracing)
    unpublished: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)

    def notify(self) -> None:
        """Have the publisher thread publish events at once; to be called after each commit that wrote one."""
        self.unpublished.set()


def make_context(settings: Settings, broker: NotifyingBroker, tracing: Tracing | None = None) -> Context:
    """Make the connections; each connects at first use."""
    engine = connect_database(settings, statement_timeout_ms=_STATEMENT_TIMEOUT_MS)
    cache = BatchCache(settings.worker_threads)
    return Context(settings, engine, ObjectStore(settings), broker, cache, tracing=tracing or Tracing())
