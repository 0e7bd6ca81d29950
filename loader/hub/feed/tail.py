"""The feed: one tail of the event stream per process, and a reader per client.

    reader = feed.read(last=17, load_id=None)
    for message in await reader.next_messages(): ...

The tail keeps the newest events of all loads in one ring. A client is no queue, only the position it has got to: what it hasn't
got yet is read from the ring, behind that from the stream, behind that from the outbox, and where history is gone it gets a
snapshot that says so. So memory doesn't grow with slow clients, and there is never a silent gap.
"""

import asyncio
import logging
import random
import time
from typing import Final

from loader.hub.feed.duties import Duty
from loader.hub.feed.history import History, MalformedEventError, Message, is_next
from loader.hub.feed.publisher import Publisher
from loader.hub.support.metrics import Metrics
from shared.platform.errors import TransientError, TripdeckError

LOG = logging.getLogger(__name__)

PAGE: Final = 100
"""Messages in flight to a client."""

_RING: Final = 5_000
# Read at start, so that clients that come back after a restart find their place in the ring.
_WARM: Final = 1_000
_WAIT_MS: Final = 5_000
_SNAPSHOT_AGE_S: Final = 1.0
_RETRY_S: Final = 1.0
# A turn waits 5 s for news, and at most for two services that time out and a question to the database.
_STALLED_S: Final = 90.0
_START_TIMEOUT_S: Final = 15.0
# A client is slow when it took this long over a page and is more than a page behind. A burst alone isn't its fault.
SLOW_S: Final = 2.0
# A storm of clients that come back reads the past by turns.
_CATCH_UPS: Final = 16


class Feed:
    """The tail of the event stream of this process."""

    def __init__(self, history: History, publisher: Publisher, *, metrics: Metrics) -> None:
        self.history = history
        self.metrics = metrics
        self.duty = Duty("feed", limit_s=_STALLED_S)
        self.position: int | None = None
        self._publisher = publisher
        self._ring: list[Message] = []
        self._news = asyncio.Event()
        self._snapshot: tuple[float, Message] | None = None
        self._snapshot_lock = asyncio.Lock()
        self.catch_ups = asyncio.Semaphore(_CATCH_UPS)
        self._is_redis_away = False
        self._is_stopped = False

    def stop(self) -> None:
        """Wake all waiting readers, for the hub stops."""
        self._is_stopped = True
        self._news.set()

    async def run(self) -> None:
        """Follow the stream until cancelled; retries while a service is away."""
        with self.duty.running():
            while True:
                try:
                    await self._advance()
                    self.duty.turn()
                    continue
                except TripdeckError as error:
                    LOG.warning("the feed waits", extra={"reason": error.message})
                    self.duty.turn()
                except Exception as error:  # noqa: BLE001 - every client's feed hangs on this task
                    self.metrics.feed_failures.inc()
                    self.duty.fail(error)
                await asyncio.sleep(_RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries, keeps no secret

    def read(self, *, last: int | None, load_id: int | None) -> "Reader":
        """Return a reader of the events after a position; without a position it begins with a snapshot."""
        return Reader(self, last=last, load_id=load_id)

    def list_after(self, position: int) -> list[Message] | None:
        """Return the events after a position from the ring; None when the first of them has left it."""
        if self.position is None or position < self.position - len(self._ring):
            return None
        return self._ring[len(self._ring) - (self.position - position) :] if position < self.position else []

    async def wait_after(self, position: int) -> None:
        """Wait until there are events after a position. Raises: TransientError when the hub stops."""
        while self.position is None or self.position <= position:
            await self._wait_news()

    async def wait_started(self) -> int:
        """Wait until the tail knows its position; returns the newest one. Raises: TransientError."""
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                while self.position is None:
                    await self._wait_news()
        except TimeoutError as error:
            raise TransientError("The feed can't reach its history; try again later.", code="feed_unavailable") from error
        return self.position

    async def fetch_snapshot(self, after: int | None, load_id: int | None) -> Message:
        """Return a snapshot; clients that connect at once share one, for the events after it follow."""
        self.metrics.feed_snapshots.inc()
        if after is not None or load_id is not None:
            return await self.history.fetch_snapshot(after, load_id)
        async with self._snapshot_lock:
            if self._snapshot is None or time.monotonic() - self._snapshot[0] > _SNAPSHOT_AGE_S:
                self._snapshot = (time.monotonic(), await self.history.fetch_snapshot(None, None))
            return self._snapshot[1]

    async def _wait_news(self) -> None:
        if self._is_stopped:
            raise TransientError("The hub stops; come back.", code="hub_stops")
        await self._news.wait()

    async def _advance(self) -> None:
        if self.position is None:
            await self._publisher.publish()
            self._move(max(0, await self.history.fetch_position() - _WARM))
        after = self.position or 0
        messages = await self._read(after)
        if messages and messages[0].position != after + 1:
            # Trimmed or lost in Redis while we were away: the outbox has it, or nobody has and readers will notice.
            messages = await self.history.read_outbox(after)
        if not messages:
            # Nobody published for a while, or the stream is another database's: publishing mends both.
            await self._publisher.publish()
        self._append(messages)

    async def _read(self, after: int) -> list[Message]:
        try:
            messages = await self.history.read_stream(after, wait_ms=_WAIT_MS)
        except MalformedEventError:
            await asyncio.sleep(_RETRY_S)  # the stream gives it again and again, until the outbox has a later one
            return await self.history.read_outbox(after)
        except TransientError as error:
            if not self._is_redis_away:
                LOG.warning("the feed reads the outbox", extra={"reason": error.message})
            self._is_redis_away = True
            await asyncio.sleep(_RETRY_S)
            return await self.history.read_outbox(after)
        self._is_redis_away = False
        return messages

    def _append(self, messages: list[Message]) -> None:
        for message in messages:
            if message.position != (self.position or 0) + 1:
                self._ring.clear()
            self._ring.append(message)
            self.position = message.position
        if len(self._ring) > 2 * _RING:
            del self._ring[:-_RING]
        if messages:
            self._move(messages[-1].position)

    def _move(self, position: int) -> None:
        self.position = position
        self.metrics.feed_position.set(position)
        news, self._news = self._news, asyncio.Event()
        news.set()


class Reader:
    """One client's position in the feed. For a slow client, events that a newer one of the same load replaces are left out."""

    def __init__(self, feed: Feed, *, last: int | None, load_id: int | None) -> None:
        self._is_slow = False
        self._given_at: float | None = None
        self._feed = feed
        self._load_id = load_id
        self._last = last
        self._position: int | None = None

    async def next_messages(self) -> list[Message]:
        """Wait for what comes next. Raises: TransientError when history can't be read, NotFoundError for no such load.

        Call it again when the client has taken these: a client that took long over them and is far behind is slow.
        """
        self._is_slow = self._was_slow()
        messages = await self._wait()
        self._given_at = time.monotonic()
        return messages

    def _was_slow(self) -> bool:
        if self._given_at is None or self._position is None:
            return False
        is_behind = (self._feed.position or 0) - self._position > PAGE
        return is_behind and time.monotonic() - self._given_at > SLOW_S

    async def _wait(self) -> list[Message]:
        if self._position is None:
            newest = await self._feed.wait_started()
            if self._last is None or await self._is_foreign(self._last, newest):
                return [await self._take_snapshot(None)]
            self._position = self._last
        while True:
            await self._feed.wait_after(self._position)
            page = await self._read_page(self._position)
            if page is None:
                return [await self._take_snapshot(self._position)]
            self._position = page[-1].position
            if wanted := self._choose(page):
                return wanted

    async def _is_foreign(self, last: int, newest: int) -> bool:
        # A position that was never given: the client knows another database's past.
        return last > newest and last > await self._feed.history.fetch_position()

    async def _take_snapshot(self, after: int | None) -> Message:
        snapshot = await self._feed.fetch_snapshot(after, self._load_id)
        self._position = snapshot.position
        return snapshot

    async def _read_page(self, position: int) -> list[Message] | None:
        page = self._feed.list_after(position)
        if page is not None:
            return page if self._is_slow else page[:PAGE]
        async with self._feed.catch_ups:
            try:
                page = await self._feed.history.read_stream(position, limit=PAGE)
            except TransientError:
                page = []
            if not is_next(page, position):
                page = await self._feed.history.read_outbox(position, limit=PAGE)
        return page if is_next(page, position) else None

    def _choose(self, page: list[Message]) -> list[Message]:
        wanted = page if self._load_id is None else [message for message in page if message.load_id == self._load_id]
        if not self._is_slow:
            return wanted
        newest = {message.load_id: message.position for message in wanted}
        kept = [message for message in wanted if message.is_terminal or newest[message.load_id] == message.position]
        self._feed.metrics.feed_conflated.inc(len(wanted) - len(kept))
        return kept
