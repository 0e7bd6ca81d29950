"""Labels: the names of regions and datasources as the small ids that trips carry.

Names are made in a transaction of their own before the batch's, so that parallel batches don't wait for each other; one that
stays behind without trips does no harm.
"""

import threading
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlalchemy import Engine

from shared.database import execute, transaction
from shared.errors import TerminalError, TripdeckError

Table = Literal["region", "datasource"]

_MOST: Final = 32_767  # ids are smallint
_SEQUENCE_EXHAUSTED: Final = "2200H"


@dataclass(frozen=True)
class LabelColumn:
    """A column of names as codes into ids. Shape: codes has one entry per row, from 0; ids one per name."""

    codes: npt.NDArray[np.uint8 | np.uint16 | np.uint32]
    ids: npt.NDArray[np.int16]

    def take(self, order: npt.NDArray[np.int64]) -> "LabelColumn":
        """The same column in another order."""
        return LabelColumn(self.codes[order], self.ids)


class Labels:
    """Ids by name, remembered for the life of the process: a name never changes its id."""

    def __init__(self) -> None:
        self._ids: dict[tuple[Table, str], int] = {}
        self._lock = threading.Lock()

    def encode(self, engine: Engine, table: Table, names: pl.Series) -> LabelColumn:
        """Ids of a column of names, an enum; makes those that are new.

        Raises: TerminalError when there are more names than ids.
        """
        categories: pl.Series = names.dtype.categories  # type: ignore[attr-defined]
        codes = names.to_physical().to_numpy()
        used = np.flatnonzero(np.bincount(codes, minlength=len(categories)))
        if len(used) < len(categories):  # the others are names of rejected rows
            place = np.zeros(len(categories), np.uint32)
            place[used] = np.arange(len(used))
            codes = place[codes]
        return LabelColumn(codes, np.array(self._list_ids(engine, table, categories.gather(used).to_list()), np.int16))

    def _list_ids(self, engine: Engine, table: Table, names: list[str]) -> list[int]:
        if len(names) > _MOST:
            raise _too_many(table)
        with self._lock:
            missing = [name for name in names if (table, name) not in self._ids]
            if missing:
                self._ids.update({(table, name): found for name, found in _make_names(engine, table, missing).items()})
            return [self._ids[table, name] for name in names]


def _make_names(engine: Engine, table: Table, names: list[str]) -> dict[str, int]:
    try:
        with transaction(engine) as connection:
            execute(connection, f"insert_{table}s", names=names)
            rows = execute(connection, f"list_{table}_ids", names=names)
            return {row.name: getattr(row, f"{table}_id") for row in rows}
    except TripdeckError as error:
        if error.facts.get("sqlstate") == _SEQUENCE_EXHAUSTED:
            raise _too_many(table) from error
        raise


def _too_many(table: Table) -> TerminalError:
    return TerminalError(
        f"There are more than {_MOST:,} different {table}s. Is the right column taken for the {table}?", code="too_many_names"
    )
