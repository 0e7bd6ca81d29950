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
    BLOCK_BITS,
    COLUMN_RANGES,
    NEEDED_COLUMNS,
    NO_COLUMNS,
    PLACES,
    Columns,
    X,
    Y,
)
from shared.index.layout import BASE, COLUMNS, PLACES_AT, RUNS_AT, X_AT
from shared.index.snapshot import StaleError
from shared.platform.arrays import Flags, Numbers, Words
from shared.services.database import stream_rows

_HEAD: Final = ("places_words", "x_words", "y_words", "needs", "run_words", "block_id")
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

    def choose(self, chosen: Flags) -> "Blocks":
        """Those of an index."""
        return Blocks(self.table[chosen], self.words)


@dataclass(frozen=True, slots=True)
class Heads:
    """What is known of blocks before their bits are read.

    Shape: numbers is n by 16: the columns of layout.py up to OTHER_Y, then _HEAD. runs: all blocks', one after the other.
    """

    numbers: Numbers
    runs: bytes

    @classmethod
    def decode(cls, heads: bytes, runs: bytes) -> Self:
        """Read an array of arrays of 64-bit numbers. Source: array_send of PostgreSQL; see shared/compaction/segment_copy.py."""
        elements = np.frombuffer(heads, [("bytes", ">i4"), ("value", ">i8")], offset=_ARRAYS_AT)
        return cls(elements["value"].astype(np.int64).reshape(-1, len(_HEAD) + PLACES_AT), runs)


def read_blocks(connection: Connection, heads: Heads) -> Iterator[tuple[slice, Blocks]]:
    """Read what blocks need, in their order, some at a time: which those are, and they. Raises: StaleError when one is gone."""
    words, (needs, run_words, block_ids) = heads.numbers[:, PLACES_AT:-3], heads.numbers[:, -3:].T
    columns = stream_columns(connection, block_ids.tolist(), words=words.tolist(), needs=needs.tolist())
    used = np.where(needs[:, None] & [PLACES, X, Y], words, 0)
    run_starts = np.append(0, np.cumsum(run_words))
    for part in _list_parts(heads.numbers[:, BASE]):
        first = part.start
        pieces = list(islice(columns, part.stop - first))
        runs = heads.runs[8 * run_starts[first] : 8 * run_starts[part.stop]]
        sizes = [sum(map(len, found)) for found in pieces]
        table = np.empty((len(pieces), COLUMNS), np.int64)
        table[:, :PLACES_AT] = heads.numbers[part, :PLACES_AT]
        table[:, RUNS_AT] = run_starts[part] - run_starts[first]
        table[:, PLACES_AT] = (len(runs) + np.cumsum([0, *sizes])[:-1]) // 8
        table[:, X_AT:RUNS_AT] = table[:, [PLACES_AT]] + np.cumsum(used[part], axis=1)
        yield part, Blocks(table, _join([runs, *chain.from_iterable(pieces)]))


def _list_parts(bases: Numbers) -> Iterator[slice]:
    """Part blocks into some at a time, between two bases where that is near: those of one base lie together."""
    starts = np.flatnonzero(np.diff(bases, append=-1)) + 1
    first = 0
    while first < len(bases):
        near = starts[np.searchsorted(starts, first + _BLOCKS_AT_ONCE, side="right") - 1]
        last = int(near) if near > first + _BLOCKS_AT_ONCE // 4 else min(first + _BLOCKS_AT_ONCE, len(bases))
        yield slice(first, last)
        first = last


def make_blocks(rows: Iterable[Any]) -> Blocks:
    """Make blocks of rows: the columns of layout.py up to OTHER_Y, the words of the places and of each axis of the other
    ends that are here, the runs, and the bits: those, and times if they are here.
    """
    found = list(rows)
    pieces = list(chain.from_iterable(row[-2:] for row in found))
    starts = np.cumsum([0, *map(len, pieces)])[:-1].reshape(-1, 2) // 8
    numbers = np.array([row[:-2] for row in found], np.int64).reshape(-1, RUNS_AT - 1)
    table = np.empty((len(found), COLUMNS), np.int64)
    table[:, :PLACES_AT] = numbers[:, :PLACES_AT]
    table[:, RUNS_AT], table[:, PLACES_AT] = starts.T
    table[:, X_AT:RUNS_AT] = starts[:, 1:] + np.cumsum(numbers[:, PLACES_AT:], axis=1)
    return Blocks(table, _join(pieces))


def _join(pieces: Sequence[bytes]) -> Words:
    # The kernels read a word ahead.
    return np.frombuffer(b"".join([*pieces, bytes(8)]), np.uint64)


def list_sources(datasources: Iterable[Sequence[int]]) -> tuple[Numbers, Numbers]:
    """Lay blocks' datasources out as the kernels take them: one after the other, and where each block's begin."""
    lists = list(datasources)
    return np.array([*chain.from_iterable(lists)], np.int64), np.cumsum([0, *map(len, lists)])


def stream_columns(
    connection: Connection, block_ids: Sequence[int], *, words: Sequence[Sequence[int]], needs: Sequence[int]
) -> Iterator[list[bytes]]:
    """Give the columns that each block needs, in order. What is not here is read; nothing else can be asked on the connection
    meanwhile.

    words: of the places and of each axis. needs: PLACES and so on, added up. Raises: StaleError when a block is gone.
    """
    known = [columns or NO_COLUMNS for columns in BLOCK_BITS.find(block_ids)]
    absent = [
        sum(1 << column for column in NEEDED_COLUMNS[need] if columns[column] is None)
        for columns, need in zip(known, needs, strict=True)
    ]
    pieces = [
        _Piece(block_id, widths, wanted)
        for block_id, widths, lacking in zip(block_ids, words, absent, strict=True)
        for wanted in COLUMN_RANGES[lacking]
    ]
    read = _read_columns(connection, pieces)
    for columns, need, lacking in zip(known, needs, absent, strict=True):
        found = list(columns)
        for wanted in COLUMN_RANGES[lacking]:
            piece = next(read, None)
            if piece is None:
                raise StaleError
            found[wanted[0] : wanted[-1] + 1] = piece
        yield [found[column] or b"" for column in NEEDED_COLUMNS[need]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """The bits of columns that lie side by side. words: of the places and of each axis."""

    block_id: int
    words: Sequence[int]
    wanted: Sequence[int]

    @property
    def first_word(self) -> int:
        return sum(self.words[: self.wanted[0]])

    @property
    def length(self) -> int:
        """How many words, or more: of times, which come last, nobody has said it."""
        first, last = self.wanted[0], self.wanted[-1]
        return ALL_WORDS if last >= len(self.words) else sum(self.words[first : last + 1])

    def split(self, bits: bytes) -> list[bytes]:
        ends = [0, *accumulate(8 * self.words[column] for column in self.wanted[:-1]), len(bits)]
        return [bits[first:last] for first, last in pairwise(ends)]

    def place(self, columns: Sequence[bytes]) -> Columns:
        """Say of all columns what is here."""
        return tuple(columns[self.wanted.index(column)] if column in self.wanted else None for column in range(BIT_COLUMNS))


def _read_columns(connection: Connection, pieces: Sequence[_Piece]) -> Iterator[list[bytes]]:
    """Read pieces in order, as far as there are blocks for them, and keep them unless that is very much."""
    if not pieces:
        return
    asked: dict[str, object] = {
        "block_ids": [piece.block_id for piece in pieces],
        "first_words": [piece.first_word for piece in pieces],
        "words": [piece.length for piece in pieces],
    }
    early: dict[int, list[bytes]] = {}
    number = kept_bytes = 0
    for rows in stream_rows(connection, "list_block_bits", asked):
        for row in rows:
            piece = pieces[row.number - 1]
            early[row.number] = columns = piece.split(row.bits)
            # A question that reads nearly everything must not drop what others have use for.
            if 2 * kept_bytes < BLOCK_BITS.limit_bytes:
                BLOCK_BITS.keep(piece.block_id, piece.place(columns))
                kept_bytes += len(row.bits)
        while number + 1 in early:
            number += 1
            yield early.pop(number)
