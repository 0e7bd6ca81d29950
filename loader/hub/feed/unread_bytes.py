"""Unread answers: bytes in memory for clients that read slowly. Who doesn't read is cut off; too many bytes hold up questions."""

import asyncio
from collections.abc import Callable
from typing import Final

from prometheus_client import Gauge

from shared.platform.errors import TransientError

LIMIT_BYTES: Final = 256 * 2**20
"""Bytes of answers that wait to be read. The largest table (10,000 groups) is some 3 MB, so an honest crowd stays far below."""
_MIN_BYTES_S: Final = 16 * 2**10
"""Slowest reader. The kernel holds up to 4 MiB of an answer besides, which nobody counts."""


class UnreadResponses:
    """What one process has written and nobody has read yet. idle_s: time that each answer has, whatever its size."""

    def __init__(self, idle_s: float, gauge: Gauge) -> None:
        self.bytes = 0
        self._idle_s = idle_s
        gauge.set_function(lambda: self.bytes)

    def check(self) -> None:
        """Refuse more work while too much waits. Raises: TransientError."""
        if self.bytes > LIMIT_BYTES:
            raise TransientError("Too many answers wait to be read; try again in a moment.", code="busy")

    def watch(self, sent: "asyncio.Future[None]", size_bytes: int, *, close: Callable[[], None]) -> None:
        """Count an answer until it is sent; close its connection where that takes too long."""
        if sent.done():
            return
        self.bytes += size_bytes
        is_counted = True

        def forget(_: object = None) -> None:
            nonlocal is_counted
            timer.cancel()
            if is_counted:
                is_counted = False
                self.bytes -= size_bytes

        def give_up() -> None:
            forget()
            close()

        timer = asyncio.get_running_loop().call_later(self._idle_s + size_bytes / _MIN_BYTES_S, give_up)
        sent.add_done_callback(forget)
