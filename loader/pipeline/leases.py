"""Leases: claimed work stays claimed while its owner lives; and what a failure of it counts as.

    with renewing(context, "renew_batch", load_id=1, batch_no=0, lease_token=token) as lease:
        ...
        lease.note_progress()

A thread renews by time, so a runner on a slow machine, in a long compilation or waiting for the store keeps its work. A process
that is killed or stopped renews nothing: its work is free when the lease has run out. The token is drawn at each claim; whoever
holds an older one renews and releases nothing.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from loader.pipeline.context import Context
from loader.storage.name_ids import NAMES_CHANGED
from shared.platform.errors import TransientError, TripdeckError
from shared.services.database import execute, transaction

LOG = logging.getLogger(__name__)

# Store, database or queue may be away for so long, without a break; then the work fails, and a retry goes on from there.
OUTAGE_LIMIT_S: Final = 3_600
# Codes of errors that are no outages: the worker was told to end, another load goes first, or a name was removed.
STOPPING: Final = "stopping"
POSSIBLE_DUPLICATE: Final = "possible_duplicate"
_NO_OUTAGE: Final = (STOPPING, POSSIBLE_DUPLICATE, NAMES_CHANGED)
# Renewals in the time of a lease: three may fail or come late.
_RENEWALS: Final = 4
# A runner without progress for so long hangs, though its process lives: its lease runs out, and that counts as an attempt.
# A batch takes 1 s, on a bad day 10 s.
_LONGEST_HOLD_S: Final = 3_600.0
_JOIN_S: Final = 1.0


def is_outage(error: TransientError) -> bool:
    """Whether an error says that something is away, not just that it is not yet the work's turn."""
    return error.error_code not in _NO_OUTAGE


class Lease:
    """Work that is held. query_name and key: what renews it."""

    def __init__(self, context: Context, query_name: str, key: dict[str, object]) -> None:
        self._context = context
        self._query_name = query_name
        self._key = key
        self._is_over = threading.Event()
        self._progress_at = time.monotonic()

    def note_progress(self) -> None:
        """Say that the work goes on."""
        self._progress_at = time.monotonic()

    def renew(self) -> None:
        """Renew until it is over, or the work hangs."""
        while not self._is_over.wait(self._context.settings.batch_lease_s / _RENEWALS):
            if time.monotonic() - self._progress_at > _LONGEST_HOLD_S:
                LOG.error("work hangs; its lease is not renewed any more", extra={"query": self._query_name, **self._key})
                return
            try:
                with transaction(self._context.engine) as connection:
                    execute(connection, self._query_name, **self._key)
            except TripdeckError as error:
                LOG.warning("a lease can't be renewed", extra={"reason": error.message, **self._key})

    def end(self) -> None:
        """Let the renewing thread end."""
        self._is_over.set()


@contextmanager
def renewing(context: Context, query_name: str, **key: object) -> Iterator[Lease]:
    """Renew a lease by a named query, from a thread, for the length of the block."""
    lease = Lease(context, query_name, key)
    thread = threading.Thread(target=lease.renew, name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.end()
        thread.join(_JOIN_S)  # asleep, as a rule; a late renewal does no harm, for the token is gone
