"""Source: typed access to the columns of a batch, the same for text and for Parquet."""

from typing import Protocol

import numpy as np
import polars as pl

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.coordinates.points import parse_points
from loader.formats.coordinates.routes import parse_routes
from loader.formats.model.time_format import MISSING, TimeFormat
from loader.formats.text.fields import FieldTable
from loader.formats.text.kernels import dictionary_encode, read_numbers, read_stamps
from loader.formats.text.numbers import Floats, parse_numbers
from loader.formats.text.records import Offsets
from loader.formats.times.parser import Times, parse_times


class Source(Protocol):
    """Columns of a batch, by index. Shape: one value per row."""

    def __len__(self) -> int: ...

    def text(self, column: int) -> pl.Series:
        """Return a column as text."""
        ...

    def numbers(self, column: int) -> Floats:
        """Return a column as numbers; NaN where there is none."""
        ...

    def points(self, column: int) -> Coordinates:
        """Return a column as points."""
        ...

    def routes(self, column: int, *, precision: int) -> tuple[Coordinates, Coordinates]:
        """Return the first and the last point of a column of lines; encoded ones have so many digits behind the point."""
        ...

    def times(self, column: int, form: TimeFormat, timezone: str) -> Times:
        """Return a column as times."""
        ...

    def names(self, column: int) -> tuple[pl.Series, Offsets]:
        """Return the distinct texts of a column, and which of them each row has."""
        ...


class TextSource:
    """Columns of delimited text."""

    def __init__(self, table: FieldTable, *, decimal: str) -> None:
        self._table = table
        self._decimal = decimal

    def __len__(self) -> int:
        return len(self._table)

    def text(self, column: int) -> pl.Series:
        """Return a column as text."""
        return self._table.text(column)

    def numbers(self, column: int) -> Floats:
        """Return a column as numbers; NaN where there is none."""
        bounds = self._table.bounds(column)
        values = read_numbers(self._table.buffer, bounds.starts, bounds.ends, ord(self._decimal))
        rest = np.flatnonzero(np.isnan(values))
        if len(rest):
            values[rest] = parse_numbers(self._table.cut(bounds.take(rest)), decimal=self._decimal)
        return values

    def points(self, column: int) -> Coordinates:
        """Return a column as points."""
        return parse_points(self._table, column)

    def routes(self, column: int, *, precision: int) -> tuple[Coordinates, Coordinates]:
        """Return the first and the last point of a column of lines; encoded ones have so many digits behind the point."""
        return parse_routes(self._table.text(column), precision=precision)

    def times(self, column: int, form: TimeFormat, timezone: str) -> Times:
        """Return a column as times."""
        bounds = self._table.bounds(column)
        if form.kind != "text" or form.date_order != "ymd":
            return parse_times(self._table.cut(bounds), form, timezone=timezone)
        wall = read_stamps(self._table.buffer, bounds.starts, bounds.ends)
        rest = np.flatnonzero(wall == MISSING)
        if len(rest) == 0:
            return Times(wall, wall)
        times = parse_times(self._table.cut(bounds.take(rest)), form, timezone=timezone)
        exact = wall.copy()
        wall[rest], exact[rest] = times.wall_us, times.exact_us
        return Times(wall, exact)

    def names(self, column: int) -> tuple[pl.Series, Offsets]:
        """Return the distinct texts of a column, and which of them each row has."""
        bounds = self._table.bounds(column)
        if bounds.is_doubled is None:
            codes, firsts = dictionary_encode(self._table.buffer, bounds.starts, bounds.ends)
            if len(firsts) or len(codes) == 0:
                return self._table.cut(bounds.take(firsts)), codes
        return number_texts(self._table.cut(bounds))


def number_texts(text: pl.Series) -> tuple[pl.Series, Offsets]:
    """Return the distinct texts of a column, and which of them each row has; no value is a text of its own."""
    encoded = text.to_arrow().dictionary_encode("encode")
    return pl.Series(encoded.dictionary, dtype=pl.String), encoded.indices.to_numpy().astype(np.int64)


def empty_ends(count: int) -> Coordinates:
    """Return ends of which nothing is known."""
    return Coordinates(np.full(count, np.nan), np.full(count, np.nan))
