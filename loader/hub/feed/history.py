"""Past events: from the Redis stream, from the database's outbox, or as a snapshot of the loads."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import Engine

from loader.hub.support.executors import BoundedExecutor
from loader.hub.support.metrics import Metrics
from shared.domain.load_states import TERMINAL_STATES
from shared.events import STREAM, Event, list_events_after, make_event
from shared.platform.errors import NotFoundError, TransientError
from shared.platform.settings import Settings
from shared.services.database import execute, transaction

LOG = logging.getLogger(__name__)

_PAGE: Final = 500
# Longer than the longest wait for news, so that only a server that is gone runs into it.
_SOCKET_TIMEOUT_S: Final = 10
_CONNECT_TIMEOUT_S: Final = 3
# A snapshot is one message: at some 700 bytes a load, 1,000 loads make 0.7 MB.
_RECENT_LOADS: Final = 100
_MAX_LOADS: Final = 1_000


class MalformedEventError(TransientError):
    """An entry that is no event of this version. Events after it are read from the outbox."""

    code = "malformed_event"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to a client: an event of one load, or a snapshot (no load) of all loads up to its position."""

    position: int
    kind: str
    text: str
    load_id: int | None = None
    is_terminal: bool = False


class History:
    """Reads pages of events after a position. Every method raises TransientError when the service that it reads is away."""

    def __init__(self, engine: Engine, settings: Settings, executor: BoundedExecutor, *, metrics: Metrics) -> None:
        self._metrics = metrics
        self._engine = engine
        self._executor = executor
        self._redis = redis.asyncio.Redis.from_url(
            settings.redis_url.get_secret_value(),
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            socket_timeout=_SOCKET_TIMEOUT_S,
            # Once more for a connection that a restart left dead; the outbox is the answer to all else.
            retry=Retry(NoBackoff(), 1),
            decode_responses=True,
        )

    async def read_stream(self, after: int, *, wait_ms: int | None = None, limit: int = _PAGE) -> list[Message]:
        """Return events after a position from the stream, up to the first malformed one; may wait for the first.

        The first may lie beyond a gap. Raises: MalformedEventError when the first is malformed.
        """
        try:
            answer: Any = await self._redis.xread({STREAM: f"{after}-0"}, count=limit, block=wait_ms)
        except (redis.RedisError, OSError) as error:
            raise TransientError(f"Redis can't be reached: {error}", code="queue_unavailable") from error
        messages: list[Message] = []
        for entry_id, fields in _list_entries(answer):
            try:
                messages.append(_parse_entry(entry_id, fields))
            except MalformedEventError as error:
                self._count_malformed("stream", entry_id, error)
                if not messages:
                    raise
                break
        return messages

    async def read_outbox(self, after: int, *, limit: int = _PAGE) -> list[Message]:
        """Return events after a position from the outbox."""
        messages = []
        for event in await self._executor.run(self._list_outbox, after, limit):
            try:
                messages.append(_make_message(event))
            except MalformedEventError as error:  # passed over: whoever notices the gap gets a snapshot
                self._count_malformed("outbox", str(event.get("position")), error)
        return messages

    async def fetch_position(self) -> int:
        """Return the newest position of the outbox."""
        return await self._executor.run(self._fetch_position)

    async def fetch_snapshot(self, after: int | None, load_id: int | None) -> Message:
        """Return the current loads, with all that have events after a position. Raises: NotFoundError for an unknown load."""
        return await self._executor.run(self._fetch_snapshot, after, load_id)

    async def check(self) -> None:
        """Ping Redis."""
        try:
            await self._redis.ping()
        except (redis.RedisError, OSError) as error:
            raise TransientError(f"Redis can't be reached: {error}", code="queue_unavailable") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _count_malformed(self, source: str, entry_id: str, error: TransientError) -> None:
        self._metrics.feed_malformed.labels(source).inc()
        LOG.warning("a malformed event", extra={"source": source, "entry": entry_id[:40], "reason": error.message})

    def _list_outbox(self, after: int, limit: int) -> list[Event]:
        with transaction(self._engine) as connection:
            return list_events_after(connection, after, limit)

    def _fetch_position(self) -> int:
        with transaction(self._engine) as connection:
            position: int = execute(connection, "fetch_last_position").scalar_one()
            return position

    def _fetch_snapshot(self, after: int | None, load_id: int | None) -> Message:
        with transaction(self._engine) as connection:
            if load_id is not None and not execute(connection, "has_load", load_id=load_id).scalar_one():
                raise NotFoundError(f"There is no load {load_id}.", load_id=load_id)
            rows = execute(
                connection, "fetch_feed_snapshot", after=after, load_id=load_id, recent=_RECENT_LOADS, limit=_MAX_LOADS
            ).mappings()
            found = [dict(row) for row in rows]
        loads = [make_event(row) for row in found if row["position"] is not None]
        position: int = found[0]["last_position"]
        return Message(position, "snapshot", json.dumps({"kind": "snapshot", "position": position, "loads": loads}))


def is_next(messages: list[Message], after: int) -> bool:
    """Return whether events follow a position without a gap."""
    return bool(messages) and messages[0].position == after + 1 and messages[-1].position == after + len(messages)


def _make_message(event: Event) -> Message:
    try:
        is_terminal = event["state"] in TERMINAL_STATES
        position, load_id, kind = event["position"], event["load_id"], event["kind"]
    except (KeyError, TypeError) as error:
        raise MalformedEventError(f"It has no {error}.") from error
    if type(position) is not int or type(load_id) is not int or type(kind) is not str:
        raise MalformedEventError("Its position, load or kind is of another type.")
    return Message(position, kind, json.dumps(event), load_id, is_terminal=is_terminal)


def _parse_entry(entry_id: str, fields: Mapping[str, str]) -> Message:
    try:
        event = json.loads(fields["event"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise MalformedEventError("It holds no JSON text named event.") from error
    message = _make_message(event)
    if entry_id != f"{message.position}-0":
        raise MalformedEventError(f"Its own position is {message.position}.")
    return message


def _list_entries(answer: Any) -> list[tuple[str, dict[str, str]]]:  # noqa: ANN401 - redis-py types it as a union of both forms
    # {stream: [[(id, fields), …]]} in RESP3, [[stream, [(id, fields), …]]] in RESP2, nothing when the wait was in vain.
    if not answer:
        return []
    entries = answer[STREAM][0] if isinstance(answer, dict) else answer[0][1]
    return list(entries)
