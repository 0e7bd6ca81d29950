"""Limits of Parquet files: what a file may ask for in memory and time, checked before its pages are unpacked.

A few hundred bytes of Parquet can stand for gigabytes: a dictionary's one long text repeated by a run length, a page of zeros, a
footer that gives the same bytes to thousands of row groups.
"""

from dataclasses import dataclass

import pyarrow.parquet as pq

from loader.formats.containers.expansion_limit import RATIO_FREE_BYTES, RATIO_LIMIT
from shared.platform.errors import FileFormatError

# A footer of one column and row group takes about 100 bytes; this is enough for 100 columns and 1,000 row groups.
FOOTER_LIMIT_BYTES = 16 * 2**20
# Columns with nested ones counted each. The widest public trip files have about 100; every name is looked at.
COLUMN_LIMIT = 2_000
# A list of structs of lists of points has 6 levels; pyarrow gives up at 100.
NESTING_LIMIT = 32
# Each batch of a row group unpacks the rows before it again: the last one of so many rows takes 64 times as long as the first.
# The usual writers make groups of 122,880 to 1,048,576 rows.
GROUP_ROWS_LIMIT = 2**24
# Bytes of the needed columns of a row group, which a batch holds in memory: as they are stored, and as they unpack.
ROW_GROUP_LIMIT_BYTES = 512 * 2**20
UNPACKED_LIMIT_BYTES = 2**30
# Values of nested columns: a row may be a line of points, so that rows say nothing about memory. 8 bytes each, and 4 of levels.
GROUP_VALUES_LIMIT = 2**26
# The largest pages of the needed columns are in memory together. Writers aim at 1 MiB a page, some at one page a row group.
PAGES_LIMIT_BYTES = 256 * 2**20
# A page of 1 MiB or 20,000 rows is usual: a chunk of 512 MiB has 512 of them.
CHUNK_PAGES_LIMIT = 2**16
# Text and binary values of one batch, each as long as it is in its row: a dictionary holds them once.
BATCH_VALUES_LIMIT_BYTES = 256 * 2**20
# A start time and two positions take several bytes, packed as well as may be; many more rows than bytes are made up.
ROWS_FREE, ROWS_PER_BYTE = 2**20, 16

# Rows of a batch; wide rows make it shorter: lines of a thousand points take 16 kB each.
BATCH_ROWS, BATCH_UNPACKED_BYTES = 2**18, 64 * 2**20

CODECS = frozenset(("UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4", "LZ4_RAW"))
_SPLIT = "Write it with smaller row groups."


@dataclass(frozen=True)
class Chunk:
    """A column of a row group. Units: bytes, packed as they are stored; offset in the file."""

    codec: str
    values: int
    packed: int
    unpacked: int
    offset: int


def damaged(why: str) -> FileFormatError:
    """Return the error for a file whose bytes contradict each other or can't be read."""
    return FileFormatError(f"The Parquet file is damaged ({' '.join(why.split())[:300].rstrip('.')}).", code="damaged_archive")


def refuse_bomb(what: str) -> FileFormatError:
    """Return the error for a file that unpacks to far more than its size."""
    return FileFormatError(
        f"{what}: this looks like a decompression bomb. If it is genuine, write the Parquet file without dictionaries and with "
        "smaller row groups.",
        code="decompression_bomb",
    )


def check_metadata(metadata: pq.FileMetaData) -> None:
    """Check a file's columns and row groups. Raises: FileFormatError."""
    if metadata.num_columns > COLUMN_LIMIT:
        raise FileFormatError(
            f"The Parquet file has {metadata.num_columns:,} columns; at most {COLUMN_LIMIT:,} are read. Write those of the trips "
            "only.",
            code="too_many_columns",
        )
    for index in range(metadata.num_columns):
        column = metadata.schema.column(index)
        if column.path.count(".") >= NESTING_LIMIT and column.max_definition_level > NESTING_LIMIT:
            raise FileFormatError(
                f"A column of the Parquet file is nested more than {NESTING_LIMIT} levels deep. Write the trips as a flat table.",
                code="too_deeply_nested",
            )


def check_row_group(rows: int, chunks: list[Chunk]) -> None:
    """Check what the needed columns of a row group take. Raises: FileFormatError."""
    if rows > GROUP_ROWS_LIMIT:
        raise too_large(f"has {rows:,} rows; at most {GROUP_ROWS_LIMIT:,} are read at once")
    for chunk in chunks:
        if min(chunk.values, chunk.packed, chunk.unpacked, rows) < 0:
            raise damaged("a column has less than nothing")
        if chunk.codec not in CODECS:
            raise FileFormatError(
                f"The Parquet file is packed with {chunk.codec}, which can't be read. Write it with snappy or zstd.",
                code="unsupported_archive",
            )
        if chunk.values > max(GROUP_VALUES_LIMIT, rows):
            raise too_large(f"has a column of {chunk.values:,} values")
    check_unpacked(sum(chunk.packed for chunk in chunks), sum(chunk.unpacked for chunk in chunks))


def check_unpacked(packed: int, unpacked: int) -> None:
    """Check the bytes of a row group's needed columns, as they are stored and unpacked. Raises: FileFormatError."""
    if packed > ROW_GROUP_LIMIT_BYTES:
        raise too_large(f"takes more than {ROW_GROUP_LIMIT_BYTES // 2**20} MiB")
    if unpacked > RATIO_FREE_BYTES and unpacked > RATIO_LIMIT * packed:
        raise refuse_bomb(f"A row group of the Parquet file unpacks to more than {RATIO_LIMIT} times its size")
    if unpacked > UNPACKED_LIMIT_BYTES:
        raise too_large(f"unpacks to more than {UNPACKED_LIMIT_BYTES // 2**20} MiB")


def check_pages(largest: int) -> None:
    """Check the bytes of the largest pages of the needed columns together, unpacked. Raises: FileFormatError."""
    if largest > PAGES_LIMIT_BYTES:
        raise too_large(f"has pages that unpack to more than {PAGES_LIMIT_BYTES // 2**20} MiB at once")


def check_rows(rows: int, packed: int) -> None:
    """Check a file's rows against the bytes of its needed columns. Raises: FileFormatError."""
    if rows > ROWS_FREE + ROWS_PER_BYTE * packed:
        raise refuse_bomb(f"The Parquet file has {rows:,} rows in {packed:,} bytes")


def too_large(what: str) -> FileFormatError:
    """Return the error for a row group beyond a limit."""
    return FileFormatError(f"A row group of the Parquet file {what}. {_SPLIT}", code="row_group_too_large")


def count_rows_per_batch(rows: int, chunks: list[Chunk]) -> int:
    """Return how many rows of a row group make a batch, by the bytes that its needed columns unpack to."""
    unpacked = sum(chunk.unpacked for chunk in chunks)
    return max(1, min(BATCH_ROWS, rows * BATCH_UNPACKED_BYTES // max(unpacked, 1)))
