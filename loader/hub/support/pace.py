"""Pace: how long a client may take over the body that it sends.

Counted is the time in which the hub waits for the client, not that in which the client waits for the hub or the object store.
"""

import time
from typing import Final

_GRACE_S: Final = 20.0
_MIN_BYTES_S: Final = 1024
"""Slowest body: 20 s, and 1 s for each KiB. Slower than any line that people work over."""


class Pace:
    """How long one body has been waited for. idle_s: longest pause."""

    def __init__(self, idle_s: float) -> None:
        self.bytes = 0
        self.waited_s = 0.0
        self._idle_s = idle_s
        self._since: float | None = None

    def wait(self) -> float:
        """Begin to wait for bytes; returns the seconds after which the client is too slow."""
        self._since = time.monotonic()
        return max(0.0, min(self._idle_s, _GRACE_S + self.bytes / _MIN_BYTES_S - self.waited_s))

    def take(self, size_bytes: int) -> None:
        """End the wait: bytes have come."""
        self.waited_s, self._since = self.total_s, None
        self.bytes += size_bytes

    @property
    def total_s(self) -> float:
        """Seconds waited so far, a wait that goes on included."""
        return self.waited_s + (time.monotonic() - self._since if self._since is not None else 0.0)
