"""Duties: background tasks of the hub, and their state for the readiness check."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.platform.errors import TransientError

LOG = logging.getLogger(__name__)

_FAILURES: Final = 3
"""Consecutive failures after which a duty counts as dead; the next turn may recover from fewer."""


class Duty:
    """The state of one task. limit_s: longest time between two turns; None for a task that waits to be notified."""

    def __init__(self, name: str, *, limit_s: float | None = None) -> None:
        self.name = name
        self._limit_s = limit_s
        self._failures = 0
        self._turned_at = time.monotonic()
        self._is_running = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Mark the task as running for the length of the block."""
        self._is_running = True
        self.turn()
        try:
            yield
        finally:
            self._is_running = False

    def turn(self) -> None:
        """Note a completed turn; a service that it needs may be away."""
        self._failures = 0
        self._turned_at = time.monotonic()

    def fail(self, error: Exception) -> None:
        """Note a turn that ended with an unexpected error."""
        self._failures += 1
        LOG.error("a duty failed and goes on", extra={"duty": self.name, "failures": self._failures}, exc_info=error)

    async def check(self) -> None:
        """Check that the task runs and makes turns. Raises: TransientError when it does not."""
        is_late = self._limit_s is not None and time.monotonic() - self._turned_at > self._limit_s
        if not self._is_running or is_late or self._failures >= _FAILURES:
            raise TransientError(f"The {self.name} stands still; the hub's log says why.", code=f"{self.name}_stalled")
