"""Reading ahead: the next blocks of an object are on their way while the reader works on one."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from shared.objects import ObjectStore, StoredObject

# Large enough that a request's own cost doesn't count, small enough that three of them are little beside a batch.
BLOCK_BYTES: Final = 4 * 2**20
# One stream keeps one core of the store at work, and planning waits for it; a third adds nothing on two cores.
_AT_ONCE: Final = 2


def read_ahead(store: ObjectStore, stored: StoredObject, *, block_bytes: int = BLOCK_BYTES) -> Generator[bytes]:
    """Give an object's bytes in order, block by block. Raises: as ObjectStore.read."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="read ahead")
    waiting: deque[Future[bytes]] = deque()
    try:
        for offset in range(0, stored.bytes, block_bytes):
            waiting.append(pool.submit(store.read_range, stored, offset, min(block_bytes, stored.bytes - offset)))
            if len(waiting) > _AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
