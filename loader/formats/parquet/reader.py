"""Reader of Parquet rows: the needed columns of some rows of one row group, within limits.

    reader = RowReader(WholeFile(data), layout)
    rows = reader.read(RowRange(row_group=0, first_row=0, rows=1000, fields=(0, 3)))
    rows.table.column("3")                           # field 3, whatever its name

Columns are known by their number: names may hold dots, and may come twice.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.formats.containers.byte_ranges import ByteRanges, RangedFile
from loader.formats.parquet.arrays import Sizes, decode_dictionaries, list_leaf_arrays, measure_rows
from loader.formats.parquet.layout import Layout, encrypted
from loader.formats.parquet.limits import (
    BATCH_VALUES_LIMIT_BYTES,
    check_pages,
    check_row_group,
    check_unpacked,
    damaged,
    refuse_bomb,
)
from loader.formats.parquet.pages import ChunkPages, read_pages
from shared.platform.errors import FileFormatError

# Rows decoded at a time: as many as pay for the calls, and no more than so many bytes by the footer's account.
_ROWS_AT_ONCE, _BYTES_AT_ONCE = 65_536, 64 * 2**20
# Without a buffer pyarrow asks for whole column chunks.
_BUFFER_BYTES = 2**16


@dataclass(frozen=True)
class RowRange:
    """Rows of a row group and the columns (fields of the schema, by number) to read of them."""

    row_group: int
    first_row: int
    rows: int
    fields: tuple[int, ...]


@dataclass(frozen=True)
class Rows:
    """Rows that were read. Shape: one column per field, by number; bytes: of text, binary and nested values per row."""

    table: pa.Table
    bytes: Sizes


@contextmanager
def format_errors() -> Iterator[None]:
    """Turn what libraries raise about a file's bytes into FileFormatError; a panic of polars is no Exception."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        if "ncrypt" in str(error) or "ecrypt" in str(error):
            raise encrypted() from error
        raise damaged(str(error)) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise FileFormatError(
            f"The Parquet file holds a type of values that can't be read ({' '.join(str(error).split())[:200]}). "
            "Write the trips' columns as numbers, texts or timestamps.",
            code="unsupported_type",
        ) from error


class RowReader:
    """Reads rows of one file."""

    def __init__(self, ranges: ByteRanges, layout: Layout) -> None:
        self.layout = layout
        self._ranges = ranges

    def read(self, wanted: RowRange) -> Rows:
        """Read rows, at most as many as the row group has.

        Raises: FileFormatError for files that are damaged, encrypted or beyond the limits; BytesMissingError.
        """
        with format_errors():
            plan = self._begin(wanted)
            batches, sizes = [], [np.empty(0, np.int64)]
            for part, size in _iterate_parts(plan, wanted):
                batches.append(decode_dictionaries(part))
                sizes.append(size)
            return Rows(_join(batches, self.layout.schema, wanted), np.concatenate(sizes))

    def check(self, wanted: RowRange) -> None:
        """Check that rows unpack within the limits, without unpacking them. Raises: as read."""
        with format_errors():
            plan = self._begin(wanted)
            if plan.may_repeat:
                deque(_iterate_parts(plan, wanted), maxlen=0)

    def _begin(self, wanted: RowRange) -> "_ReadPlan":
        leaves = self.layout.pick_leaves(wanted.fields)
        group = self.layout.groups[wanted.row_group]
        check_row_group(group.rows, group.pick(leaves))
        pages = {leaf: self._read_pages(wanted, leaf) for leaf in leaves}
        check_unpacked(sum(page.packed for page in pages.values()), sum(page.unpacked for page in pages.values()))
        check_pages(sum(page.largest for page in pages.values()))
        return self._plan_read(wanted, pages)

    def _read_pages(self, wanted: RowRange, leaf: int) -> ChunkPages:
        chunk = self.layout.groups[wanted.row_group].chunks[leaf]
        rows = wanted.first_row + wanted.rows
        return read_pages(self._ranges, chunk, values=chunk.values if self.layout.is_nested(leaf) else rows)

    def _plan_read(self, wanted: RowRange, pages: dict[int, ChunkPages]) -> "_ReadPlan":
        """Choose how many rows are decoded at a time, and whether texts stay dictionary codes until their length is known."""
        metadata = self.layout.metadata
        group = self.layout.groups[wanted.row_group]
        columns = {leaf: metadata.schema.column(leaf) for leaf in pages}
        unpacked = sum(chunk.unpacked for chunk in group.pick(list(pages)))
        rows = min(_ROWS_AT_ONCE, wanted.first_row + wanted.rows, _BYTES_AT_ONCE * group.rows // max(unpacked, 1))
        file = self._plain
        longest = {leaf: page.largest for leaf, page in pages.items() if page.repeats_beginnings}
        longest |= {leaf: column.length for leaf, column in columns.items() if column.physical_type == "FIXED_LEN_BYTE_ARRAY"}
        coded = [leaf for leaf, page in pages.items() if page.has_dictionary and columns[leaf].physical_type == "BYTE_ARRAY"]
        if coded and group.rows:
            known = _measure_dictionaries(self._coded, wanted, list(pages))
            # Of two columns of one name only one can be had as codes.
            longest |= {leaf: pages[leaf].largest for leaf in coded if leaf not in known}
            if sum(known.values()) * self._count_values(wanted, list(known)) > BATCH_VALUES_LIMIT_BYTES:
                file = self._coded
        nested = [leaf for leaf in longest if self.layout.is_nested(leaf)]
        if sum(longest[leaf] for leaf in nested) * self._count_values(wanted, nested) > BATCH_VALUES_LIMIT_BYTES:
            raise refuse_bomb("Nested columns of the Parquet file unpack to more than they hold")
        at_once = max(1, min(rows, BATCH_VALUES_LIMIT_BYTES // max(sum(longest.values()), 1)))
        return _ReadPlan(file, list(pages), at_once, may_repeat=bool(longest) or file is not self._plain)

    def _count_values(self, wanted: RowRange, leaves: list[int]) -> int:
        """Return how many values the wanted rows have at most in one of some columns."""
        group = self.layout.groups[wanted.row_group]
        nested = [group.chunks[leaf].values for leaf in leaves if self.layout.is_nested(leaf)]
        return max([min(wanted.rows, group.rows), *nested])

    @cached_property
    def _plain(self) -> pq.ParquetFile:
        return self._open(None)

    @cached_property
    def _coded(self) -> pq.ParquetFile:
        return self._open(self.layout.list_texts())

    def _open(self, coded: list[str] | None) -> pq.ParquetFile:
        return pq.ParquetFile(
            RangedFile(self._ranges),
            metadata=self.layout.metadata,
            buffer_size=_BUFFER_BYTES,
            pre_buffer=False,
            read_dictionary=coded,
        )


@dataclass(frozen=True)
class _ReadPlan:
    """How rows are read. may_repeat: values may be longer in their rows than in the file."""

    file: pq.ParquetFile
    leaves: list[int]
    rows_at_once: int
    may_repeat: bool


def _measure_dictionaries(file: pq.ParquetFile, wanted: RowRange, leaves: list[int]) -> dict[int, int]:
    """Return the longest text of each column that comes as codes. Units: bytes."""
    batch = next(_iterate(file, wanted, leaves=leaves, at_once=1), None)
    arrays = [] if batch is None else [leaf for column in batch.columns for leaf in list_leaf_arrays(column)]
    found = {}
    for leaf, array in zip(leaves, arrays, strict=bool(arrays)):
        if isinstance(array, pa.DictionaryArray):
            found[leaf] = pc.max(pc.binary_length(array.dictionary)).as_py() or 0
    return found


def _iterate(file: pq.ParquetFile, wanted: RowRange, *, leaves: list[int], at_once: int) -> Iterator[pa.RecordBatch]:
    # ParquetFile.iter_batches takes names, which may come twice.
    batches: Iterator[pa.RecordBatch] = file.reader.iter_batches(
        at_once, row_groups=[wanted.row_group], column_indices=leaves, use_threads=True
    )
    return batches


def _iterate_parts(plan: _ReadPlan, wanted: RowRange) -> Iterator[tuple[pa.RecordBatch, Sizes]]:
    """Yield the wanted rows piece by piece, undecoded, with the bytes of each. Raises: FileFormatError for too many bytes."""
    at = total = 0
    end = wanted.first_row + wanted.rows
    for batch in _iterate(plan.file, wanted, leaves=plan.leaves, at_once=plan.rows_at_once):
        low, high = max(wanted.first_row - at, 0), min(end - at, batch.num_rows)
        at += batch.num_rows
        if low < high:
            part = batch.slice(low, high - low)
            sizes = measure_rows(part)
            total += int(sizes.sum())
            if total > BATCH_VALUES_LIMIT_BYTES:
                raise refuse_bomb(f"{wanted.rows:,} rows of it unpack to more than {BATCH_VALUES_LIMIT_BYTES // 2**20} MiB")
            yield part, sizes
        if at >= end:
            return


def _join(batches: list[pa.RecordBatch], schema: pa.Schema, wanted: RowRange) -> pa.Table:
    names = [str(field) for field in wanted.fields]
    if not batches:
        return pa.table({str(field): pa.nulls(0, schema.field(field).type) for field in wanted.fields})
    return pa.Table.from_batches(batches).rename_columns(names)
