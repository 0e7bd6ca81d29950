"""Parquet: the same trips from typed columns.

A Parquet file says what it holds at its end: the footer, which travels in the plan. Slices are row groups, or parts of large
ones. A slice's bytes are those of its row group's needed columns; parsing puts them back in their place beside the footer. Line
and record numbers of rejects count rows.
"""

import base64
import io
import zlib
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from loader.formats.containers.byte_ranges import ByteRanges, BytesMissingError, PartialFile
from loader.formats.model.batches import BatchSlice, ParsedBatch
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.model.reject_reasons import Reason
from loader.formats.parquet.layout import Layout, encrypted
from loader.formats.parquet.limits import (
    FOOTER_LIMIT_BYTES,
    ROW_GROUP_LIMIT_BYTES,
    Chunk,
    check_metadata,
    check_row_group,
    check_rows,
    count_rows_per_batch,
    damaged,
    too_large,
)
from loader.formats.parquet.reader import RowRange, RowReader, Rows, format_errors
from loader.formats.parquet.source import ParquetSource
from loader.formats.validation.reject_details import RAW_LIMIT, VALUE_LIMIT, shorten
from loader.formats.validation.rules import REJECT_SCHEMA, TRIP_SCHEMA
from loader.formats.validation.validate import validate_rows
from shared.platform.errors import FileFormatError

MAGIC, ENCRYPTED_MAGIC = b"PAR1", b"PARE"
_TAIL_BYTES = 8  # length of the footer, and the magic again


def read_footer(ranges: ByteRanges) -> bytes:
    """Return a file's footer with what follows it. Raises: FileFormatError for files without one; BytesMissingError."""
    if ranges.size < len(MAGIC) + _TAIL_BYTES:
        raise _cut_off()
    tail = _read_range(ranges, ranges.size - _TAIL_BYTES, _TAIL_BYTES)
    if tail[-4:] == ENCRYPTED_MAGIC:
        raise encrypted()
    length = int.from_bytes(tail[:4], "little") + _TAIL_BYTES
    if tail[-4:] != MAGIC or length + len(MAGIC) > ranges.size:
        raise _cut_off()
    if length > FOOTER_LIMIT_BYTES:
        raise FileFormatError(
            f"The Parquet file's list of columns takes more than {FOOTER_LIMIT_BYTES // 2**20} MiB. Write it with fewer "
            "columns or larger row groups.",
            code="footer_too_large",
        )
    return _read_range(ranges, ranges.size - length, length)


def _cut_off() -> FileFormatError:
    return FileFormatError("The Parquet file is cut off or damaged: its end is missing.", code="truncated_archive")


def _read_range(ranges: ByteRanges, offset: int, length: int) -> bytes:
    parts: list[bytes] = []
    while (taken := sum(map(len, parts))) < length:
        parts.append(ranges.read(offset + taken, length - taken))
    return b"".join(parts)


def pack_footer(footer: bytes) -> str:
    """Pack a footer for the plan."""
    return base64.b64encode(zlib.compress(footer)).decode()


def read_layout(footer: str) -> Layout:
    """Read a packed footer. Raises: FileFormatError if it is damaged or beyond the limits."""
    with format_errors():
        data = zlib.decompress(base64.b64decode(footer))
        metadata = pq.read_metadata(io.BytesIO(MAGIC + data))
        check_metadata(metadata)
        return Layout.from_metadata(metadata, data)


def list_slices(plan: FilePlan) -> Iterator[BatchSlice]:
    """Name the slices of a file: the row groups, parts of those with many rows. Shape: rows in order, each in one slice."""
    layout = read_layout(plan.footer or "")
    leaves = layout.pick_leaves(list_fields(plan))
    if not layout.list_filled():
        yield BatchSlice(0, 0, len(MAGIC), 0, 0)  # as of a header without rows
    batch_no = rows_before = 0
    for group in layout.list_filled():
        total, chunks = layout.groups[group].rows, layout.groups[group].pick(leaves)
        offset, size = _find_range(chunks)
        step = count_rows_per_batch(total, chunks)
        for first in range(0, total, step):
            rows = min(step, total - first)
            yield BatchSlice(batch_no, offset, size, rows_before, rows_before, row_group=group, first_row=first, rows=rows)
            batch_no, rows_before = batch_no + 1, rows_before + rows


def check_groups(layout: Layout, fields: tuple[int, ...], size: int) -> None:
    """Check every row group's needed columns, and all of them together. size: of the file. Raises: FileFormatError."""
    leaves = layout.pick_leaves(fields)
    rows = packed = 0
    for group in map(layout.groups.__getitem__, layout.list_filled()):
        chunks = group.pick(leaves)
        check_row_group(group.rows, chunks)
        if any(chunk.offset < len(MAGIC) or chunk.offset + chunk.packed > size for chunk in chunks):
            raise damaged("a column lies outside the file")
        rows += group.rows
        packed += sum(chunk.packed for chunk in chunks)
    check_rows(rows, packed)


def _find_range(chunks: list[Chunk]) -> tuple[int, int]:
    """Find the bytes of a row group that hold the columns with roles. Raises: FileFormatError if they are too many."""
    begin, end = min(chunk.offset for chunk in chunks), max(chunk.offset + chunk.packed for chunk in chunks)
    if end - begin > ROW_GROUP_LIMIT_BYTES:
        raise too_large(f"takes more than {ROW_GROUP_LIMIT_BYTES // 2**20} MiB from the first needed column to the last")
    return begin, end - begin


def list_fields(plan: FilePlan) -> tuple[int, ...]:
    """List the columns that have a role, by number."""
    return tuple(sorted(set(plan.roles.values())))


def parse_row_group(data: bytes, plan: FilePlan, piece: BatchSlice, *, options: LoadOptions) -> ParsedBatch:
    """Parse the rows of one slice. Shape: as parse_batch."""
    if piece.rows == 0:
        return ParsedBatch(pl.DataFrame(schema=dict(TRIP_SCHEMA)), pl.DataFrame(schema=dict(REJECT_SCHEMA)), 0)
    return judge_table(read_slice(data, plan, piece), plan, options)


def read_slice(data: bytes, plan: FilePlan, piece: BatchSlice) -> Rows:
    """Read the needed columns of one slice. Raises: FileFormatError for damage."""
    ranges = PartialFile(piece.offset + len(data), ((piece.offset, data),))
    wanted = RowRange(piece.row_group or 0, piece.first_row, piece.rows, list_fields(plan))
    try:
        rows = RowReader(ranges, read_layout(plan.footer or "")).read(wanted)
    except BytesMissingError as error:
        raise damaged("a column lies outside its row group") from error
    if rows.table.num_rows != piece.rows:
        raise damaged(f"a row group holds {rows.table.num_rows:,} rows of {piece.rows:,}")
    return rows


def judge_table(rows: Rows, plan: FilePlan, options: LoadOptions) -> ParsedBatch:
    """Judge rows that were read. Shape: as parse_batch."""
    with format_errors():
        source = ParquetSource(plan.columns, rows.table)
        broken = _find_broken(source, rows, plan)
        is_whole = np.ones(len(source), np.bool_)
        is_whole[broken["row"].to_numpy()] = False
        whole = source if is_whole.all() else ParquetSource(plan.columns, rows.table.filter(pa.array(is_whole)))
        validation = validate_rows(whole, plan, options)
        bad_rows = np.flatnonzero(is_whole)[validation.bad_rows]
        details = pl.concat([broken, validation.details.with_columns(row=pl.Series(bad_rows)).select(broken.columns)]).sort("row")
        limit = max(RAW_LIMIT, plan.record_limit_bytes)
        raw = source.describe(details["row"].to_numpy(), list(list_fields(plan)))
    numbers = details["row"] + 1
    rejects = pl.DataFrame(
        {
            "line_in_batch": numbers,
            "record_in_batch": numbers,
            "column_name": details["column_name"],
            "reason": details["reason"],
            "value": shorten(details["value"], VALUE_LIMIT),
            "raw": shorten(raw, limit),
        },
        schema=dict(REJECT_SCHEMA),
    )
    return ParsedBatch(validation.trips, rejects, len(source), validation.warnings)


def _find_broken(source: ParquetSource, rows: Rows, plan: FilePlan) -> pl.DataFrame:
    """Find rows that are too long, or whose names hold NUL. Shape: (row, column_name, reason, value), in any order."""
    found: list[tuple[int, str | None, str]] = [
        (int(row), None, str(Reason.RECORD_TOO_LONG)) for row in np.flatnonzero(rows.bytes > plan.record_limit_bytes)
    ]
    long = {row for row, _, _ in found}
    for role in ("region", "datasource"):
        if role in plan.roles:
            name = plan.columns[plan.roles[role]]
            names, codes = source.names(plan.roles[role])
            nul = np.flatnonzero(names.str.contains("\0", literal=True).to_numpy()[codes])
            found += [(int(row), name, str(Reason.NUL_BYTE)) for row in nul if int(row) not in long]
            long |= set(map(int, nul))
    schema = {"row": pl.Int64, "column_name": pl.String, "reason": pl.String}
    return pl.DataFrame(found, schema=schema, orient="row").with_columns(value=pl.lit(None, pl.String))
