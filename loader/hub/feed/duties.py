"""Duties: tasks that go on as long as the hub does, and what its readiness says of them."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.platform.errors import TransientError

LOG = logging.getLogger(__name__)

_FAILURES: Final = 3
"""Failures in a row after which a duty counts as dead; one is a hiccup that the next turn mends."""


class Duty:
    """One such task. limit_s: longest time between two turns; None for one that waits to be notified."""

    def __init__(self, name: str, *, limit_s: float | None = None) -> None:
        self.name = name
        self._limit_s = limit_s
        self._failures = 0
        self._turned_at = time.monotonic()
        self._is_running = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Say that the task runs, until it ends for whatever reason."""
        self._is_running = True
        self.turn()
        try:
            yield
        finally:
            self._is_running = False

    def turn(self) -> None:
        """Say that it has done what it could; what it needs may be away."""
        self._failures = 0
        self._turned_at = time.monotonic()

    def fail(self, error: Exception) -> None:
        """Say that it failed in a way that nobody foresaw."""
        self._failures += 1
        LOG.error("a duty failed and goes on", extra={"duty": self.name, "failures": self._failures}, exc_info=error)

    async def check(self) -> None:
        """Return whether it goes on. Raises: TransientError when it doesn't."""
        is_late = self._limit_s is not None and time.monotonic() - self._turned_at > self._limit_s
        if not self._is_running or is_late or self._failures >= _FAILURES:
            raise TransientError(f"The {self.name} stands still; the hub's log says why.", code=f"{self.name}_stalled")
