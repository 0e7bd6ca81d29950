"""Block fetch: block headers, and their missing columns from the database."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice, pairwise
from typing import Any, Final, Self

import numpy as np
from sqlalchemy import Connection

from shared.index.block_cache import (
    ALL_WORDS,
    BIT_COLUMNS,
    COLUMN_RANGES,
    DELTAS,
    NEEDED_COLUMNS,
    NO_COLUMNS,
    BlockCache,
    Columns,
    X,
    Y,
    get_block_cache,
)
from shared.index.layout import BASE, COLUMNS, DELTAS_AT, WEEK_INDEX_AT, X_AT
from shared.index.snapshot import StaleError
from shared.platform.arrays import Flags, Numbers, Words
from shared.services.database import stream_rows

_HEAD: Final = ("delta_words", "x_words", "y_words", "needs", "week_index_words", "block_id")
"""Numbers of a head after the columns of layout.py. needs: which columns of bits (block_cache.py)."""


# Dimensions, flags, type, and for both dimensions the length and the first index.
_ARRAYS_AT: Final = 28


# A megabyte or less: blocks are counted while they are in the core's own cache.
_BLOCKS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Blocks:
    """Some blocks: a row of numbers each (columns of layout.py), and the words of their columns of bits."""

    table: Numbers
    words: Words

    def select(self, selected: Flags) -> "Blocks":
        """Those of an index."""
        return Blocks(self.table[selected], self.words)


@dataclass(frozen=True, slots=True)
class BlockHeaders:
    """What is known of blocks before their bits are read.

    Shape: numbers is n by 16: the columns of layout.py up to OTHER_Y, then _HEAD. runs: all blocks', one after the other.
    """

    numbers: Numbers
    week_indexes: bytes

    @classmethod
    def decode(cls, headers: bytes, week_indexes: bytes) -> Self:
        """Read an array of arrays of 64-bit numbers. Source: array_send of PostgreSQL; see shared/compaction/segment_copy.py."""
        elements = np.frombuffer(headers, [("bytes", ">i4"), ("value", ">i8")], offset=_ARRAYS_AT)
        return cls(elements["value"].astype(np.int64).reshape(-1, len(_HEAD) + DELTAS_AT), week_indexes)


def read_blocks(connection: Connection, headers: BlockHeaders) -> Iterator[tuple[slice, Blocks]]:
    """Read what blocks need, in their order, some at a time: which those are, and they. Raises: StaleError when one is gone."""
    words, (needs, week_index_words, block_ids) = headers.numbers[:, DELTAS_AT:-3], headers.numbers[:, -3:].T
    columns = stream_columns(connection, block_ids.tolist(), words=words.tolist(), needs=needs.tolist())
    used = np.where(needs[:, None] & [DELTAS, X, Y], words, 0)
    week_index_offsets = np.append(0, np.cumsum(week_index_words))
    for part in _list_parts(headers.numbers[:, BASE]):
        first = part.start
        pieces = list(islice(columns, part.stop - first))
        week_indexes = headers.week_indexes[8 * week_index_offsets[first] : 8 * week_index_offsets[part.stop]]
        sizes = [sum(map(len, found)) for found in pieces]
        table = np.empty((len(pieces), COLUMNS), np.int64)
        table[:, :DELTAS_AT] = headers.numbers[part, :DELTAS_AT]
        table[:, WEEK_INDEX_AT] = week_index_offsets[part] - week_index_offsets[first]
        table[:, DELTAS_AT] = (len(week_indexes) + np.cumsum([0, *sizes])[:-1]) // 8
        table[:, X_AT:WEEK_INDEX_AT] = table[:, [DELTAS_AT]] + np.cumsum(used[part], axis=1)
        yield part, Blocks(table, _join([week_indexes, *chain.from_iterable(pieces)]))


def _list_parts(bases: Numbers) -> Iterator[slice]:
    """Part blocks into some at a time, between two bases where that is near: those of one base lie together."""
    offsets = np.flatnonzero(np.diff(bases, append=-1)) + 1
    first = 0
    while first < len(bases):
        near = offsets[np.searchsorted(offsets, first + _BLOCKS_AT_ONCE, side="right") - 1]
        last = int(near) if near > first + _BLOCKS_AT_ONCE // 4 else min(first + _BLOCKS_AT_ONCE, len(bases))
        yield slice(first, last)
        first = last


def decode_blocks(rows: Iterable[Any]) -> Blocks:
    """Make blocks of rows: the columns of layout.py up to OTHER_Y, the words of the places and of each axis of the other
    ends that are here, the runs, and the bits: those, and times if they are here.
    """
    found = list(rows)
    pieces = list(chain.from_iterable(row[-2:] for row in found))
    offsets = np.cumsum([0, *map(len, pieces)])[:-1].reshape(-1, 2) // 8
    numbers = np.array([row[:-2] for row in found], np.int64).reshape(-1, WEEK_INDEX_AT - 1)
    table = np.empty((len(found), COLUMNS), np.int64)
    table[:, :DELTAS_AT] = numbers[:, :DELTAS_AT]
    table[:, WEEK_INDEX_AT], table[:, DELTAS_AT] = offsets.T
    table[:, X_AT:WEEK_INDEX_AT] = offsets[:, 1:] + np.cumsum(numbers[:, DELTAS_AT:], axis=1)
    return Blocks(table, _join(pieces))


def _join(pieces: Sequence[bytes]) -> Words:
    # The kernels read a word ahead.
    return np.frombuffer(b"".join([*pieces, bytes(8)]), np.uint64)


def flatten_datasources(datasources: Iterable[Sequence[int]]) -> tuple[Numbers, Numbers]:
    """Lay blocks' datasources out as the kernels take them: one after the other, and where each block's begin."""
    lists = list(datasources)
    return np.array([*chain.from_iterable(lists)], np.int64), np.cumsum([0, *map(len, lists)])


def stream_columns(
    connection: Connection, block_ids: Sequence[int], *, words: Sequence[Sequence[int]], needs: Sequence[int]
) -> Iterator[list[bytes]]:
    """Give the columns that each block needs, in order. What is not here is read; nothing else can be asked on the connection
    meanwhile.

    words: of the places and of each axis. needs: DELTAS and so on, added up. Raises: StaleError when a block is gone.
    """
    cache = get_block_cache(connection)
    known = [columns or NO_COLUMNS for columns in cache.get(block_ids)]
    absent = [
        sum(1 << column for column in NEEDED_COLUMNS[need] if columns[column] is None)
        for columns, need in zip(known, needs, strict=True)
    ]
    pieces = [
        _Piece(block_id, widths, missing)
        for block_id, widths, lacking in zip(block_ids, words, absent, strict=True)
        for missing in COLUMN_RANGES[lacking]
    ]
    read = _read_columns(connection, cache, pieces)
    for columns, need, lacking in zip(known, needs, absent, strict=True):
        found = list(columns)
        for missing in COLUMN_RANGES[lacking]:
            piece = next(read, None)
            if piece is None:
                raise StaleError
            found[missing[0] : missing[-1] + 1] = piece
        yield [found[column] or b"" for column in NEEDED_COLUMNS[need]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """The bits of columns that lie side by side. words: of the places and of each axis."""

    block_id: int
    words: Sequence[int]
    columns: Sequence[int]

    @property
    def first_word(self) -> int:
        return sum(self.words[: self.columns[0]])

    @property
    def length(self) -> int:
        """How many words, or more: of times, which come last, nobody has said it."""
        first, last = self.columns[0], self.columns[-1]
        return ALL_WORDS if last >= len(self.words) else sum(self.words[first : last + 1])

    def split(self, bits: bytes) -> list[bytes]:
        ends = [0, *accumulate(8 * self.words[column] for column in self.columns[:-1]), len(bits)]
        return [bits[first:last] for first, last in pairwise(ends)]

    def place(self, columns: Sequence[bytes]) -> Columns:
        """Say of all columns what is here."""
        return tuple(columns[self.columns.index(column)] if column in self.columns else None for column in range(BIT_COLUMNS))


def _read_columns(connection: Connection, cache: BlockCache, pieces: Sequence[_Piece]) -> Iterator[list[bytes]]:
    """Read pieces in order, as far as there are blocks for them, and keep them unless that is very much."""
    if not pieces:
        return
    parameters: dict[str, object] = {
        "block_ids": [piece.block_id for piece in pieces],
        "first_words": [piece.first_word for piece in pieces],
        "words": [piece.length for piece in pieces],
    }
    early: dict[int, list[bytes]] = {}
    number = cached_bytes = 0
    for rows in stream_rows(connection, "list_block_bits", parameters):
        for row in rows:
            piece = pieces[row.number - 1]
            early[row.number] = columns = piece.split(row.bits)
            # A question that reads nearly everything must not drop what others have use for.
            if 2 * cached_bytes < cache.limit_bytes:
                cache.put(piece.block_id, piece.place(columns))
                cached_bytes += len(row.bits)
        while number + 1 in early:
            number += 1
            yield early.pop(number)
