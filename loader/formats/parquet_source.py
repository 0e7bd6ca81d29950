"""Columns of Parquet rows, as judge_rows wants them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from loader.formats.ends import Ends
from loader.formats.names import read_name
from loader.formats.numbers import Floats, parse_numbers
from loader.formats.plan import TimeFormat
from loader.formats.points import parse_point_text
from loader.formats.records import Positions
from loader.formats.routes import parse_routes
from loader.formats.source import number_texts
from loader.formats.times import MISSING, Times, parse_times, to_wall
from loader.formats.values.number_times import format_numbers
from loader.formats.wkb import parse_wkb


class ParquetSource:
    """Typed columns."""

    def __init__(self, columns: tuple[str, ...], table: pa.Table) -> None:
        self._columns = columns
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def _series(self, column: int) -> pl.Series:
        series = pl.from_arrow(self._table.column(self._columns[column]))
        if not isinstance(series, pl.Series):
            raise TypeError(self._columns[column])
        return series

    def text(self, column: int) -> pl.Series:
        """Give a column as text; empty where there is nothing."""
        series = self._series(column)
        if isinstance(series.dtype, pl.Binary):
            series = series.bin.encode("hex")
        elif isinstance(series.dtype, pl.Struct):
            series = pl.select(pl.when(series.is_not_null()).then(series.struct.json_encode())).to_series()
        elif isinstance(series.dtype, pl.List | pl.Array):
            series = pl.Series([None if value is None else str(list(value)) for value in series], dtype=pl.String)
        elif isinstance(series.dtype, pl.Datetime):
            series = series.dt.strftime("%Y-%m-%d %H:%M:%S%.f")
        return series.cast(pl.String, strict=False).fill_null("")

    def numbers(self, column: int) -> Floats:
        """Give a column as numbers; NaN where there is none."""
        return _to_numbers(self._series(column))

    def points(self, column: int) -> Ends:
        """Give a column as points: a struct of longitude and latitude, a list of both, WKB, or text."""
        series = self._series(column)
        if isinstance(series.dtype, pl.Struct):
            names = find_axes([field.name for field in series.dtype.fields])
            if names is not None:
                return Ends(*(_to_numbers(series.struct.field(name)) for name in names))
        if isinstance(series.dtype, pl.List):
            return Ends(*(_to_numbers(series.list.get(index, null_on_oob=True)) for index in (0, 1)))
        if isinstance(series.dtype, pl.Array):
            return Ends(*(_to_numbers(series.arr.get(index, null_on_oob=True)) for index in (0, 1)))
        if isinstance(series.dtype, pl.Binary):
            return parse_wkb(series.fill_null(b""))[0]
        return parse_point_text(self.text(column))

    def routes(self, column: int, *, precision: int) -> tuple[Ends, Ends]:
        """Give the first and the last point of a column of lines: WKB or text."""
        series = self._series(column)
        if isinstance(series.dtype, pl.Binary):
            return parse_wkb(series.fill_null(b""))
        return parse_routes(self.text(column), precision=precision)

    def times(self, column: int, form: TimeFormat, timezone: str) -> Times:
        """Give a column as times. A timestamp adjusted to UTC is an instant, another is kept as written."""
        series = self._series(column)
        if isinstance(series.dtype, pl.Datetime | pl.Date):
            is_instant = isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone is not None
            exact = series.cast(pl.Datetime("us")).cast(pl.Int64).fill_null(MISSING).to_numpy()
            return to_wall(exact, np.full(len(series), is_instant), timezone)
        if series.dtype.is_numeric():
            return parse_times(format_numbers(series), form, timezone=timezone)
        return parse_times(self.text(column), form, timezone=timezone)

    def names(self, column: int) -> tuple[pl.Series, Positions]:
        """Give the distinct texts of a column, and which of them each row has."""
        return number_texts(self.text(column))

    def describe(self, rows: npt.NDArray[np.int64], columns: list[int]) -> pl.Series:
        """Give rows as JSON objects of the columns that matter."""
        if len(rows) == 0:
            return pl.Series(dtype=pl.String)
        frame = pl.DataFrame({self._columns[column]: self.text(column).gather(rows) for column in columns})
        return frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _to_numbers(series: pl.Series) -> Floats:
    if isinstance(series.dtype, pl.String):
        return parse_numbers(series)
    values = series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def find_axes(names: list[str]) -> tuple[str, str] | None:
    """Find which of a struct's fields is the longitude and which the latitude."""
    kinds = {read_name(name).kind: name for name in names}
    return (kinds["longitude"], kinds["latitude"]) if {"longitude", "latitude"} <= set(kinds) else None


def to_text(field: pa.Field, values: dict[str, list[Any]]) -> pl.Series:
    """Give sample values of a column as text in the forms that detection knows; made up by type where there are none."""
    kind = field.type
    made_up = _make_up(field)
    if made_up is not None:
        return pl.Series([made_up])
    found = [str(value) for pair in values.values() for value in pair]
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    return pl.Series(found or (["0.5"] if is_number else []), dtype=pl.String)


def _make_up(field: pa.Field) -> str | None:
    kind, is_type = field.type, pa.types
    if is_type.is_struct(kind):
        return "POINT (1 1)" if find_axes([child.name for child in kind]) else "{}"
    if is_type.is_list(kind) or is_type.is_large_list(kind) or is_type.is_fixed_size_list(kind):
        return "POINT (1 1)" if is_type.is_floating(kind.value_type) else "[]"
    if is_type.is_binary(kind) or is_type.is_large_binary(kind):
        return "LINESTRING (1 1, 2 2)" if read_name(field.name).side is None else "POINT (1 1)"
    if is_type.is_timestamp(kind):
        return "2000-01-01 08:00:00Z" if kind.tz else "2000-01-01 08:00:00"
    return "2000-01-01" if is_type.is_date(kind) else None
