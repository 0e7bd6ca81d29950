"""Read-ahead: the next blocks of an object are fetched while the reader works on one."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from shared.platform.prefetch import work_ahead
from shared.services.objects import ObjectStore, StoredObject

# Large enough that a request's own cost doesn't count, small enough that three of them are little beside a batch.
BLOCK_BYTES: Final = 4 * 2**20
# One stream keeps one core of the store at work, and planning waits for it; a third adds nothing on two cores.
_AT_ONCE: Final = 2


def read_ahead(store: ObjectStore, stored: StoredObject, *, block_bytes: int = BLOCK_BYTES) -> Generator[bytes]:
    """Yield an object's bytes in order, block by block. Raises: as ObjectStore.read."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="read ahead")
    try:
        yield from work_ahead(
            pool,
            lambda offset: store.read_range(stored, offset, min(block_bytes, stored.bytes - offset)),
            range(0, stored.bytes, block_bytes),
            ahead=_AT_ONCE,
        )
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
