"""Batch objects: where the bytes of a batch are stored. A plain file's batch is a byte range of the object itself.

For a compressed or transcoded file the planner stores each batch as an object of its own, compressed with zstd, until the load
ends: a batch deep in a gzip file can't be read without everything before it.
"""

import io
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Self

from loader.formats import BatchSlice
from shared.platform.errors import TransientError
from shared.services.objects import ObjectStore, StoredObject

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Level 1 compresses trips to a quarter at about 400 MB/s; level 3 saves a tenth more and takes twice as long.
_LEVEL: Final = 1
# Parts that are being stored while the next is decompressed.
_IN_FLIGHT: Final = 2


def read_part(store: ObjectStore, stored: StoredObject, entry: Mapping[str, Any]) -> Iterator[bytes]:
    """Stream the bytes of a batch; entry is the ledger's slice.

    Raises: FileFormatError when the object was changed or deleted since it was planned, TransientError.
    """
    piece = BatchSlice.from_json(entry["piece"])
    if entry["part"] is None:
        yield from store.read(stored, offset=piece.offset, length=piece.bytes)
        return
    packed = b"".join(store.read(StoredObject(**entry["part"])))
    data = zstd.ZstdDecompressor().decompress(packed, max_length=piece.bytes)
    if len(data) != piece.bytes:
        raise TransientError(f"A part of the file has {len(data)} bytes instead of {piece.bytes}.", code="store_unavailable")
    yield data


def remove_parts(store: ObjectStore, object_key: str) -> None:
    """Delete the parts of an object's batches, if there are any."""
    store.remove_under(f"{object_key}.parts/")


class PartWriter:
    """Stores parts while the caller goes on; a context manager that waits for the last one. stored: by batch number."""

    def __init__(self, store: ObjectStore, object_key: str) -> None:
        self._store = store
        self._prefix = f"{object_key}.parts/"
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="parts")
        self._waiting: deque[tuple[int, Future[StoredObject]]] = deque()
        self.stored: dict[int, StoredObject] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def add(self, piece: BatchSlice, data: bytes) -> None:
        """Store a batch's bytes. Raises: TransientError for this one or an earlier one."""
        self._waiting.append((piece.batch_no, self._pool.submit(self._put, piece.batch_no, data)))
        self._settle(_IN_FLIGHT)

    def finish(self) -> None:
        """Wait for the last one. Raises: TransientError."""
        self._settle(0)

    def _settle(self, left: int) -> None:
        while len(self._waiting) > left:
            batch_no, part = self._waiting.popleft()
            self.stored[batch_no] = part.result()

    def _put(self, batch_no: int, data: bytes) -> StoredObject:
        packed = zstd.compress(data, level=_LEVEL)
        return self._store.put(f"{self._prefix}{batch_no}", io.BytesIO(packed), length=len(packed))
