"""Batch: bytes of one slice to trips and rejects.

parsed = parse_batch(data, plan, piece, options=options)
assert parsed.rows_read == parsed.trips.height + parsed.rejects.height
"""

import numpy as np
import polars as pl

from loader.formats.model.batches import BatchSlice, ParsedBatch
from loader.formats.model.codecs import is_single_byte
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.model.reject_reasons import Reason
from loader.formats.parquet.batches import parse_row_group, read_slice
from loader.formats.parquet.source import ParquetSource
from loader.formats.text.fields import count_whole_fields, has_nul, slice_text, split_fields
from loader.formats.text.records import Mask, Records, split_records
from loader.formats.validation.column_source import Source, TextSource
from loader.formats.validation.reject_details import RAW_LIMIT, VALUE_LIMIT, shorten
from loader.formats.validation.rules import REJECT_SCHEMA
from loader.formats.validation.validate import validate_rows


def parse_batch(data: bytes, plan: FilePlan, slice: BatchSlice, *, options: LoadOptions) -> ParsedBatch:
    """Parse the bytes of one slice.

    Shape: trips as TRIP_SCHEMA, rejects as REJECT_SCHEMA; together one row per record. Clock: local wall clock. CRS: WGS 84.
    """
    if plan.kind == "parquet":
        return parse_row_group(data, plan, slice, options=options)
    text = decode_text(data, plan.dialect.encoding)
    header_lines = plan.dialect.header_lines if slice.is_first else 0
    records = split_records(text, plan.dialect, limit=plan.record_limit_bytes, header_lines=header_lines)
    is_whole, broken = _find_broken(records, plan)
    table = split_fields(records, is_good=is_whole, field_count=plan.dialect.field_count)
    validation = validate_rows(TextSource(table, decimal=plan.dialect.decimal), plan, options)
    faulty = table.rows[validation.bad_rows]
    limit = max(RAW_LIMIT, plan.record_limit_bytes)
    found = (np.flatnonzero(~is_whole), broken), (faulty, validation.details)
    parts = [_make_rejects(records, indexes, details, raw_limit=limit) for indexes, details in found if len(indexes)]
    rejects = pl.concat(parts).sort("record_in_batch") if parts else pl.DataFrame(schema=dict(REJECT_SCHEMA))
    return ParsedBatch(validation.trips, rejects, len(records), validation.warnings)


def open_slice(data: bytes, plan: FilePlan, slice: BatchSlice) -> Source:
    """Open the columns of one slice, of the records that can be cut into the file's fields. Raises: FileFormatError."""
    if plan.kind == "parquet":
        return ParquetSource(plan.columns, read_slice(data, plan, slice).table)
    header_lines = plan.dialect.header_lines if slice.is_first else 0
    text = decode_text(data, plan.dialect.encoding)
    records = split_records(text, plan.dialect, limit=plan.record_limit_bytes, header_lines=header_lines)
    is_whole, _ = _find_broken(records, plan)
    table = split_fields(records, is_good=is_whole, field_count=plan.dialect.field_count)
    return TextSource(table, decimal=plan.dialect.decimal)


def decode_text(data: bytes, encoding: str) -> bytes:
    """Return a batch's bytes as valid UTF-8; bytes that the encoding doesn't know become U+FFFD."""
    if data.isascii():
        return data
    if encoding != "utf-8" and is_single_byte(encoding):
        return data.decode(encoding, "replace").encode()
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def _find_broken(records: Records, plan: FilePlan) -> tuple[Mask, pl.DataFrame]:
    """Find records that can't be cut into the file's fields. Gives which records can.

    Shape: (column_name, reason, value), one row per record that can't.
    """
    counts = count_whole_fields(records, delimiter=plan.dialect.delimiter, field_count=plan.dialect.field_count)
    tests = [
        (records.is_unclosed, Reason.UNCLOSED_QUOTE),
        (records.ends - records.starts > plan.record_limit_bytes, Reason.RECORD_TOO_LONG),
        (has_nul(records), Reason.NUL_BYTE),
        (counts != plan.dialect.field_count, Reason.MALFORMED_RECORD if plan.table else Reason.FIELD_COUNT),
    ]
    is_broken = np.logical_or.reduce([mask for mask, _ in tests])
    broken = np.flatnonzero(is_broken)
    if len(broken) == 0:
        return ~is_broken, pl.DataFrame()
    reason = np.select([mask[broken] for mask, _ in tests], range(len(tests)))
    frame = pl.DataFrame({"reason": pl.Series([str(name) for _, name in tests]).gather(reason), "count": counts[broken]})
    value = pl.when(pl.col("reason") == str(Reason.FIELD_COUNT)).then(pl.col("count").cast(pl.String))
    return ~is_broken, frame.select(pl.lit(None, pl.String).alias("column_name"), "reason", value=value)


def _make_rejects(
    records: Records, indexes: np.ndarray[tuple[int], np.dtype[np.int64]], details: pl.DataFrame, *, raw_limit: int
) -> pl.DataFrame:
    raw = slice_text(records.buffer, records.starts[indexes], records.ends[indexes])
    return pl.DataFrame(
        {
            "line_in_batch": records.lines[indexes],
            "record_in_batch": indexes + 1,
            "column_name": details["column_name"],
            "reason": details["reason"],
            "value": shorten(details["value"], VALUE_LIMIT),
            "raw": shorten(raw, raw_limit),
        },
        schema=dict(REJECT_SCHEMA),
    )
