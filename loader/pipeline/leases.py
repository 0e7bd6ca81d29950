"""Leases: claimed work stays claimed while its runner lives; and what a failure of it counts as.

    with Work(context, "Batch 0", kind="batch", key=lease, failures=0, give_up=fail).running() as lease:
        ...
        lease.note_progress()

A thread renews by time, so a runner on a slow machine, in a long compilation or waiting for the store keeps its work. A process
that is killed or stopped renews nothing: its work is free once the lease has expired. The token is drawn at each claim; a runner
with an older one renews and releases nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, Literal

from loader.pipeline.context import Context
from loader.pipeline.finishing import end_load
from loader.storage.name_ids import NAMES_CHANGED
from shared.platform.errors import TerminalError, TransientError, TripdeckError
from shared.services.database import execute, transaction

LOG = logging.getLogger(__name__)

# Store, database or queue may be away for so long, without a break; then the work fails, and a retry goes on from there.
OUTAGE_LIMIT_S: Final = 3_600
# Codes of errors that are no outages: the worker is to stop, another load goes first, or a name was removed.
STOPPING: Final = "stopping"
POSSIBLE_DUPLICATE: Final = "possible_duplicate"
_NO_OUTAGE: Final = (STOPPING, POSSIBLE_DUPLICATE, NAMES_CHANGED)
# Renewals in the time of a lease: three may fail or come late.
_RENEWALS: Final = 4
# A runner without progress for so long hangs, though its process lives: its lease runs out, and that counts as an attempt.
# A batch takes 1 s, on a bad day 10 s.
_LONGEST_HOLD_S: Final = 3_600.0
_JOIN_S: Final = 1.0


class LoadEndedError(TerminalError):
    """The load has ended while it was planned or loaded, or another runner has the lease."""


class Lease:
    """A lease that is renewed. query_name and key: the named query that renews it, and its parameters."""

    def __init__(self, context: Context, query_name: str, key: dict[str, object]) -> None:
        self._context = context
        self._query_name = query_name
        self._key = key
        self._is_over = threading.Event()
        self._progress_at = time.monotonic()

    def note_progress(self) -> None:
        """Note that the work makes progress."""
        self._progress_at = time.monotonic()

    def renew(self) -> None:
        """Renew until end is called, or there was no progress for an hour."""
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
        """Make renew return."""
        self._is_over.set()


@dataclass(frozen=True)
class Work:
    """Claimed work, whose failures are counted.

    name: begins its messages, as in "Batch 3 failed". kind: of the named queries renew_… and release_…; key: the lease that these
    take. failures: how often it has failed. give_up: ends it for good. is_of_load: whether a TerminalError ends the load.
    """

    context: Context
    name: str
    _: KW_ONLY
    kind: Literal["planning", "batch", "publication", "handover", "source"]
    key: dict[str, Any]
    failures: int
    give_up: Callable[[TerminalError], None]
    is_of_load: bool = True

    @contextmanager
    def running(self) -> Iterator[Lease]:
        """Renew the lease for the length of the block, and account for the block's error.

        A TransientError releases the lease, and gives up after an outage of an hour. Any error that is not ours counts as a
        failure; the last one that is allowed gives up. Raises: LoadEndedError and TransientError of the block; TransientError
        after a failure that may be retried.
        """
        try:
            with self._renewing() as lease:
                yield lease
        except LoadEndedError:
            raise
        except TransientError as error:
            self._release(error)
            raise
        except TerminalError as error:
            if self.is_of_load:
                end_load(self.context, self.key["load_id"], error)
            else:
                self.give_up(error)
        except Exception as error:  # noqa: BLE001 - a process border: whatever a library raises, the load must end
            self._count_failure(error)

    @contextmanager
    def _renewing(self) -> Iterator[Lease]:
        lease = Lease(self.context, f"renew_{self.kind}", self.key)
        thread = threading.Thread(target=lease.renew, name="lease", daemon=True)
        thread.start()
        try:
            yield lease
        finally:
            lease.end()
            thread.join(_JOIN_S)  # asleep, as a rule; a late renewal does no harm, for the token is gone

    def _release(self, error: TransientError) -> None:
        is_outage = error.error_code not in _NO_OUTAGE
        failing_s = self._end_lease(is_failure=False, is_outage=is_outage)
        if is_outage and failing_s is not None and failing_s > OUTAGE_LIMIT_S:
            self.give_up(TerminalError(f"{self.name} failed for an hour: {error.message}", code=error.error_code))

    def _count_failure(self, error: Exception) -> None:
        LOG.exception("%s failed", self.kind, extra=self.key)
        failures, reason = self.failures + 1, f"{type(error).__name__}: {error}"
        if failures >= self.context.settings.batch_attempts:
            self.give_up(TerminalError(f"{self.name} failed {failures} times: {reason}", code=f"{self.kind}_failed"))
            return
        self._end_lease(is_failure=True, is_outage=False)
        raise TransientError(f"{self.name} failed: {reason}") from error

    def _end_lease(self, **counted: bool) -> float | None:
        with transaction(self.context.engine) as connection:
            failing_s: float | None = execute(connection, f"release_{self.kind}", **self.key, **counted).scalar_one_or_none()
            return failing_s
