"""Name ids: the names of regions and datasources as the smallint ids that trips have.

New names are inserted in a transaction of their own before the batch's, so that parallel batches don't wait for each other. An id
is the smallest that is free, so a failure uses none up. The number of new names of a load is limited. When a load that did not
succeed is cleaned, names without trips are removed (drop_unused_names). A batch locks its names while it is stored; where one has
been removed since it was looked up, the batch is prepared again.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlalchemy import Connection, Engine

from shared.platform.errors import TerminalError, TransientError
from shared.services.database import execute, transaction

Table = Literal["region", "datasource"]
TABLES: Final[tuple[Table, ...]] = get_args(Table)

NAMES_CHANGED: Final = "names_changed"
_MOST: Final = 32_767  # ids are smallint


@dataclass(frozen=True)
class LabelColumn:
    """A column of names as codes into ids. Shape: codes has one entry per row, from 0; ids and names one per name."""

    codes: npt.NDArray[np.uint8 | np.uint16 | np.uint32]
    ids: npt.NDArray[np.int16]
    names: tuple[str, ...]

    def take(self, order: npt.NDArray[np.int64]) -> "LabelColumn":
        """The same column in another order."""
        return LabelColumn(self.codes[order], self.ids, self.names)


class Labels:
    """Ids by name, remembered for the life of the process; a batch that uses one makes sure that it is still true."""

    def __init__(self) -> None:
        self._ids: dict[tuple[Table, str], int] = {}
        self._lock = threading.Lock()

    def find(self, table: Table, names: Iterable[str]) -> dict[str, int]:
        """Ids of those of the names that are known."""
        with self._lock:
            return {name: self._ids[table, name] for name in names if (table, name) in self._ids}

    def put(self, table: Table, ids: Mapping[str, int]) -> None:
        """Remember names; others are forgotten when they become more than there are ids."""
        with self._lock:
            if len(self._ids) > _MOST:
                self._ids.clear()
            self._ids.update({(table, name): number for name, number in ids.items()})

    def forget(self) -> None:
        """Look every name up again."""
        with self._lock:
            self._ids.clear()


@dataclass(frozen=True)
class LabelMaker:
    """Makes the names of one load. new_limit: how many that did not exist."""

    labels: Labels
    engine: Engine
    load_id: int
    new_limit: int

    def encode(self, table: Table, names: pl.Series) -> LabelColumn:
        """Ids of a column of names, an enum; makes those that are new.

        Raises: TerminalError when there are too many.
        """
        categories: pl.Series = names.dtype.categories  # type: ignore[attr-defined]
        codes = names.to_physical().to_numpy()
        used = np.flatnonzero(np.bincount(codes, minlength=len(categories)))
        if len(used) < len(categories):  # the others are names of rejected rows
            place = np.zeros(len(categories), np.uint32)
            place[used] = np.arange(len(used))
            codes = place[codes]
        found = tuple(categories.gather(used).to_list())
        return LabelColumn(codes, np.array(self._list_ids(table, found), np.int16), found)

    def _list_ids(self, table: Table, names: tuple[str, ...]) -> list[int]:
        ids = self.labels.find(table, names)
        missing = [name for name in names if name not in ids]
        if missing:
            made = self._make(table, missing)
            self.labels.put(table, made)
            ids |= made
        return [ids[name] for name in names]

    def _make(self, table: Table, names: list[str]) -> dict[str, int]:
        with transaction(self.engine) as connection:
            execute(connection, "lock_names")
            new = execute(connection, f"count_new_{table}s", load_id=self.load_id, names=names).one()
            if new.missing and new.missing + new.made > self.new_limit:
                raise TerminalError(
                    f"The file brings more than {self.new_limit:,} new {table}s. Is the right column taken for the {table}? "
                    "Where it is, raise TRIPDECK_NEW_NAMES_LIMIT.",
                    code="too_many_names",
                )
            execute(connection, f"insert_{table}s", load_id=self.load_id, names=names)
            ids = {row.name: row.id for row in execute(connection, f"list_{table}_ids", names=names)}
            if len(ids) < len(set(names)):
                raise TerminalError(
                    f"There are {_MOST:,} {table}s, as many as there can be. Undo loads whose {table}s nobody needs, then retry.",
                    code="too_many_names",
                )
            return ids


def hold_names(connection: Connection, table: Table, column: LabelColumn) -> None:
    """Keep a column's names until the caller's transaction ends. Raises: TransientError when one has been removed."""
    held = {row.id: row.name for row in execute(connection, f"hold_{table}s", ids=column.ids.tolist())}
    if held != dict(zip(column.ids.tolist(), column.names, strict=True)):
        raise TransientError(f"A {table} of the batch was removed meanwhile; it is made again.", code=NAMES_CHANGED)


def drop_unused_names(engine: Engine) -> int:
    """Remove names that no trip carries and no running load has made; returns how many."""
    dropped = 0
    for table in TABLES:
        with transaction(engine) as connection:
            ids = list(execute(connection, f"lock_unused_{table}s").scalars())
            if ids:  # the second statement sees what batches that held a name have committed before it was locked
                dropped += execute(connection, f"delete_unused_{table}s", ids=ids).scalar_one()
    return dropped
