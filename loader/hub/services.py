"""Services: what every handler uses, made once in main and passed down."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

import dramatiq
from sqlalchemy import Engine

from loader.hub.feed.publisher import Publisher
from loader.hub.feed.tail import Feed
from loader.hub.feed.unread_bytes import UnreadResponses
from loader.hub.inspection.pool import Inspections
from loader.hub.support.access import Access
from loader.hub.support.executors import BoundedExecutor
from loader.hub.support.metrics import Metrics
from loader.hub.support.upload_gate import UploadGate
from loader.telemetry.backlog import BacklogReader
from shared.platform.settings import Settings
from shared.platform.spans import Tracing
from shared.services.objects import ObjectStore

LOG = logging.getLogger(__name__)


class FeedClient(Protocol):
    """A client of the feed that is to be told when the hub stops."""

    def close_going_away(self) -> None:
        """Close its connection."""


class Tasks:
    """Background tasks; referenced here, because the event loop holds only weak references."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    async def wait(self) -> None:
        """Wait until all have ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            LOG.error("a background task failed", exc_info=error)


@dataclass(frozen=True)
class Executors:
    """Executors by what their calls wait for, so that slow questions do not delay uploads, nor uploads the list of loads."""

    records: BoundedExecutor
    questions: BoundedExecutor
    transfers: BoundedExecutor
    analysts: BoundedExecutor

    def close(self) -> None:
        """Accept no further calls."""
        for executor in (self.records, self.questions, self.transfers, self.analysts):
            executor.close()


@dataclass(frozen=True)
class Services:
    """Connections and helpers of one hub process."""

    settings: Settings
    access: Access
    engine: Engine
    # For questions; a read replica or the same database.
    reader: Engine
    # For questions in SQL; None where they are off.
    analyst: Engine | None
    store: ObjectStore
    broker: dramatiq.Broker
    tracing: Tracing
    executors: Executors
    feed: Feed
    publisher: Publisher
    metrics: Metrics
    backlog: BacklogReader
    upload_gate: UploadGate
    inspections: Inspections
    unread: UnreadResponses
    tasks: Tasks = field(default_factory=Tasks)
    feed_clients: "set[FeedClient]" = field(default_factory=set)
    drain: asyncio.Event = field(default_factory=asyncio.Event)
