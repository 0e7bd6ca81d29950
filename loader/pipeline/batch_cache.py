"""Batch cache: bytes of batches that this process has just cut, for its own threads, so that they need not read them again."""

import threading
from collections.abc import Sequence

Key = tuple[int, int]


class BatchCache:
    """The newest batches' bytes, by load and batch number; as many as kept says. Others are read from the store."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._data: dict[Key, Sequence[memoryview]] = {}
        self._lock = threading.Lock()

    def put(self, load_id: int, batch_no: int, data: Sequence[memoryview]) -> None:
        """Cache a batch's bytes, in parts; the oldest batch is evicted."""
        with self._lock:
            self._data[load_id, batch_no] = data
            while len(self._data) > self._kept:
                del self._data[next(iter(self._data))]

    def take(self, load_id: int, batch_no: int) -> Sequence[memoryview] | None:
        """Remove and return a batch's bytes; None where they are not cached."""
        with self._lock:
            return self._data.pop((load_id, batch_no), None)

    def drop(self, load_id: int) -> None:
        """Remove the batches of a load."""
        with self._lock:
            for key in [key for key in self._data if key[0] == load_id]:
                del self._data[key]
