"""A file kept in memory while it is looked at: bounded in size, and as few at a time as uploads."""

from collections.abc import Callable

from loader.hub.api.bodies import BufferedBody
from loader.hub.support.pace import Pace
from loader.hub.support.upload_gate import UploadGate


class GatedBody(BufferedBody):
    """A body of at most some megabytes, kept in memory, that takes one of the upload slots until leave is called."""

    def __init__(self, gate: UploadGate, limit_bytes: int, *, pace: Pace, give_up: Callable[[], None]) -> None:
        super().__init__(limit_bytes)
        self.pace = pace
        self.give_up = give_up
        self._gate = gate
        self._is_inside = False

    async def write(self, chunk: bytes) -> None:
        """Keep some bytes; the first wait for a slot. Raises: TooLargeError, TransientError when too many wait."""
        if not self._is_inside:
            await self._gate.enter(self)
            self._is_inside = True
        await super().write(chunk)

    async def abort(self) -> None:
        """Discard the bytes, and free the slot."""
        await super().abort()
        self.leave()

    def leave(self) -> None:
        """Free the slot."""
        self._gate.leave(self)
