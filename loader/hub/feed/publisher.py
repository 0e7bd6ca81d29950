"""Publisher: copies the outbox to the stream at once after the hub's own commits; maintenance would do so within a second."""

import asyncio
import logging

import redis
from sqlalchemy import Engine

from loader.hub.feed.duties import Duty
from loader.hub.support.executors import BoundedExecutor
from shared.events import publish_events
from shared.platform.errors import TripdeckError
from shared.platform.settings import Settings

LOG = logging.getLogger(__name__)


class Publisher:
    """Publishes events one run at a time; notifications during a run lead to one more."""

    def __init__(self, engine: Engine, client: "redis.Redis", *, settings: Settings, executor: BoundedExecutor) -> None:
        self._engine = engine
        self._client = client
        self._history = settings.event_history
        self._executor = executor
        self.duty = Duty("publisher")
        self._unpublished = asyncio.Event()

    def notify(self) -> None:
        """Have new events published soon; to be called after each commit that wrote one."""
        self._unpublished.set()

    async def run(self) -> None:
        """Publish after each notification, until cancelled."""
        with self.duty.running():
            while True:
                await self._unpublished.wait()
                self._unpublished.clear()
                try:
                    await self.publish()
                    self.duty.turn()
                except Exception as error:  # noqa: BLE001 - the next call must find it waiting
                    self.duty.fail(error)

    async def publish(self) -> None:
        """Publish the outbox; when a service is away the events wait for the next run."""
        try:
            await self._executor.run(publish_events, self._engine, self._client, history=self._history)
        except TripdeckError as error:
            LOG.warning("events wait in the outbox", extra={"reason": error.message})
