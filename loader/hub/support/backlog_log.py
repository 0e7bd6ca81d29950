"""The backlog as a line of the log, for clouds that make metrics of log lines."""

import asyncio
import contextlib
import logging
from dataclasses import asdict

from loader.hub.support.executors import BoundedExecutor
from loader.telemetry.backlog import BacklogReader
from shared.platform.errors import TransientError

LOG = logging.getLogger(__name__)


async def log_backlog(reader: BacklogReader, executor: BoundedExecutor, *, interval_s: float = 60.0) -> None:
    """Log the backlog at once and each interval, until cancelled; no line while it can't be read."""
    while True:
        with contextlib.suppress(TransientError):  # the hub has too much to do: the next line comes in a minute
            found = await executor.run(reader.read)
            if found is not None:
                LOG.info("backlog", extra={"work_pending": found.work_pending, **asdict(found)})
        await asyncio.sleep(interval_s)
