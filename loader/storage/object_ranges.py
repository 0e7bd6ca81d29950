"""Byte ranges of a stored object, from its cached beginning or by ranged GETs."""

from collections import deque

from loader.formats.containers.byte_ranges import BytesMissingError
from shared.services.objects import ObjectStore, StoredObject

# Pages are read by 64 kB and their headers by less: one request for several of them.
_LEAST_BYTES = 2**18
# Ranges that are cached: those of the columns that are read in turn.
_KEPT = 32


class ObjectRanges:
    """A stored object whose first bytes are known."""

    is_whole = True

    def __init__(self, store: ObjectStore, stored: StoredObject, beginning: bytes) -> None:
        self.beginning = beginning
        self._store, self._stored = store, stored
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT)

    @property
    def size(self) -> int:
        """Return the object's length in bytes."""
        return self._stored.bytes

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes from an offset on, at most length of them. Raises: TransientError."""
        for start, data in ((0, self.beginning), *self._kept):
            if start <= offset < start + len(data):
                return data[offset - start : offset - start + length]
        wanted = min(max(length, _LEAST_BYTES), self.size - offset)
        if wanted <= 0:
            raise BytesMissingError(offset, length)
        data = self._store.read_range(self._stored, offset, wanted)
        self._kept.append((offset, data))
        return data[:length]
