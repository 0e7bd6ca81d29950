"""Block bits: the columns of bits that a question reads of blocks, from this process's memory where it has read them before.

    for columns in stream_columns(connection, block_ids, words, needs): ...

A block never changes, and its number is random and never given again, not even by another database: what was read of it stays
true, and what is dropped by packing is asked for no more. Of a box's time finding and sending bits takes four fifths otherwise.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from threading import Lock
from typing import Final

from sqlalchemy import Connection

from shared.database import stream_rows

PLACES, X, Y, TIMES = 1, 2, 4, 8
"""Columns of a block's bits, as parts of the number that says which ones a question needs."""

Columns = tuple[bytes | None, ...]

_COLUMNS: Final = 4
_WANTED: Final = [[column for column in range(_COLUMNS) if needs >> column & 1] for needs in range(1 << _COLUMNS)]


def _list_ranges(columns: Sequence[int]) -> list[list[int]]:
    """Part columns into those that lie side by side."""
    ranges: list[list[int]] = []
    for column in columns:
        if ranges and ranges[-1][-1] == column - 1:
            ranges[-1].append(column)
        else:
            ranges.append([column])
    return ranges


_NOTHING: Final[Columns] = (None,) * _COLUMNS
_RANGES: Final = [_list_ranges(columns) for columns in _WANTED]
# Beyond the last word of any block.
_ALL_WORDS: Final = 1 << 27
_MIB: Final = 1 << 20
# What Python needs for a block and its columns besides their bits.
_ENTRY_BYTES: Final = 400


class StaleError(Exception):
    """Loads were packed or undone since the filters were fetched: ask again."""


class BlockBits:
    """Columns of bits by block's number; the least recently used are dropped. Threads may share it."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._blocks: OrderedDict[int, Columns] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """How many blocks have some."""
        return len(self._blocks)

    def find(self, block_ids: Sequence[int]) -> list[Columns | None]:
        """Give what is here of each block."""
        with self._lock:
            found = [self._blocks.get(block_id) for block_id in block_ids]
            for block_id, columns in zip(block_ids, found, strict=True):
                if columns is not None:
                    self._blocks.move_to_end(block_id)
        return found

    def keep(self, block_id: int, columns: Columns) -> None:
        """Keep a block's columns besides those that are here."""
        with self._lock:
            known = self._blocks.pop(block_id, None)
            if known is not None:
                self._bytes -= _measure(known)
                columns = tuple(new if old is None else old for old, new in zip(known, columns, strict=True))
            self._blocks[block_id] = columns
            self._bytes += _measure(columns)
            while self._bytes > self.limit_bytes and self._blocks:
                self._bytes -= _measure(self._blocks.popitem(last=False)[1])


_kept: Final = BlockBits(256 * _MIB)


def limit_block_bits(mib: int) -> None:
    """Say how much this process may keep. Unit: MiB; 0: nothing."""
    _kept.limit_bytes = mib * _MIB


def stream_columns(
    connection: Connection, block_ids: Sequence[int], *, words: Sequence[Sequence[int]], needs: Sequence[int]
) -> Iterator[list[bytes]]:
    """Give the columns that each block needs, in order. What is not here is read; nothing else can be asked on the connection
    meanwhile.

    words: of the places and of each axis. needs: PLACES and so on, added up. Raises: StaleError when a block is gone.
    """
    known = [columns or _NOTHING for columns in _kept.find(block_ids)]
    absent = [
        sum(1 << column for column in _WANTED[need] if columns[column] is None)
        for columns, need in zip(known, needs, strict=True)
    ]
    pieces = [
        _Piece(block_id, widths, wanted)
        for block_id, widths, lacking in zip(block_ids, words, absent, strict=True)
        for wanted in _RANGES[lacking]
    ]
    read = _read_columns(connection, pieces)
    for columns, need, lacking in zip(known, needs, absent, strict=True):
        found = list(columns)
        for wanted in _RANGES[lacking]:
            piece = next(read, None)
            if piece is None:
                raise StaleError
            found[wanted[0] : wanted[-1] + 1] = piece
        yield [found[column] or b"" for column in _WANTED[need]]


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
        return _ALL_WORDS if last >= len(self.words) else sum(self.words[first : last + 1])

    def split(self, bits: bytes) -> list[bytes]:
        ends = [0, *accumulate(8 * self.words[column] for column in self.wanted[:-1]), len(bits)]
        return [bits[first:last] for first, last in pairwise(ends)]

    def place(self, columns: Sequence[bytes]) -> Columns:
        """Say of all columns what is here."""
        return tuple(columns[self.wanted.index(column)] if column in self.wanted else None for column in range(_COLUMNS))


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
            if 2 * kept_bytes < _kept.limit_bytes:
                _kept.keep(piece.block_id, piece.place(columns))
                kept_bytes += len(row.bits)
        while number + 1 in early:
            number += 1
            yield early.pop(number)


def _measure(columns: Columns) -> int:
    return _ENTRY_BYTES + sum(len(column) for column in columns if column is not None)
