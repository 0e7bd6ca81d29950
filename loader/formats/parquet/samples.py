"""Samples of Parquet columns, for detection: values that the file holds, read where they are at hand.

sampler = ColumnSampler(ranges, layout)
sampler.text(3)                  # values of field 3 as text; what its type tells where they are not at hand
sampler.missing                  # fields of which that was so
"""

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import polars as pl
import pyarrow as pa

from loader.formats.containers.byte_ranges import ByteRanges, BytesMissingError
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.parquet.layout import Layout
from loader.formats.parquet.limits import count_rows_per_batch
from loader.formats.parquet.reader import RowRange, RowReader, format_errors
from loader.formats.parquet.source import ParquetSource, find_axes
from loader.formats.vocabulary.column_names import read_name

# Rows of a sample: so many of each of some row groups, spread over the file; more of them where those hold nothing.
SAMPLE_ROWS, SAMPLE_GROUPS, LONGER_SAMPLE_ROWS = 1_000, 4, 2**16


class ColumnSampler:
    """Values of columns, read when they are asked for and once."""

    def __init__(self, ranges: ByteRanges, layout: Layout) -> None:
        self.missing: set[int] = set()
        self.schema = layout.schema
        self.columns = tuple(field.name or f"column_{number + 1}" for number, field in enumerate(self.schema))
        self._layout, self._reader = layout, RowReader(ranges, layout)
        self._groups = _pick_groups(layout.list_filled(), SAMPLE_GROUPS if ranges.is_whole else 1)
        self._known: dict[int, pa.ChunkedArray | None] = {}

    def read(self, field: int) -> pa.ChunkedArray | None:
        """Return the sample of a column; None where its bytes are not at hand. Raises: FileFormatError."""
        if field not in self._known:
            try:
                self._known[field] = self._read(field)
            except BytesMissingError:
                self._known[field] = None
                self.missing.add(field)
        return self._known[field]

    def _read(self, field: int) -> pa.ChunkedArray:
        for rows in (SAMPLE_ROWS, LONGER_SAMPLE_ROWS):
            tables = [self._reader.read(RowRange(group, 0, rows, (field,))).table for group in self._groups]
            if not tables:
                return pa.chunked_array([pa.nulls(0, self.schema.field(field).type)])
            column = pa.concat_tables(tables).column(0)
            if column.null_count < len(column):
                break
        return column

    def check(self, fields: tuple[int, ...]) -> None:
        """Check that a batch of each sampled row group unpacks within the limits. Raises: FileFormatError."""
        for group in self._groups:
            row_group = self._layout.groups[group]
            rows = count_rows_per_batch(row_group.rows, row_group.pick(self._layout.pick_leaves(fields)))
            with suppress(BytesMissingError):
                self._reader.check(RowRange(group, 0, rows, fields))

    def make_source(self, fields: tuple[int, ...]) -> ParquetSource | None:
        """Return the first rows of the sample; None where some of their bytes are not at hand. Raises: FileFormatError."""
        columns = [self.read(field) for field in fields]
        if any(column is None for column in columns):
            return None
        rows = min((len(column) for column in columns if column is not None), default=0)
        if len({len(column) for column in columns if column is not None}) > 1:
            rows = min(rows, SAMPLE_ROWS)
        table = pa.table({str(field): column[:rows] for field, column in zip(fields, columns, strict=True) if column is not None})
        return ParquetSource(self.columns, table)

    def text(self, field: int) -> pl.Series:
        """Return a column's values as text in the forms that detection knows. Raises: FileFormatError."""
        column = self.read(field)
        with format_errors():
            if column is None:
                return _guess_text(self.schema.field(field))
            return _write_shapes(ParquetSource(self.columns, pa.table({str(field): column})), field)


def _write_shapes(source: ParquetSource, field: int) -> pl.Series:
    """Return values as text; nested and binary ones as points and lines where they are such."""
    if not source.is_nested(field):
        return source.text(field)
    first, last = source.routes(field, precision=5)
    is_point = (first.longitude == last.longitude) & (first.latitude == last.latitude)
    is_known = ~(np.isnan(first.longitude) | np.isnan(first.latitude) | np.isnan(last.longitude))
    text = source.text(field).to_list()
    for row in np.flatnonzero(is_known).tolist():
        text[row] = _write_point(first, row) if is_point[row] else _write_line(first, last, row)
    return pl.Series(text, dtype=pl.String)


def _write_point(ends: Coordinates, row: int) -> str:
    return f"POINT ({ends.longitude[row]} {ends.latitude[row]})"


def _write_line(first: Coordinates, last: Coordinates, row: int) -> str:
    return f"LINESTRING ({first.longitude[row]} {first.latitude[row]}, {last.longitude[row]} {last.latitude[row]})"


def _pick_groups(filled: list[int], count: int) -> list[int]:
    """Pick some of the row groups that hold rows: the first and others, spread over the file."""
    return [filled[at] for at in np.linspace(0, len(filled) - 1, min(count, len(filled))).astype(int)] if filled else []


def _guess_text(field: pa.Field) -> pl.Series:
    """Return what a column of this type may hold. None of it is quoted."""
    kind, is_type = field.type, pa.types
    if is_type.is_integer(kind) and read_name(field.name).kind in ("time", "date"):
        return pl.Series(["1000000000"])
    made_up = next((value for is_kind, value in _EXAMPLES if is_kind(kind)), None) or _make_up(field)
    return pl.Series([made_up] if made_up else [], dtype=pl.String)


_EXAMPLES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_floating, "0.5"),
    (pa.types.is_integer, "0"),
    (pa.types.is_decimal, "0.5"),
    (pa.types.is_timestamp, "2000-01-01 08:00:00"),
    (pa.types.is_date, "2000-01-01"),
    (pa.types.is_time, "00:00:00"),
)


def _make_up(field: pa.Field) -> str | None:
    kind, is_type = field.type, pa.types
    if is_type.is_struct(kind):
        return "POINT (1 1)" if find_axes([child.name for child in kind]) else "{}"
    if is_type.is_list(kind) or is_type.is_large_list(kind) or is_type.is_fixed_size_list(kind):
        return "POINT (1 1)" if is_type.is_floating(kind.value_type) else "[]"
    if is_type.is_binary(kind) or is_type.is_large_binary(kind):
        return "LINESTRING (1 1, 2 2)" if read_name(field.name).side is None else "POINT (1 1)"
    return None
