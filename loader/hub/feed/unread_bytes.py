"""Unread bytes: responses in memory for clients that read slowly.

Clients that do not read are disconnected; while too many bytes are unread, questions are refused.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from prometheus_client import Gauge

from shared.platform.errors import TransientError

LIMIT_BYTES: Final = 256 * 2**20
"""Bytes of responses that may wait to be read. The largest table (10,000 groups) has some 3 MB: ordinary use stays far below."""
_MIN_BYTES_S: Final = 16 * 2**10
"""Slowest reader. The kernel buffers up to 4 MiB of a response besides, which are not counted."""


class UnreadResponses:
    """Bytes that the process has written and clients have not read. idle_s: time allowed for each response, whatever its size."""

    def __init__(self, idle_s: float, gauge: Gauge) -> None:
        self.bytes = 0
        self._idle_s = idle_s
        gauge.set_function(lambda: self.bytes)

    def check(self) -> None:
        """Refuse work while too many bytes are unread. Raises: TransientError."""
        if self.bytes > LIMIT_BYTES:
            raise TransientError("Too many answers wait to be read; try again in a moment.", code="busy")

    def watch(self, sent: "asyncio.Future[None]", size_bytes: int, *, close: Callable[[], None]) -> None:
        """Count the bytes of a response until they are sent; close its connection when that takes too long."""
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
