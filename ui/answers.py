"""Answers of the database, kept while no load changes the trips, so that panning the map asks for flows only.

    with answers.open() as ask:
        weekly = ask(fetch_weekly, question)       # fetch_weekly(connection, question), or what it said before

Whatever changes trips writes an event in the same transaction, so the number of committed events tells old answers from new ones.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

from shared.database import execute, transaction
from shared.small_counts import SmallCounts

_Answer = TypeVar("_Answer")

# An answer is at most some 300 KB (500 flows, 500 groups, 12,000 cells), so these stay below 80 MB a process.
_KEPT: Final = 256


class Answers:
    """What was asked of the newest state of the data, for all sessions of this process."""

    def __init__(self, engine: Engine, *, min_group_trips: int = 0) -> None:
        self._engine = engine
        self.small = SmallCounts(min_group_trips)
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._version = -1
        self._lock = Lock()

    @contextmanager
    def open(self) -> Iterator["Asker"]:
        """Ask in one transaction. Raises: TransientError when the database is away."""
        with transaction(self._engine) as connection:
            yield Asker(connection, _count_events(connection), self)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def recall(self, version: int, key: Hashable, compute: Callable[[], _Answer]) -> _Answer:
        """The answer kept under the key, else the computed one; two sessions may compute the same at once."""
        with self._lock:
            if version > self._version:
                self._version = version
                self._kept.clear()
            if version == self._version and key in self._kept:
                self._kept.move_to_end(key)
                kept: _Answer = self._kept[key]
                return kept
        answer = compute()
        with self._lock:
            if version == self._version:
                self._kept[key] = answer
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return answer


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks questions of one state of the data."""

    connection: Connection
    version: int
    answers: Answers

    def __call__(self, fetch: Callable[..., _Answer], *question: Hashable) -> _Answer:
        """Call fetch(connection, *question), or recall what it returned for this state of the data."""
        return self.answers.recall(
            self.version, (fetch, question), lambda: self.answers.small.hide(fetch(self.connection, *question))
        )


def _count_events(connection: Connection) -> int:
    numbered: int = execute(connection, "fetch_last_position").scalar_one()
    waiting: int = execute(connection, "count_unnumbered_events").scalar_one()
    return numbered + waiting
