"""Parquet: the same trips from typed columns.

A Parquet file says what it holds at its end, so the scanner reads the stream once, keeps the footer, and then names slices: row
groups, or parts of large ones. A slice's bytes are those of its row group's columns; parsing puts them back in their place beside
the footer, which travels in the plan. Line and record numbers of rejects count rows.
"""

import base64
import io
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from loader.formats.parquet_source import ParquetSource, to_text
from loader.formats.plan import BatchSlice, FilePlan, LoadOptions, ParsedBatch
from loader.formats.schema import REJECT_SCHEMA
from loader.formats.verdicts import judge_rows
from shared.errors import FileFormatError

MAGIC = b"PAR1"
# A footer of one column and row group takes about 100 bytes; this is enough for 100 columns and 1,000 row groups.
FOOTER_LIMIT_BYTES = 16 * 2**20
ROWS_PER_BATCH = 2**18
ROW_GROUP_LIMIT_BYTES = 512 * 2**20


class Places(io.RawIOBase):
    """A file of which only some places are there: (offset, bytes) each; elsewhere it reads as zeros."""

    def __init__(self, size: int, parts: list[tuple[int, bytes]]) -> None:
        super().__init__()
        self._size, self._parts, self._at = size, parts, 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be sought in."""
        return True

    def tell(self) -> int:
        """Give the place."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read from one of the parts, to its end at most. Raises: FileFormatError where nothing is."""
        size = self._size - self._at if size is None or size < 0 else min(size, self._size - self._at)
        if size <= 0:
            return b""
        for offset, data in self._parts:
            if offset <= self._at < offset + len(data):
                begin = self._at - offset
                found = data[begin : begin + size]
                self._at += len(found)
                return found
        raise FileFormatError("The Parquet file is damaged: a column lies outside its row group.", code="damaged_archive")


def measure_footer(tail: bytes) -> int:
    """Tell how many bytes a file's footer and the marks behind it take, from its last 8 bytes; 0 where it has none."""
    size = int.from_bytes(tail[-8:-4], "little") + 8
    return size if tail[-4:] == MAGIC and size <= FOOTER_LIMIT_BYTES else 0


def pack_footer(tail: bytes) -> str:
    """Pack a footer for the plan. Raises: FileFormatError for a file that was cut off or is damaged."""
    size = int.from_bytes(tail[-8:-4], "little")
    if len(tail) < 12 or tail[-4:] != MAGIC or size + 8 > len(tail):
        raise FileFormatError("The Parquet file is cut off or damaged: its end is missing.", code="truncated_archive")
    return base64.b64encode(zlib.compress(tail[-(size + 8) :])).decode()


def read_metadata(footer: str) -> pq.FileMetaData:
    """Read the metadata from a packed footer. Raises: FileFormatError if it is damaged."""
    try:
        return pq.read_metadata(io.BytesIO(MAGIC + zlib.decompress(base64.b64decode(footer))))
    except (pa.ArrowException, OSError) as error:
        raise FileFormatError(f"The Parquet file is damaged ({' '.join(str(error).split())}).", code="damaged_archive") from error


def list_slices(plan: FilePlan) -> Iterator[BatchSlice]:
    """Name the slices of a file: the row groups, parts of those with many rows. Shape: rows in order, each in one slice."""
    metadata = read_metadata(plan.footer or "")
    batch_no = rows_before = 0
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        offset, size = _find_range(row_group, plan)
        for first in range(0, row_group.num_rows, ROWS_PER_BATCH):
            rows = min(ROWS_PER_BATCH, row_group.num_rows - first)
            yield BatchSlice(batch_no, offset, size, rows_before, rows_before, row_group=group, first_row=first, rows=rows)
            batch_no, rows_before = batch_no + 1, rows_before + rows


def _find_range(row_group: pq.RowGroupMetaData, plan: FilePlan) -> tuple[int, int]:
    """Find the bytes of a row group that hold the columns with roles. Raises: FileFormatError if they are too many."""
    chunks = list(list_chunks(row_group, plan))
    begin, end = min(start for start, _ in chunks), max(start + size for start, size in chunks)
    if end - begin > ROW_GROUP_LIMIT_BYTES:
        raise FileFormatError(
            f"A row group of the Parquet file takes more than {ROW_GROUP_LIMIT_BYTES // 2**20} MiB. Write it with smaller ones.",
            code="row_group_too_large",
        )
    return begin, end - begin


def list_chunks(row_group: pq.RowGroupMetaData, plan: FilePlan) -> Iterator[tuple[int, int]]:
    """Find offset and bytes of each column of a row group that has a role."""
    wanted = {plan.columns[column] for column in plan.roles.values()}
    for index in range(row_group.num_columns):
        column = row_group.column(index)
        if column.path_in_schema.split(".")[0] in wanted:
            start = column.data_page_offset
            if column.has_dictionary_page and column.dictionary_page_offset:
                start = min(start, column.dictionary_page_offset)
            yield start, column.total_compressed_size


def parse_row_group(data: bytes, plan: FilePlan, piece: BatchSlice, *, options: LoadOptions) -> ParsedBatch:
    """Parse the rows of one slice. Shape: as parse_batch."""
    return judge_table(_read_rows(data, plan, piece), plan, options)


def judge_table(table: pa.Table, plan: FilePlan, options: LoadOptions) -> ParsedBatch:
    """Judge rows that were read. Shape: as parse_batch."""
    source = ParquetSource(plan.columns, table)
    verdicts = judge_rows(source, plan, options)
    rows = verdicts.bad_rows + 1
    rejects = pl.DataFrame(
        {
            "line_in_batch": rows,
            "record_in_batch": rows,
            "column_name": verdicts.faults["column_name"],
            "reason": verdicts.faults["reason"],
            "value": verdicts.faults["value"],
            "raw": source.describe(verdicts.bad_rows, sorted(set(plan.roles.values()))),
        },
        schema=dict(REJECT_SCHEMA),
    )
    return ParsedBatch(verdicts.trips, rejects, len(source), verdicts.warnings)


def _read_rows(data: bytes, plan: FilePlan, piece: BatchSlice) -> pa.Table:
    metadata = read_metadata(plan.footer or "")
    names = list_names(plan)
    size = piece.offset + len(data)
    try:
        file = pq.ParquetFile(Places(size, [(piece.offset, data)]), metadata=metadata)
        batches, at = [], 0
        end = piece.first_row + piece.rows
        for batch in file.iter_batches(batch_size=65_536, row_groups=[piece.row_group], columns=names):
            low, high = max(piece.first_row - at, 0), min(end - at, batch.num_rows)
            if low < high:
                batches.append(batch.slice(low, high - low))
            at += batch.num_rows
            if at >= end:
                break
        return pa.Table.from_batches(batches)
    except (pa.ArrowException, OSError) as error:
        raise FileFormatError(f"The Parquet file is damaged ({' '.join(str(error).split())}).", code="damaged_archive") from error


def list_names(plan: FilePlan) -> list[str]:
    """List the columns that have a role."""
    return [plan.columns[column] for column in sorted(set(plan.roles.values()))]


def sample_columns(footer: str) -> tuple[tuple[str, ...], list[pl.Series]]:
    """Give the columns' names and some values of each as text, from the statistics that Parquet keeps of every row group."""
    metadata = read_metadata(footer)
    schema = metadata.schema.to_arrow_schema()
    return tuple(schema.names), [_sample_column(metadata, field) for field in schema]


def _sample_column(metadata: pq.FileMetaData, field: pa.Field) -> pl.Series:
    values: dict[str, list[Any]] = {}
    for group in range(min(metadata.num_row_groups, 100)):
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            column = row_group.column(index)
            if column.path_in_schema.split(".")[0] == field.name and column.is_stats_set and column.statistics.has_min_max:
                values.setdefault(column.path_in_schema, []).extend((column.statistics.min, column.statistics.max))
    return to_text(field, values)


def keep_tail(chunks: Iterable[bytes]) -> bytes:
    """Read a stream to its end and give its last bytes, enough for a footer."""
    kept: deque[bytes] = deque()
    size = 0
    for chunk in chunks:
        kept.append(chunk)
        size += len(chunk)
        while size - len(kept[0]) >= FOOTER_LIMIT_BYTES:
            size -= len(kept.popleft())
    return b"".join(kept)
