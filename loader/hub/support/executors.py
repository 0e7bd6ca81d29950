"""Executors: bounded thread pools for calls that would block the hub's event loop (database, object store, Redis)."""

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from shared.platform.errors import TransientError

P = ParamSpec("P")
T = TypeVar("T")


class BoundedExecutor:
    """A thread pool with a bounded queue; a call that finds the queue full is refused."""

    def __init__(self, name: str, *, threads: int, queue: int) -> None:
        self.name = name
        self.waiting = 0
        self._limit = threads + queue
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a thread, in the caller's context. Raises: what it does, TransientError when the queue is full."""
        if self.waiting >= self._limit:
            raise TransientError("The hub has more to do than it can; try again in a moment.", code="busy")
        self.waiting += 1
        try:
            call = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Accept no further calls; running ones may end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
