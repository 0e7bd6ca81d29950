"""Upload gate: limits the files that are streamed through the hub at once; the senders of others wait."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from loader.hub.support.pace import Pace
from shared.platform.errors import TransientError

_MAX_WAITING: Final = 64
"""Uploads that wait. Each is an open connection with at most one chunk of 256 KiB in memory: 16 MiB."""
_MAX_WAIT_S: Final = 60.0
"""Proxies abort a request that is silent for a minute; a response that says to retry is better."""
_LOOK_S: Final = 1.0
_GRACE_S: Final = 10.0
_MIN_BYTES_S: Final = 32 * 2**10
"""A client that sends less than 32 KiB/s for 10 s loses its slot when others wait: four slow ones must not block all uploads."""


class Guest(Protocol):
    """A file that is being streamed."""

    pace: Pace
    give_up: Callable[[], None]


class UploadGate:
    """Gives upload slots in order of arrival."""

    def __init__(self, slots: int) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._inside: set[Guest] = set()
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, guest: Guest) -> None:
        """Wait for a slot. Raises: TransientError when too many wait, or after too long a wait."""
        if self._waiting >= _MAX_WAITING:
            raise TransientError("Too many uploads wait; try again in a moment.", code="busy")
        self._waiting += 1
        self._watch()
        try:
            async with asyncio.timeout(_MAX_WAIT_S):
                await self._slots.acquire()
        except TimeoutError as error:
            raise TransientError("Other uploads take all places; try again in a moment.", code="busy") from error
        finally:
            self._waiting -= 1
        self._inside.add(guest)

    def leave(self, guest: Guest) -> None:
        """Free the slot; does nothing for a file without one."""
        if guest in self._inside:
            self._inside.remove(guest)
            self._slots.release()

    def _watch(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting:
            for guest in [guest for guest in self._inside if is_slow(guest.pace)]:
                guest.give_up()
        self._watch()


def is_slow(pace: Pace) -> bool:
    """Return whether a client sends too slowly to keep a slot that others wait for."""
    return pace.total_s > _GRACE_S and pace.bytes < _MIN_BYTES_S * pace.total_s
