"""Turns: while a load runs, few questions are answered at once, so that the load gets on and each answer still comes soon.

    turns = Turns(engine, beside_loads=1)
    with turns.take(): ...

Askers and a load share the database's cores evenly by process: sixteen askers left a load a tenth of its rate on two cores.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine

from shared.database import execute, transaction
from shared.settings import Settings

# How long it may go unnoticed that a load has begun or ended.
_LOOK_S: Final = 1.0
# A question waits no longer, whatever is before it: one may take half a minute.
_PATIENCE_S: Final = 3.0


def make_turns(engine: Engine, settings: Settings) -> "Turns":
    """Make what the settings say; a replica that answers questions shares no cores with loads."""
    half = max(1, (os.cpu_count() or 1) // 2)
    usual = settings.database_pool_size if settings.read_database_url else half
    return Turns(engine, beside_loads=settings.questions_beside_loads or usual)


class Turns:
    """Turns of the questions of one process. beside_loads: how many are answered at once while a load runs."""

    def __init__(self, engine: Engine, *, beside_loads: int) -> None:
        self._engine = engine
        self._most = beside_loads
        self._running = 0
        self._changed = threading.Condition()
        self._looked_at = -_LOOK_S
        self._is_loading = False

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn, and have it. Raises: TransientError when the database is away."""
        self._look()
        with self._changed:
            self._changed.wait_for(lambda: not self._is_loading or self._running < self._most, timeout=_PATIENCE_S)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()

    def _look(self) -> None:
        with self._changed:
            if time.monotonic() - self._looked_at < _LOOK_S:
                return
            self._looked_at = time.monotonic()
        with transaction(self._engine) as connection:
            self._is_loading = bool(execute(connection, "has_running_loads").scalar_one())
