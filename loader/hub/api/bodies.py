"""Bodies of requests: where their bytes go while they are received."""

from typing import Protocol

from loader.hub.support.errors import TooLargeError


class Body(Protocol):
    """Where a request's body goes."""

    async def write(self, chunk: bytes) -> None:
        """Take some bytes; the sender waits meanwhile."""

    async def abort(self) -> None:
        """Discard the bytes received."""


class BufferedBody:
    """A small body, kept in memory."""

    def __init__(self, limit_bytes: int) -> None:
        self.data = bytearray()
        self._limit_bytes = limit_bytes

    async def write(self, chunk: bytes) -> None:
        """Keep some bytes. Raises: TooLargeError."""
        if len(self.data) + len(chunk) > self._limit_bytes:
            raise TooLargeError(f"The body may have at most {self._limit_bytes} bytes here.")
        self.data += chunk

    async def abort(self) -> None:
        """Discard the bytes."""
        self.data.clear()
