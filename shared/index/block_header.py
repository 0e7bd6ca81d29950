"""Block headers: the fields of a block besides its bits, as they are written, read and scanned. Compiled into kernels.

BlockRow is what is written, BlockHeader what a compaction reads, segment.BlockHeaders what questions read, and BLOCK what kernels
read.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.platform.arrays import Words


class BlockRow(NamedTuple):
    """A block as it is stored, without the id of its segment or batch. Bounds are masked positions; None without other ends."""

    region_id: int
    is_origin: bool
    trips: int
    x_at: int
    """First word of the x offsets of the other ends in bits; likewise the other columns that follow the ends."""
    y_at: int
    times_at: int
    durations_at: int
    minutes_at: int
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


BLOCK_TYPES: Final = ("int2", "bool", *["int4"] * 6, "date", *["int8"] * 9, "int2[]", *["bytea"] * 3)
"""PostgreSQL types of the fields of BlockRow."""


class BlockHeader(NamedTuple):
    """A block before its bits are decoded: fields as list_load_blocks returns them, in order."""

    trips: int
    region: int = 0
    base: int = 0
    """The lowest end, a position."""
    week: int = 0
    """First week, counted from 0001-01-01."""
    datasources: int = 1
    other_x: int = 0
    """Lowest x of the other ends, a masked position; likewise other_y."""
    other_y: int = 0
    delta_words: int = 0
    """Lengths of columns of bits, in 64-bit words."""
    x_words: int = 0
    y_words: int = 0
    time_words: int = 0
    duration_words: int = 0
    """0 where no trip has a duration."""


class EncodedBlock(NamedTuple):
    """A block with bits that are not decoded yet. bits: all columns."""

    header: BlockHeader
    week_index: bytes
    bits: bytes
    datasource_ids: Sequence[int] = ()


BLOCK: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("trips", "region", "base", "week", "datasources", "selected_datasource", "end_test", "other_test"),
            *("other_x", "other_y", "deltas_at", "x_at", "y_at", "times_at", "durations_at", "minutes_at", "week_index_at"),
        )
    ]
)
"""What kernels read. selected_datasource: index among the block's datasources, -1: all count. end_test, other_test: what is left
to test of each trip (layout.py). other_x, other_y: lowest axis steps of the other ends. deltas_at and so on: offsets in words; -1
is a column that is not there, or was not read."""

BlockTable = npt.NDArray[Any]
Block = Any
"""A record of BLOCK; in kernels its fields are attributes."""


class BlockWords(NamedTuple):
    """Words of week indexes and of columns of bits."""

    week_indexes: Words
    bits: Words


# Fields of BlockHeader that a row of list_load_blocks has.
_STORED_FIELDS: Final = len(BlockHeader._fields)


def read_stored_block(row: Sequence[Any]) -> EncodedBlock:
    """Decode a row of list_load_blocks: the fields of BlockHeader up to the lengths of columns, then those of EncodedBlock."""
    return EncodedBlock(BlockHeader(*row[:_STORED_FIELDS]), *row[_STORED_FIELDS:])
