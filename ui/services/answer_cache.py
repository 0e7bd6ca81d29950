"""Answers of the database, kept while no load changes the trips, so that panning the map asks for flows only.

    ask = answers.open()
    weekly = ask(fetch_weekly, question)       # fetch_weekly(connection, question), or what it said before

Each answer is of one committed state of the data (moments.py), also where it takes several statements; what a page sets side
by side is therefore one question. Data versions tell old answers from new ones.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

from shared.index.moments import answer_at_one_moment, fetch_data_version
from shared.services.database import transaction
from shared.small_counts import SmallCounts

_Answer = TypeVar("_Answer")

# An answer is at most some 300 KB (500 flows, 500 groups, 12,000 cells), so these stay below 80 MB a process.
_KEPT: Final = 256


class Answers:
    """What was asked of the newest state of the data, for all sessions of this process."""

    def __init__(self, engine: Engine, *, min_group_trips: int = 0) -> None:
        self.engine = engine
        self.small = SmallCounts(min_group_trips)
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._version = ""
        self._lock = Lock()

    def open(self) -> "Asker":
        """Ask for one drawing of a page. Raises: TransientError when the database is away."""
        with transaction(self.engine) as connection:
            version = fetch_data_version(connection)
        with self._lock:
            self._forget_unless(version)
        return Asker(version, self)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def recall(self, version: str, key: Hashable) -> tuple[Any] | None:
        """The answer kept under the key for that state of the data, in a tuple; None without one."""
        with self._lock:
            if version != self._version or key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return (self._kept[key],)

    def compute(self, key: Hashable, fetch: Callable[[Connection], _Answer], *, reads_trips: bool) -> _Answer:
        """The answer of one state of the data, kept where that is the newest; two sessions may compute the same at once."""
        version, answer = answer_at_one_moment(
            self.engine, lambda connection, version: (version, self.small.hide(fetch(connection))), reads_trips=reads_trips
        )
        with self._lock:
            if version == self._version:
                self._kept[key] = answer
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return answer

    def _forget_unless(self, version: str) -> None:
        if version != self._version:
            self._version = version
            self._kept.clear()


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks questions for one drawing of a page. version: the state of the data that kept answers must be of."""

    version: str
    answers: Answers

    def __call__(self, fetch: Callable[..., _Answer], *question: Hashable, reads_trips: bool = False) -> _Answer:
        """Call fetch(connection, *question) at one state of the data, or recall what it returned.

        reads_trips: whether the question reads trips themselves, not only what is derived from them.
        """
        key = (fetch, question)
        kept: tuple[_Answer] | None = self.answers.recall(self.version, key)
        if kept is not None:
            return kept[0]
        return self.answers.compute(key, lambda connection: fetch(connection, *question), reads_trips=reads_trips)
