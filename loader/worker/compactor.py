"""Compactor: one thread per worker process that compacts finished loads, so that questions need not read their trips.

It works when no load is running, or when so many trips are uncompacted that questions would become slow; a load that begins
meanwhile makes it pause. Each process runs one; a lock in the database lets one of them work at a time.
"""

import logging
import threading
from dataclasses import dataclass
from typing import Final

from loader.pipeline.context import Context
from shared.compaction.merge_policy import list_merge_candidates
from shared.compaction.segments import LEAST_TRIPS, clear_batch_blocks, compact_loads
from shared.platform.errors import TripdeckError
from shared.platform.memory import give_back_free
from shared.services.database import execute, transaction

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often the compactor looks for work, for how long it pauses, and how many trips are worth a compaction.

    patience_trips: uncompacted trips that are compacted although a load is running; reading their blocks costs a question
    some 0.1 s.
    """

    interval_s: float = 5.0
    pause_s: float = 1.0
    least_trips: int = LEAST_TRIPS
    patience_trips: int = 200 * LEAST_TRIPS


USUAL_PACE: Final = Pace()


class Compactor:
    """The thread; start() and stop()."""

    def __init__(self, context: Context, pace: Pace = USUAL_PACE) -> None:
        self._context = context
        self._pace = pace
        self._thread = threading.Thread(target=self._run, name="compactor", daemon=True)
        self._is_failing = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End at once: a compaction under way is rolled back when the process ends, and another process repeats it."""
        self._context.stopping.set()

    def compact(self) -> int:
        """Compact what is due now; returns the number of loads compacted."""
        if self._must_wait():
            return 0
        # Blocks that a question had open when they were last to be deleted.
        clear_batch_blocks(self._context.engine)
        # Memory that batches needed, before compaction takes its own.
        give_back_free()
        loads = compact_loads(self._context.engine, least_trips=self._pace.least_trips, pause=self._pause)
        self._context.metrics.loads_compacted.inc(loads)
        return loads

    def _pause(self) -> None:
        """Wait while loads run: compaction beside a load takes two thirds of a core from it and from questions."""
        while self._must_wait() and not self._context.stopping.wait(self._pace.pause_s):
            pass

    def _must_wait(self) -> bool:
        with transaction(self._context.engine) as connection:
            if not execute(connection, "has_running_loads").scalar_one():
                return False
            return (
                sum(candidate.trips for candidate in list_merge_candidates(connection) if candidate.segment_id is None)
                < self._pace.patience_trips
            )

    def _run(self) -> None:
        while not self._context.stopping.wait(self._pace.interval_s):
            try:
                self.compact()
            except TripdeckError as error:
                if not self._is_failing:
                    LOG.warning("compaction waits", extra={"reason": error.message})
                self._is_failing = True
            except Exception:
                # A process border: a defect here must not end the thread for good.
                LOG.exception("compaction failed")
                self._is_failing = True
            else:
                self._is_failing = False
