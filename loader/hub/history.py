"""Past events: from the Redis stream, from the database's outbox, or as a snapshot of the loads."""

import json
import logging
from dataclasses import dataclass
from typing import Any, Final

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import Engine

from loader.hub.threads import ThreadRoom
from shared.database import execute, transaction
from shared.errors import NotFoundError, TransientError
from shared.events import STREAM, TERMINAL_STATES, Event, list_events_after, make_event
from shared.settings import Settings

LOG = logging.getLogger(__name__)

_PAGE: Final = 500
# Longer than the longest wait for news, so that only a server that is gone runs into it.
_SOCKET_TIMEOUT_S: Final = 10
_CONNECT_TIMEOUT_S: Final = 3
# A snapshot is one message: at some 700 bytes a load, 1,000 loads make 0.7 MB.
_RECENT_LOADS: Final = 100
_MAX_LOADS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """What a client is sent. An event of one load, or a snapshot (no load) of everything up to its position."""

    position: int
    kind: str
    text: str
    load_id: int | None = None
    is_terminal: bool = False


class History:
    """Reads pages of events after a position. Every method raises TransientError when what it reads is away."""

    def __init__(self, engine: Engine, settings: Settings, room: ThreadRoom) -> None:
        self._engine = engine
        self._room = room
        self._redis = redis.asyncio.Redis.from_url(
            settings.redis_url.get_secret_value(),
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            socket_timeout=_SOCKET_TIMEOUT_S,
            # Once more for a connection that a restart left dead; the outbox is the answer to all else.
            retry=Retry(NoBackoff(), 1),
            decode_responses=True,
        )

    async def read_stream(self, after: int, *, wait_ms: int | None = None, limit: int = _PAGE) -> list[Message]:
        """Events after a position from the stream; may wait for the first. The first may lie beyond a gap."""
        try:
            answer: Any = await self._redis.xread({STREAM: f"{after}-0"}, count=limit, block=wait_ms)
        except (redis.RedisError, OSError) as error:
            raise TransientError(f"Redis can't be reached: {error}", code="queue_unavailable") from error
        return [_make_message(json.loads(fields["event"])) for fields in _list_entries(answer)]

    async def read_outbox(self, after: int, *, limit: int = _PAGE) -> list[Message]:
        """Events after a position from the database."""
        return [_make_message(event) for event in await self._room.run(self._list_outbox, after, limit)]

    async def fetch_position(self) -> int:
        """The newest position given."""
        return await self._room.run(self._fetch_position)

    async def fetch_snapshot(self, after: int | None, load_id: int | None) -> Message:
        """The loads as they stand; those with events after a position are among them. Raises: NotFoundError for no such load."""
        return await self._room.run(self._fetch_snapshot, after, load_id)

    async def check(self) -> None:
        """Ask Redis for a sign of life."""
        try:
            await self._redis.ping()
        except (redis.RedisError, OSError) as error:
            raise TransientError(f"Redis can't be reached: {error}", code="queue_unavailable") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

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
    """Whether events follow a position without a gap."""
    return bool(messages) and messages[0].position == after + 1 and messages[-1].position == after + len(messages)


def _make_message(event: Event) -> Message:
    return Message(
        event["position"], event["kind"], json.dumps(event), event["load_id"], is_terminal=event["state"] in TERMINAL_STATES
    )


def _list_entries(answer: Any) -> list[dict[str, str]]:  # noqa: ANN401 - redis-py types it as a union of both forms
    # {stream: [[(id, fields), …]]} in RESP3, [[stream, [(id, fields), …]]] in RESP2, nothing when the wait was in vain.
    if not answer:
        return []
    entries = answer[STREAM][0] if isinstance(answer, dict) else answer[0][1]
    return [fields for _, fields in entries]
