"""Webhook sender: a thread per worker process that queues deliveries of new events, and threads that send what is due.

It shares nothing with loads but the database: receivers that are slow or away delay no load.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from loader.pipeline.context import Context
from loader.webhooks.addresses import PrivateHosts
from loader.webhooks.deliveries import deliver_next, queue_deliveries
from shared.platform.errors import TripdeckError

LOG = logging.getLogger(__name__)

# An address holds one thread at most, for TRIPDECK_WEBHOOK_TIMEOUT_S and the resolution of its name.
_HELPERS: Final = 2
_INTERVAL_S: Final = 1.0
_PAUSE_S: Final = 10.0


class WebhookSender:
    """The threads; start() and stop(). One looks for work every second, and wakes the others."""

    def __init__(self, context: Context) -> None:
        PrivateHosts.parse(context.settings.webhook_private_hosts)  # an entry that can't be read is said at the start
        self._context = context
        self._is_over = threading.Event()
        self._is_due = threading.Event()
        self._is_failing = False
        self._threads = [threading.Thread(target=self._run, args=(self._lead,), name="webhooks", daemon=True)]
        for number in range(_HELPERS):
            self._threads.append(threading.Thread(target=self._run, args=(self._help,), name=f"webhooks {number}", daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; an attempt under way is left behind, and made again by another process."""
        self._is_over.set()

    def _run(self, turn: Callable[[], None]) -> None:
        while not self._is_over.is_set():
            try:
                turn()
                self._is_failing = False
            except TripdeckError as error:
                if not self._is_failing:
                    LOG.warning("webhooks wait", extra={"reason": error.message})
                self._is_failing = True
                self._is_over.wait(_PAUSE_S)
            except Exception:
                # A process border: a defect here must not end the thread for good.
                LOG.exception("webhooks failed")
                self._is_over.wait(_PAUSE_S)

    def _lead(self) -> None:
        if queue_deliveries(self._context.engine):
            self._is_due.set()
        if not self._deliver():
            self._is_over.wait(_INTERVAL_S)

    def _help(self) -> None:
        if self._is_due.wait(_INTERVAL_S) and not self._deliver():
            self._is_due.clear()

    def _deliver(self) -> bool:
        outcome = deliver_next(self._context.engine, self._context.settings)
        if outcome is None:
            return False
        self._context.metrics.webhook_deliveries.labels(outcome.name).inc()
        self._is_due.set()
        return True
