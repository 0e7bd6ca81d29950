"""Block fetch: blocks ready for the kernels, with their bits from the block cache or the database."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import Connection

from shared.domain.position import gather_many
from shared.index.block_cache import BIT_COLUMNS, BlockCache
from shared.index.block_header import BLOCK, BlockHeader, BlockTable, BlockWords, EncodedBlock
from shared.index.layout import ANY
from shared.index.segment import BlockHeaders, Entries, StaleError
from shared.kernels.offset_table import ABSENT
from shared.platform.arrays import Flags, Numbers, Words
from shared.services.database import stream_rows

# Greater than the length of any block, in words: the length of the last column is not stored.
_ALL_WORDS: Final = 1 << 27
# Blocks that are read at once, some megabytes: what was read before is scanned, and freed.
_FETCHED_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks ready for the kernels. Shape: n records of BLOCK."""

    table: BlockTable
    words: BlockWords

    @property
    def trips(self) -> int:
        """Trips of all blocks."""
        return int(self.table["trips"].sum())

    def select(self, selected: Flags | slice) -> "Blocks":
        """Some of the blocks."""
        return Blocks(self.table[selected], self.words)


class BlockScan(NamedTuple):
    """Blocks to read. Shape: n each. needs: flags of columns of bits (block_cache.py). The rest: see BLOCK."""

    headers: BlockHeaders
    end_tests: Numbers
    other_tests: Numbers
    needs: Numbers
    selected_datasources: Numbers

    @classmethod
    def without_tests(cls, headers: BlockHeaders, needs: int, selected_datasources: Numbers) -> "BlockScan":
        """Blocks all of whose trips are selected by area. needs: flags, the same of all."""
        tests = np.full(headers.size, ANY)
        return cls(headers, tests, tests, np.full(headers.size, needs), selected_datasources)

    def select(self, rows: Numbers | Flags | slice) -> "BlockScan":
        """Some of the blocks, in that order."""
        headers, *columns = self
        return BlockScan(headers.take(rows), *(column[rows] for column in columns))


def read_blocks(
    connection: Connection, cache: BlockCache, scan: BlockScan, *, at_once: int | None = None
) -> Iterator[tuple[Numbers, Blocks]]:
    """Yield (indexes of the scan's blocks, those blocks): cached ones, and others as they are read. Raises: StaleError.

    at_once: blocks come in ranges of so many, each begun when the one before has come (None: in any order).
    """
    reader = _Reader(connection, cache)
    size = at_once or max(1, scan.headers.size)
    for first in range(0, scan.headers.size, size):
        for rows, blocks in reader.read(scan.select(slice(first, first + size)) if at_once else scan):
            yield first + rows, blocks


class _Reader:
    """Reads the blocks of one question."""

    def __init__(self, connection: Connection, cache: BlockCache) -> None:
        self._connection = connection
        self._cache = cache
        self._cached_words = 0

    def read(self, scan: BlockScan) -> Iterator[tuple[Numbers, Blocks]]:
        """Yield cached blocks, then others."""
        table = _make_table(scan)
        with self._cache.find(scan.headers.block_id, scan.needs) as found:
            is_cached = _set_offsets(table, scan, found.offsets)
            if is_cached.any():
                words = BlockWords(scan.headers.week_index.values, self._cache.words)
                yield np.flatnonzero(is_cached), Blocks(table if is_cached.all() else table[is_cached], words)
        rest = np.flatnonzero(~is_cached)
        for first in range(0, len(rest), _FETCHED_AT_ONCE):
            rows = rest[first : first + _FETCHED_AT_ONCE]
            yield rows, self._fetch(scan.select(rows))

    def _fetch(self, scan: BlockScan) -> Blocks:
        """Read the columns of blocks from the database, and cache them."""
        pieces = _list_pieces(scan)
        offsets = np.full((len(scan.needs), BIT_COLUMNS), ABSENT)
        keys: list[tuple[int, int]] = []
        found: list[Words] = []
        length = 0
        for piece, words in _stream_pieces(self._connection, pieces):
            for column, (first, last) in zip(piece.columns, pairwise([*piece.starts, len(words)]), strict=True):
                keys.append((piece.block_id, column))
                found.append(words[first:last])
                offsets[piece.row, column] = length + first
            length += len(words)
        # A question that reads nearly everything must not evict what other questions use.
        if 2 * self._cached_words < self._cache.limit_words:
            self._cache.put(keys, found)
            self._cached_words += length
        table = _make_table(scan)
        _set_offsets(table, scan, offsets)
        return Blocks(table, BlockWords(scan.headers.week_index.values, _join_words(found)))


class _Piece(NamedTuple):
    """Adjacent columns of a block. starts: of each column, in words after the first. words: of all, or more than there are."""

    row: int
    block_id: int
    columns: Sequence[int]
    first_word: int
    starts: Sequence[int]
    words: int


def _list_pieces(scan: BlockScan) -> list[_Piece]:
    headers = scan.headers
    last = np.full(headers.size, _ALL_WORDS)
    widths = np.stack([*(getattr(headers, name) for name in _WIDTHS), last], axis=1)
    pieces = []
    for row, (block_id, lengths, needs) in enumerate(
        zip(headers.block_id.tolist(), widths.tolist(), scan.needs.tolist(), strict=True)
    ):
        for columns in _COLUMN_RANGES[needs]:
            *starts, words = accumulate(lengths[columns[0] : columns[-1] + 1], initial=0)
            pieces.append(_Piece(row, block_id, columns, sum(lengths[: columns[0]]), starts, words))
    return pieces


def _stream_pieces(connection: Connection, pieces: Sequence[_Piece]) -> Iterator[tuple[_Piece, Words]]:
    """Read pieces in any order. Raises: StaleError when a block is gone, or shorter than its header says."""
    if not pieces:
        return
    parameters: dict[str, object] = {
        "block_ids": [piece.block_id for piece in pieces],
        "first_words": [piece.first_word for piece in pieces],
        "words": [min(piece.words, _ALL_WORDS) for piece in pieces],
    }
    count = 0
    # Closed at once when a block is damaged: the connection takes no other query before.
    with closing(stream_rows(connection, "list_block_bits", parameters)) as stream:
        for rows in stream:
            for row in rows:
                piece, words = pieces[row.number - 1], np.frombuffer(row.bits, np.uint64)
                if len(words) <= piece.starts[-1]:
                    raise StaleError
                yield piece, words
            count += len(rows)
    if count != len(pieces):
        raise StaleError


def _make_table(scan: BlockScan) -> BlockTable:
    headers = scan.headers
    table = np.empty(headers.size, BLOCK)
    for name in ("trips", "region", "base", "week"):
        table[name] = getattr(headers, name)
    table["datasources"] = headers.datasources.counts[headers.row]
    table["selected_datasource"] = scan.selected_datasources
    table["end_test"], table["other_test"] = scan.end_tests, scan.other_tests
    table["other_x"], table["other_y"] = headers.other_x_low, headers.other_y_low
    table["week_index_at"] = headers.week_index.offsets[headers.row]
    return table


_COLUMN_OFFSETS: Final = ("deltas_at", "x_at", "y_at", "times_at", "durations_at", "minutes_at")
# Of all columns but the last, whose length is not stored.
_WIDTHS: Final = ("delta_words", "x_words", "y_words", "time_words", "duration_words")


def _set_offsets(table: BlockTable, scan: BlockScan, offsets: Numbers) -> Flags:
    """Set the offsets of columns; returns whether all columns that a block needs are there. Shape: n by BIT_COLUMNS → n."""
    for column, name in enumerate(_COLUMN_OFFSETS):
        table[name] = offsets[:, column]
    is_needed = scan.needs[:, None] >> np.arange(BIT_COLUMNS) & 1 > 0
    is_there: Flags = ((offsets != ABSENT) | ~is_needed).all(axis=1)
    return is_there


def decode_blocks(encoded: Iterable[EncodedBlock]) -> Blocks:
    """Make blocks ready for the kernels, all columns of them."""
    found = list(encoded)
    numbers = np.array([block.header for block in found], np.int64).reshape(-1, len(BlockHeader._fields))
    fields = dict(zip(BlockHeader._fields, numbers.T, strict=True))
    table = np.empty(len(found), BLOCK)
    for name in ("trips", "region", "base", "week", "datasources"):
        table[name] = fields[name]
    table["selected_datasource"], table["end_test"], table["other_test"] = -1, ANY, ANY
    table["other_x"], table["other_y"] = gather_many(fields["other_x"] >> 1), gather_many(fields["other_y"])
    pieces = [piece for block in found for piece in (block.week_index, block.bits)]
    starts = np.cumsum([0, *map(len, pieces)])[:-1].reshape(-1, 2) // 8
    widths = np.stack([fields[name] for name in _WIDTHS], axis=1)
    offsets = starts[:, 1:] + np.cumsum(np.pad(widths, ((0, 0), (1, 0))), axis=1)
    offsets[:, :-1][widths == 0] = ABSENT
    offsets[widths[:, 1] == 0, -1] = ABSENT  # blocks of destinations, which have no other ends, have no minutes
    for column, name in enumerate(_COLUMN_OFFSETS):
        table[name] = offsets[:, column]
    table["week_index_at"] = starts[:, 0]
    # The kernels read a word ahead.
    words = np.frombuffer(bytearray().join([*pieces, bytes(8)]), np.uint64)
    return Blocks(table, BlockWords(words, words))


def flatten_datasources(datasources: Iterable[Sequence[int]]) -> Entries:
    """Concatenate the datasource ids of blocks."""
    lists = list(datasources)
    return Entries(np.array([*chain.from_iterable(lists)], np.int64), np.cumsum([0, *map(len, lists)]))


def _join_words(columns: Sequence[Words]) -> Words:
    # The kernels read a word ahead.
    return np.concatenate([*columns, np.zeros(1, np.uint64)])


def _list_ranges(needs: int) -> list[list[int]]:
    """Group the columns of flags into ranges of adjacent ones."""
    ranges: list[list[int]] = []
    for column in (column for column in range(BIT_COLUMNS) if needs >> column & 1):
        if ranges and ranges[-1][-1] == column - 1:
            ranges[-1].append(column)
        else:
            ranges.append([column])
    return ranges


_COLUMN_RANGES: Final = [_list_ranges(needs) for needs in range(1 << BIT_COLUMNS)]
