"""Block headers: the fields of a block besides its bits. The one module that knows their order. Compiled into kernels.

BlockRow is what is written. BlockHeader is what queries return, and HEADER its array form. BLOCK is what kernels read: the first
fields of BlockHeader, then the offsets of the block's columns instead of their lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from shared.index.layout import ANY
from shared.platform.arrays import Numbers


class BlockRow(NamedTuple):
    """A block as it is stored, without the id of its segment or batch. Bounds are masked positions; None without other ends."""

    region_id: int
    is_origin: bool
    trips: int
    x_at: int
    """First word of the x offsets of the other ends in bits; likewise y_at and times_at."""
    y_at: int
    times_at: int
    base_on: Any
    """Monday of the first week."""
    base: int
    """The lowest end."""
    x_low: int
    x_high: int
    y_low: int
    y_high: int
    other_x_low: int | None
    other_x_high: int | None
    other_y_low: int | None
    other_y_high: int | None
    datasource_ids: bytes
    week_trips: bytes
    week_index: bytes
    bits: bytes


BLOCK_TYPES: Final = ("int2", "bool", *["int4"] * 4, "date", *["int8"] * 9, "int2[]", *["bytea"] * 3)
"""PostgreSQL types of the fields of BlockRow."""


class BlockHeader(NamedTuple):
    """A block before its bits are read: fields as list_trip_blocks and count_box return them, in order."""

    trips: int
    region: int = 0
    base: int = 0
    """The lowest end, a position."""
    week: int = 0
    """First week, counted from 0001-01-01."""
    datasources: int = 1
    selected_datasource: int = -1
    """Index among the block's datasources; -1: all count."""
    end_test: int = ANY
    other_test: int = ANY
    other_x: int = 0
    """Lowest x of the other ends, a masked position; likewise other_y."""
    other_y: int = 0
    delta_words: int = 0
    """Lengths of columns of bits, in 64-bit words."""
    x_words: int = 0
    y_words: int = 0
    needs: int = 0
    """Columns of bits that the question reads: DELTAS, X, Y, TIMES, added up."""
    week_index_words: int = 0
    block_id: int = 0


class EncodedBlock(NamedTuple):
    """A block with bits that are not decoded yet. bits: of the columns whose lengths the header has, then the times."""

    header: BlockHeader
    week_index: bytes
    bits: bytes
    datasource_ids: Sequence[int] = ()


_KNOWN: Final = BlockHeader._fields[:10]
"""Fields of BlockHeader that are fields of BLOCK."""

HEADER: Final = np.dtype([(name, np.int64) for name in BlockHeader._fields])
BLOCK: Final = np.dtype(
    [(name, np.int64) for name in (*_KNOWN, "deltas_at", "x_at", "y_at", "times_at", "week_index_at")]
)  # fmt: skip
"""deltas_at and so on: offsets in words. A column that was not read has the offset of the next one."""

HeaderTable = npt.NDArray[Any]
BlockTable = npt.NDArray[Any]
Block = Any
"""A record of BLOCK; in kernels its fields are attributes."""

_STORED_FIELDS: Final = BlockHeader._fields.index("needs")

# Of array_send: dimensions, flags, type, and for both dimensions the length and the first index.
_ARRAY_HEADER_BYTES: Final = 28
# Columns of list_trip_blocks before the fields of BlockHeader.
_COLUMNS_BEFORE: Final = 1


@dataclass(frozen=True, slots=True)
class BlockHeaders:
    """Blocks before their bits are read. Shape: n records of HEADER; week_indexes: all blocks', concatenated."""

    table: HeaderTable
    week_indexes: bytes

    @classmethod
    def from_arrays(cls, headers: bytes, week_indexes: bytes) -> Self:
        """Decode the array of arrays of int8 that count_box returns. Source: array_send of PostgreSQL."""
        elements = np.frombuffer(headers, [("bytes", ">i4"), ("value", ">i8")], offset=_ARRAY_HEADER_BYTES)
        return cls(_make_table(elements["value"].astype(np.int64)), week_indexes)

    @classmethod
    def from_rows(cls, rows: Sequence[Any]) -> Self:
        """Decode rows of list_trip_blocks."""
        fields = slice(_COLUMNS_BEFORE, _COLUMNS_BEFORE + len(BlockHeader._fields))
        numbers = np.array([row[fields] for row in rows], np.int64)
        return cls(_make_table(numbers), b"".join([row.week_index for row in rows]))


def read_stored_block(row: Sequence[Any]) -> EncodedBlock:
    """Decode a row of list_load_blocks: the fields of BlockHeader up to the lengths of columns, then those of EncodedBlock."""
    return EncodedBlock(BlockHeader(*row[:_STORED_FIELDS]), *row[_STORED_FIELDS:])


def make_headers(headers: Sequence[BlockHeader]) -> HeaderTable:
    """Make records of HEADER."""
    return _make_table(np.array(headers, np.int64))


def make_blocks_table(headers: HeaderTable) -> BlockTable:
    """Make records of BLOCK, without the offsets."""
    table = np.empty(len(headers), BLOCK)
    for name in _KNOWN:
        table[name] = headers[name]
    return table


def stack_words(headers: HeaderTable) -> Numbers:
    """Lengths of the columns of bits before the times. Shape: n by 3: deltas, x, y."""
    return np.stack([headers["delta_words"], headers["x_words"], headers["y_words"]], axis=1)


def _make_table(numbers: Numbers) -> HeaderTable:
    return np.ascontiguousarray(numbers).reshape(-1, len(BlockHeader._fields)).view(HEADER).reshape(-1)
