"""Ends: trips of packed blocks, counted or listed by the process that asks: it reads bits ten times faster than SQL reads arrays.

counter = TimeCounter(choice, by_hour=False)
for _, blocks in read_blocks(connection, heads): counter.add(blocks)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice
from typing import Any, Final, Self

import numpy as np
from sqlalchemy import Connection

from shared.area import AxisArea
from shared.bits import Numbers, Words, unpack_numbers
from shared.block_bits import PLACES, X, Y, stream_columns
from shared.block_loops import count_times, list_cells, list_trips
from shared.blocks import BASE, COLUMNS, HOURS, PLACES_AT, RUNS_AT, TRIPS, X_AT, Flags
from shared.weekly import End

_DAY_ONE: Final = date(1, 1, 1)
_HEAD: Final = ("places_words", "x_words", "y_words", "needs", "run_words", "block_id")
"""Numbers of a head after the columns of shared/blocks.py. needs: which columns of bits (shared/block_bits.py)."""

# Dimensions, flags, type, and for both dimensions the length and the first index.
_ARRAYS_AT: Final = 28
# A megabyte or less: blocks are counted while they are in the core's own cache.
_BLOCKS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Choice:
    """Which trips of a block count. hours: of the week, Monday 0 h is 0 (None: all); area None: anywhere; both days included."""

    area: AxisArea | None
    hours: Sequence[int] | None
    from_on: date
    to_on: date

    @property
    def bounds(self) -> Numbers:
        """The area as the kernels take it, for positions and for steps; any one where no trip is tested."""
        return np.array([*self.area.bounds(), *self.area.steps()] if self.area else [0] * 16)

    def filters(self, from_on: date | None = None, to_on: date | None = None) -> tuple[Flags, int, int]:
        """Hours and days as the kernels take them; of other days where they are given."""
        wanted = np.full(HOURS, self.hours is None)
        wanted[list(self.hours or ())] = True
        return wanted, _number_day(from_on or self.from_on), _number_day(to_on or self.to_on)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Some blocks: a row of numbers each (columns of shared/blocks.py), and the words of their columns of bits."""

    table: Numbers
    words: Words

    def choose(self, chosen: Flags) -> "Blocks":
        """Those of an index."""
        return Blocks(self.table[chosen], self.words)


@dataclass(frozen=True, slots=True)
class Heads:
    """What is known of blocks before their bits are read.

    Shape: numbers is n by 16: the columns of shared/blocks.py up to OTHER_Y, then _HEAD. runs: all blocks', one after the other.
    """

    numbers: Numbers
    runs: bytes

    @classmethod
    def decode(cls, heads: bytes, runs: bytes) -> Self:
        """Read an array of arrays of 64-bit numbers. Source: array_send of PostgreSQL; see shared/run_writing.py."""
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
    """Make blocks of rows: the columns of shared/blocks.py up to OTHER_Y, the words of the places and of each axis of the other
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


class TimeCounter:
    """Counts the chosen trips of blocks per week of the period, and per hour of the week if asked."""

    def __init__(self, choice: Choice, *, by_hour: bool) -> None:
        self._choice = choice
        self._bounds = choice.bounds
        self._first_week = _number_day(choice.from_on) // 7
        weeks = _number_day(choice.to_on) // 7 - self._first_week + 1
        self.counts = np.zeros((weeks, HOURS if by_hour else 1), np.int64)

    def add(self, blocks: Blocks, from_on: date | None = None, to_on: date | None = None) -> None:
        """Count, on the choice's days or on others of its period."""
        filters = self._choice.filters(from_on, to_on)
        counts = self.counts[filters[1] // 7 - self._first_week :]
        count_times(blocks.table, blocks.words, self._bounds, filters, counts)

    def add_sums(self, weeks: Sequence[int], lengths: Sequence[int], sums: bytes, *, whole_weeks: tuple[date, date]) -> None:
        """Count blocks by their sums, in whole weeks of the period. weeks: each block's first since 0001-01-01."""
        trips, sizes = np.frombuffer(sums, "<u2"), np.array(lengths)
        numbers = np.repeat(np.array(weeks) - (np.cumsum(sizes) - sizes), sizes) + np.arange(len(trips))
        chosen = (numbers >= _number_day(whole_weeks[0]) // 7) & (numbers <= _number_day(whole_weeks[1]) // 7)
        np.add.at(self.counts[:, 0], numbers[chosen] - self._first_week, trips[chosen])

    def add_cell(self, week: date, column: bytes, *, weeks: int, whole_weeks: tuple[date, date]) -> None:
        """Count a cell's hours in the whole weeks of the period. week: the cell's first of so many; column: hours as bits."""
        hours = np.empty(weeks * HOURS, np.int64)
        unpack_numbers(np.frombuffer(column + bytes(8), np.uint64), 0, hours)
        wanted = hours.reshape(weeks, HOURS) * self._choice.filters()[0]
        first = _number_day(week) // 7
        low = max(first, _number_day(whole_weeks[0]) // 7)
        high = min(first + weeks, (_number_day(whole_weeks[1]) + 1) // 7)
        if low < high:
            chosen = wanted[low - first : high - first]
            rows = self.counts[low - self._first_week : high - self._first_week]
            rows += chosen if rows.shape[1] == HOURS else chosen.sum(axis=1, keepdims=True)


def find_trips(blocks: Blocks, choice: Choice) -> Numbers:
    """List the chosen trips of origins' blocks. Shape: 4 by n: origins, destinations, regions, hours since 0001-01-01."""
    found = np.empty((4, int(blocks.table[:, TRIPS].sum())), np.int64)
    return found[:, : list_trips(blocks.table, blocks.words, choice.bounds, choice.filters(), found)]


def find_cells(blocks: Blocks, choice: Choice, *, shift: int) -> Numbers:
    """List the cells of the chosen trips of origins' blocks, whatever their days. Shape: 2 by n: origins' and destinations'."""
    # The kernel writes before it chooses.
    found = np.empty((2, int(blocks.table[:, TRIPS].sum()) + 1), np.int64)
    limits = (choice.bounds, choice.filters())
    return found[:, : list_cells(blocks.table, blocks.words, limits, shift, found)]


def choose_ends(area: AxisArea, origins: Numbers, destinations: Numbers, *, end: End) -> Flags:
    """Tell which trips have that end in an area. Shape: n positions each → n flags."""
    if end == "origin":
        return area.contains(origins)
    if end == "destination":
        return area.contains(destinations)
    is_origin, is_destination = area.contains(origins), area.contains(destinations)
    return is_origin & is_destination if end == "both" else is_origin | is_destination


def _number_day(day: date) -> int:
    return (day - _DAY_ONE).days
