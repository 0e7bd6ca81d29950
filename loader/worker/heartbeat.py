"""Heartbeat: a file for each queue of a worker process, touched when the process asks the queue for work.

<data folder>/workers/<process id>-<queue>; a container's health check looks at their ages (infra/probe.py). Unlike Dramatiq's
heartbeats in Redis they tell processes apart, and they go on while Redis is away.
"""

import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Final

LOG = logging.getLogger(__name__)

FOLDER: Final = "workers"
_INTERVAL_S: Final = 1.0


class Heartbeat:
    """The files of this process; data_dir is made where it is missing."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._beaten_at: dict[str, float] = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _remove_dead(self._folder)
        except OSError as error:
            LOG.warning("no heartbeat files", extra={"folder": str(self._folder), "reason": error.strerror})

    def beat(self, queue: str) -> None:
        """Note that the process asks this queue; touches the file once a second at most."""
        now = time.monotonic()
        if now - self._beaten_at.get(queue, -_INTERVAL_S) >= _INTERVAL_S:
            self._beaten_at[queue] = now
            with contextlib.suppress(OSError):  # the health check reports it: the file is missing or old
                self._path(queue).touch()

    def remove(self) -> None:
        """Remove the files: the process ends."""
        for queue in self._beaten_at:
            self._path(queue).unlink(missing_ok=True)

    def _path(self, queue: str) -> Path:
        return self._folder / f"{os.getpid()}-{queue}"


def _remove_dead(folder: Path) -> None:
    for path in folder.iterdir():
        pid = path.name.partition("-")[0]
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, ValueError):
            path.unlink(missing_ok=True)
        except PermissionError:
            continue
