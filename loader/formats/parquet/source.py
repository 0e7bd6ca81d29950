"""Columns of Parquet rows, as validate_rows wants them."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.coordinates.points import parse_point_text
from loader.formats.coordinates.routes import parse_routes
from loader.formats.coordinates.wkb import parse_wkb
from loader.formats.model.time_format import MISSING, Microseconds, TimeFormat
from loader.formats.parquet.types import find_wkb, to_series, write_text
from loader.formats.text.numbers import Floats, parse_numbers
from loader.formats.text.records import Offsets
from loader.formats.times.number_times import format_numbers
from loader.formats.times.parser import Times, parse_times, to_wall
from loader.formats.validation.column_source import number_texts
from loader.formats.vocabulary.column_names import read_name

# Microseconds beyond every year that is loaded, where the value itself would not fit: out of range, not unreadable.
_FAR_US = 2**62
_UNITS_US = {"ms": 1_000, "us": 1, "ns": 1}
_DAY_US = 86_400_000_000


class ParquetSource:
    """Typed columns. Shape of table: one column per field that is needed, named by its number."""

    def __init__(self, columns: tuple[str, ...], table: pa.Table) -> None:
        self._columns = columns
        self._table = table
        self._known: dict[int, pl.Series] = {}
        self._names: dict[int, tuple[pl.Series, Offsets]] = {}

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def _series(self, column: int) -> pl.Series:
        if column not in self._known:
            self._known[column] = to_series(self._table.column(str(column)))
        return self._known[column]

    def _is_instant(self, column: int) -> bool:
        kind = self._table.schema.field(str(column)).type
        return pa.types.is_timestamp(kind) and kind.tz is not None

    def is_nested(self, column: int) -> bool:
        """Return whether a column holds more than one value a row, or binary ones that begin as WKB."""
        series = self._series(column)
        is_binary = isinstance(series.dtype, pl.Binary) and bool(find_wkb(series).any())
        return is_binary or isinstance(series.dtype, pl.Struct | pl.List | pl.Array)

    def text(self, column: int) -> pl.Series:
        """Return a column as text; empty where there is nothing. A timestamp adjusted to UTC ends in Z."""
        text = write_text(self._series(column))
        return (text + "Z" if self._is_instant(column) else text).fill_null("")

    def numbers(self, column: int) -> Floats:
        """Return a column as numbers; NaN where there is none."""
        return _to_numbers(self._series(column))

    def points(self, column: int) -> Coordinates:
        """Return a column as points: a struct or map of longitude and latitude, a list of both, WKB, or text."""
        return _read_points(self._series(column))

    def routes(self, column: int, *, precision: int) -> tuple[Coordinates, Coordinates]:
        """Return the first and the last point of a column of lines: lists of points, WKB or text."""
        series = self._series(column)
        if isinstance(series.dtype, pl.List | pl.Array) and isinstance(series.dtype.inner, pl.Struct | pl.List | pl.Array):
            lists = series.arr.to_list() if isinstance(series.dtype, pl.Array) else series
            if not _is_map(lists):
                return _read_points(lists.list.first()), _read_points(lists.list.last())
        if isinstance(series.dtype, pl.Struct | pl.List | pl.Array):
            points = _read_points(series)
            return points, points
        if isinstance(series.dtype, pl.Binary) and find_wkb(series).any():
            return parse_wkb(series.fill_null(b""))
        return parse_routes(self.text(column), precision=precision)

    def times(self, column: int, form: TimeFormat, timezone: str) -> Times:
        """Return a column as times. A timestamp adjusted to UTC is an instant, another is kept as written."""
        series = self._series(column)
        if isinstance(series.dtype, pl.Datetime | pl.Date):
            return to_wall(_to_microseconds(series), np.full(len(series), self._is_instant(column)), timezone)
        if series.dtype.is_numeric():
            return parse_times(format_numbers(series), form, timezone=timezone)
        return parse_times(self.text(column), form, timezone=timezone)

    def names(self, column: int) -> tuple[pl.Series, Offsets]:
        """Return the distinct texts of a column, and which of them each row has."""
        if column not in self._names:
            values = self._table.column(str(column))
            self._names[column] = number_texts(self.text(column)) if pa.types.is_nested(values.type) else _number_values(values)
        return self._names[column]

    def describe(self, rows: npt.NDArray[np.int64], columns: list[int]) -> pl.Series:
        """Return rows as JSON objects of the columns that matter; of two with one name, the second has its number behind it."""
        if len(rows) == 0:
            return pl.Series(dtype=pl.String)
        shown: dict[str, pl.Series] = {}
        for column in columns:
            name = self._columns[column]
            shown[name if name not in shown else f"{name} {column + 1}"] = self.text(column).gather(rows)
        return pl.DataFrame(shown).select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _number_values(values: pa.ChunkedArray) -> tuple[pl.Series, Offsets]:
    """Number the distinct values before they become text; no value is a text of its own."""
    encoded = values.combine_chunks().dictionary_encode()
    texts = write_text(to_series(pa.chunked_array([encoded.dictionary]))).fill_null("")
    codes = encoded.indices.cast(pa.int64()).fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return pl.concat([texts.cast(pl.String), pl.Series([""])]), codes


def _read_points(series: pl.Series) -> Coordinates:
    kind = series.dtype
    if isinstance(kind, pl.Struct):
        names = find_axes([field.name for field in kind.fields])
        if names is not None:
            return Coordinates(*(_to_numbers(series.struct.field(name)) for name in names))
    if isinstance(kind, pl.List):
        return _read_map(series) if isinstance(kind.inner, pl.Struct) else _read_pairs(series)
    if isinstance(kind, pl.Array):
        return _read_pairs(series.arr.to_list())
    if isinstance(kind, pl.Binary):
        return _read_binary(series)
    return parse_point_text(write_text(series).fill_null(""))


def _read_pairs(series: pl.Series) -> Coordinates:
    if isinstance(series.dtype, pl.List) and isinstance(series.dtype.inner, pl.List | pl.Array):
        return _read_points(series.list.first())
    return Coordinates(*(_to_numbers(series.list.get(index, null_on_oob=True)) for index in (0, 1)))


def _read_map(series: pl.Series) -> Coordinates:
    """Read maps of names to numbers, which come as lists of key and value."""
    entries = series.explode().drop_nulls()
    names = find_axes(write_text(entries.struct.field("key")).drop_nulls().unique().to_list()) if _is_map(series) else None
    if names is None:
        return parse_point_text(write_text(series).fill_null(""))
    key, value = pl.element().struct.field("key"), pl.element().struct.field("value")
    found = [series.list.eval(value.filter(key == name)).list.first() for name in names]
    return Coordinates(*map(_to_numbers, found))


def _is_map(series: pl.Series) -> bool:
    inner = series.dtype.inner if isinstance(series.dtype, pl.List) else None
    return isinstance(inner, pl.Struct) and [field.name for field in inner.fields] == ["key", "value"]


def _read_binary(series: pl.Series) -> Coordinates:
    is_wkb = find_wkb(series)
    found = parse_wkb(series.fill_null(b""))[0]
    rest = np.flatnonzero(~is_wkb & series.is_not_null().to_numpy())
    if len(rest):
        texts = parse_point_text(write_text(series.gather(rest)).fill_null(""))
        found.longitude[rest], found.latitude[rest] = texts.longitude, texts.latitude
    return found


def _to_microseconds(series: pl.Series) -> Microseconds:
    """Return days or timestamps as microseconds since 1970; those that don't fit are as far away as fits."""
    values = series.to_physical().cast(pl.Int64).fill_null(MISSING).to_numpy()
    unit = series.dtype.time_unit if isinstance(series.dtype, pl.Datetime) else None
    if unit == "ns":
        return np.where(values == MISSING, MISSING, values // 1_000)
    factor = _UNITS_US[unit] if unit else _DAY_US
    if factor == 1:
        return np.asarray(values, np.int64)
    limit = _FAR_US // factor
    return np.where(values == MISSING, MISSING, np.clip(values, -limit, limit) * factor)


def _to_numbers(series: pl.Series) -> Floats:
    if isinstance(series.dtype, pl.Binary):
        series = write_text(series)
    if isinstance(series.dtype, pl.String):
        return parse_numbers(series)
    values = series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def find_axes(names: list[str]) -> tuple[str, str] | None:
    """Find which of a struct's fields is the longitude and which the latitude."""
    kinds = {read_name(name).kind: name for name in names}
    return (kinds["longitude"], kinds["latitude"]) if {"longitude", "latitude"} <= set(kinds) else None
