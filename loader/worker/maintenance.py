"""Maintenance: threads of a worker process that run duties periodically.

They publish events (at once after each commit of this process, otherwise every second), enqueue unfinished work that has no
lease and no message, merge rollups of running loads, and delete uploads that were never completed and events that are too old.
Every worker process runs them; that does no harm. They outlive an absent database, Redis or object store: a duty that fails is
tried again with backoff and logged once. Each group of duties has a thread: one that stalls holds none of the others.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from loader.pipeline.context import Context
from loader.pipeline.finishing import PATIENCE_S, enqueue_batches, finish_load, fold_running
from loader.pipeline.object_retention import drop_expired_objects, drop_stale_uploads
from loader.webhooks.deliveries import drop_old_deliveries
from shared.events import publish_events
from shared.loads import enqueue_load
from shared.platform.errors import TripdeckError
from shared.services.database import execute, transaction
from shared.services.queueing import CLEAN_ACTOR, HANDOVER_ACTOR, PLAN_ACTOR, PUBLISH_ACTOR, count_messages
from shared.services.redis_client import connect_redis
from shared.sources import enqueue_source

LOG = logging.getLogger(__name__)

_BACKSTOP_S: Final = 1.0
_HOUSEKEEPING_S: Final = 60.0
_FOLDING_S: Final = 10.0
_BACKOFF_LIMIT_S: Final = 10.0
# Supervisors kill 30 s after SIGTERM, of which the batches at hand may take 20.
_STOP_S: Final = 5.0
# Between a commit and its message nothing is lost yet.
_LEAST_PATIENCE_S: Final = 2.0
_ACTORS: Final = {"plan": PLAN_ACTOR, "clean": CLEAN_ACTOR}


@dataclass
class Duty:
    """Something done again and again; interval_s 0 means at every turn."""

    name: str
    run: Callable[[], None]
    interval_s: float = 0.0
    due_at: float = 0.0
    failures: int = 0

    def turn(self, now: float) -> None:
        """Run when due. A failure that passes by itself is logged the first time, and the next try comes later each time."""
        if now < self.due_at:
            return
        try:
            self.run()
        except TripdeckError as error:
            if self.failures == 0:
                LOG.warning("%s waits", self.name, extra={"reason": error.message})
            self.failures += 1
            self.due_at = now + min(_BACKOFF_LIMIT_S, max(self.interval_s, 0.5 * 2**self.failures))
        else:
            if self.failures:
                LOG.info("%s goes on", self.name)
            self.failures, self.due_at = 0, now + self.interval_s


class Maintenance:
    """The threads; start() and stop()."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = connect_redis(context.settings)
        self._is_over = threading.Event()
        self._publishing = Duty("publishing events", self.publish)
        reconciling = Duty("reconciling", self.reconcile, context.settings.reconcile_interval_s)
        folding = Duty("folding rollups", self.fold_rollups, _FOLDING_S)
        uploads = Duty("dropping stale uploads", self.drop_uploads, _HOUSEKEEPING_S)
        objects = Duty("dropping expired files", self.drop_objects, _HOUSEKEEPING_S)
        trimming = Duty("trimming events", self.trim_events, _HOUSEKEEPING_S)
        groups = {"reconciler": [reconciling], "folder": [folding], "housekeeper": [uploads, objects, trimming]}
        self._threads = [threading.Thread(target=self._publish_events, name="publisher", daemon=True)]
        for name, duties in groups.items():
            self._threads.append(threading.Thread(target=self._run, args=(duties,), name=name, daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; what was committed before is published. A duty that stalls is left behind."""
        self._is_over.set()
        self._context.notify()
        for thread in self._threads:
            thread.join(_STOP_S)
        self._client.close()

    def publish(self) -> None:
        """Publish new events."""
        publish_events(self._context.engine, self._client, history=self._context.settings.event_history)

    def reconcile(self) -> None:
        """Enqueue loads and batches that have neither a lease nor a message."""
        reconcile(self._context)

    def fold_rollups(self) -> None:
        """Merge what the batches of running loads have added to the rollups."""
        fold_running(self._context)

    def drop_uploads(self) -> None:
        """Abort uploads that were begun and never completed."""
        drop_stale_uploads(self._context)

    def drop_objects(self) -> None:
        """Delete files of loads that were undone, cancelled or duplicates."""
        drop_expired_objects(self._context)

    def trim_events(self) -> None:
        """Delete events older than the history, and webhook deliveries that ended long ago."""
        drop_old_deliveries(self._context.engine)
        with transaction(self._context.engine) as connection:
            execute(connection, "delete_old_events", keep=self._context.settings.event_history)

    def _publish_events(self) -> None:
        while True:
            is_last = self._is_over.is_set()
            self._context.unpublished.clear()
            self._turn(self._publishing)
            if is_last:
                return
            self._context.unpublished.wait(_BACKSTOP_S)

    def _run(self, duties: list[Duty]) -> None:
        while not self._is_over.is_set():
            for duty in duties:
                self._turn(duty)
            self._is_over.wait(min([_BACKSTOP_S, *(duty.interval_s for duty in duties)]))

    def _turn(self, duty: Duty) -> None:
        try:
            duty.turn(time.monotonic())
        except Exception:
            # A process border: a defect in one duty must not end the others.
            LOG.exception("%s failed", duty.name)
            duty.due_at = time.monotonic() + _BACKOFF_LIMIT_S


def reconcile(context: Context) -> int:
    """Enqueue unfinished work that has neither a lease nor a message; returns the number of messages sent.

    When Redis holds no message at all, every message that work waits for is lost; otherwise one may just take its time.
    """
    has_messages = count_messages(context.broker) > 0
    patience_s = PATIENCE_S if has_messages else _LEAST_PATIENCE_S
    with transaction(context.engine) as connection:
        lease_s = context.settings.batch_lease_s
        idle = execute(connection, "list_idle_loads", lease_s=lease_s, patience_s=patience_s).all()
        publications = execute(connection, "list_idle_publications", lease_s=lease_s, patience_s=patience_s).scalars().all()
        due = execute(connection, "list_due_handovers", lease_s=lease_s, patience_s=patience_s).scalars().all()
        sources = execute(connection, "list_due_sources", lease_s=lease_s, patience_s=patience_s).scalars().all()
    for load_id in publications:
        enqueue_load(context.broker, load_id, actor=PUBLISH_ACTOR)
    for load_id in due:
        enqueue_load(context.broker, load_id, actor=HANDOVER_ACTOR)
    for source_id in sources:
        enqueue_source(context.broker, source_id)
    sent = len(publications) + len(sources)
    for load in idle:
        if load.work == "batch":
            sent += _finish_or_dispatch(context, load.load_id, patience_s=patience_s)
        else:
            enqueue_load(context.broker, load.load_id, actor=_ACTORS[load.work])
            sent += 1
    if sent:
        LOG.info("reconciler enqueued unfinished work", extra={"messages": sent})
    return sent


def _finish_or_dispatch(context: Context, load_id: int, *, patience_s: float) -> int:
    with transaction(context.engine) as connection:
        has_ended = finish_load(connection, load_id, context.settings)
    if has_ended:
        context.notify()
        enqueue_load(context.broker, load_id, actor=CLEAN_ACTOR)
        return 1
    return enqueue_batches(context, load_id, patience_s=patience_s)
