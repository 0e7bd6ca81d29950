"""Block fetch: the bits of blocks, from the block cache or the database."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice, pairwise
from typing import Final

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
from shared.index.block_header import BlockHeaders, BlockTable, EncodedBlock, make_blocks_table, make_headers, stack_words
from shared.index.scan_kernels import Datasources
from shared.index.snapshot import StaleError
from shared.platform.arrays import Flags, Numbers, Words
from shared.services.database import stream_rows

# A megabyte or less: blocks are scanned while they are in the core's own cache.
_BLOCKS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks ready for the kernels. Shape: n records of BLOCK, and the words of all their columns."""

    table: BlockTable
    words: Words

    @property
    def trips(self) -> int:
        """Trips of all blocks."""
        return int(self.table["trips"].sum())

    def select(self, selected: Flags) -> "Blocks":
        """The flagged blocks."""
        return Blocks(self.table[selected], self.words)


def read_blocks(connection: Connection, headers: BlockHeaders) -> Iterator[tuple[slice, Blocks]]:
    """Yield (range of headers, their blocks) for consecutive blocks, about 64 at a time. Raises: StaleError when one is gone."""
    fields, words = headers.table, stack_words(headers.table)
    columns = stream_columns(connection, fields["block_id"].tolist(), words=words.tolist(), needs=fields["needs"].tolist())
    fetched = np.where(fields["needs"][:, None] & [DELTAS, X, Y], words, 0)
    week_index_offsets = np.append(0, np.cumsum(fields["week_index_words"]))
    blocks = make_blocks_table(fields)
    for part in _list_parts(fields["base"]):
        pieces = list(islice(columns, part.stop - part.start))
        first, last = week_index_offsets[part.start], week_index_offsets[part.stop]
        week_indexes = headers.week_indexes[8 * first : 8 * last]
        table = blocks[part]
        _set_offsets(
            table,
            week_index_offsets[part] - first,
            len(week_indexes) // 8 + np.cumsum([0, *(sum(map(len, found)) // 8 for found in pieces)])[:-1],
            fetched[part],
        )
        yield part, Blocks(table, _join([week_indexes, *chain.from_iterable(pieces)]))


def _list_parts(bases: Numbers) -> Iterator[slice]:
    """Split blocks into ranges of about 64, between two bases where one is near: blocks of a base are neighbours."""
    starts = np.flatnonzero(np.diff(bases, append=-1)) + 1
    first = 0
    while first < len(bases):
        near = starts[np.searchsorted(starts, first + _BLOCKS_AT_ONCE, side="right") - 1]
        last = int(near) if near > first + _BLOCKS_AT_ONCE // 4 else min(first + _BLOCKS_AT_ONCE, len(bases))
        yield slice(first, last)
        first = last


def decode_blocks(encoded: Iterable[EncodedBlock]) -> Blocks:
    """Make blocks ready for the kernels."""
    found = list(encoded)
    pieces = [piece for block in found for piece in (block.week_index, block.bits)]
    offsets = np.cumsum([0, *map(len, pieces)])[:-1].reshape(-1, 2) // 8
    headers = make_headers([block.header for block in found])
    table = make_blocks_table(headers)
    _set_offsets(table, offsets[:, 0], offsets[:, 1], stack_words(headers))
    return Blocks(table, _join(pieces))


def _set_offsets(table: BlockTable, week_indexes: Numbers, bits: Numbers, lengths: Numbers) -> None:
    """Set the offsets of columns in words. bits: of the first column; lengths: n by 3, of deltas, x and y."""
    table["week_index_at"], table["deltas_at"] = week_indexes, bits
    for n, name in enumerate(("x_at", "y_at", "times_at"), start=1):
        table[name] = bits + lengths[:, :n].sum(axis=1)


def _join(pieces: Sequence[bytes]) -> Words:
    # The kernels read a word ahead.
    return np.frombuffer(b"".join([*pieces, bytes(8)]), np.uint64)


def flatten_datasources(datasources: Iterable[Sequence[int]]) -> Datasources:
    """Concatenate the datasource ids of blocks."""
    lists = list(datasources)
    return Datasources(np.array([*chain.from_iterable(lists)], np.int64), np.cumsum([0, *map(len, lists)]))


def stream_columns(
    connection: Connection, block_ids: Sequence[int], *, words: Sequence[Sequence[int]], needs: Sequence[int]
) -> Iterator[list[bytes]]:
    """Yield the columns that each block needs, in order. The connection is busy meanwhile.

    words: lengths of deltas and of each axis. needs: flags of the columns. Raises: StaleError when a block is gone.
    """
    cache = get_block_cache(connection)
    cached = [columns or NO_COLUMNS for columns in cache.get(block_ids)]
    absent = [
        sum(1 << column for column in NEEDED_COLUMNS[need] if columns[column] is None)
        for columns, need in zip(cached, needs, strict=True)
    ]
    pieces = [
        _Piece(block_id, widths, missing)
        for block_id, widths, lacking in zip(block_ids, words, absent, strict=True)
        for missing in COLUMN_RANGES[lacking]
    ]
    read = _read_columns(connection, cache, pieces)
    for columns, need, lacking in zip(cached, needs, absent, strict=True):
        found = list(columns)
        for missing in COLUMN_RANGES[lacking]:
            piece = next(read, None)
            if piece is None:
                raise StaleError
            found[missing[0] : missing[-1] + 1] = piece
        yield [found[column] or b"" for column in NEEDED_COLUMNS[need]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """The bits of adjacent columns of a block. words: lengths of deltas and of each axis."""

    block_id: int
    words: Sequence[int]
    columns: Sequence[int]

    @property
    def first_word(self) -> int:
        return sum(self.words[: self.columns[0]])

    @property
    def length(self) -> int:
        """Length in 64-bit words; an upper bound for the last column, whose length is not stored."""
        first, last = self.columns[0], self.columns[-1]
        return ALL_WORDS if last >= len(self.words) else sum(self.words[first : last + 1])

    def split(self, bits: bytes) -> list[bytes]:
        ends = [0, *accumulate(8 * self.words[column] for column in self.columns[:-1]), len(bits)]
        return [bits[first:last] for first, last in pairwise(ends)]

    def arrange(self, found: Sequence[bytes]) -> Columns:
        """The columns that were read, among all columns of a block."""
        return tuple(found[self.columns.index(column)] if column in self.columns else None for column in range(BIT_COLUMNS))


def _read_columns(connection: Connection, cache: BlockCache, pieces: Sequence[_Piece]) -> Iterator[list[bytes]]:
    """Read pieces in order, until a block is missing, and cache them up to half of the cache."""
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
            # A question that reads nearly everything must not evict what other questions use.
            if 2 * cached_bytes < cache.limit_bytes:
                cache.put(piece.block_id, piece.arrange(columns))
                cached_bytes += len(row.bits)
        while number + 1 in early:
            number += 1
            yield early.pop(number)
