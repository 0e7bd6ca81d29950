"""Block writer: encode sorted trips as blocks of some thousand trips each, with bit-packed columns.

sorted_ends = sort_ends(origins, stamps, durations, others=destinations)
for row in make_blocks(sorted_ends, hours): ...
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np

from shared.compaction.segment_copy import Row, encode_arrays
from shared.compaction.sorted_ends import SortedEnds, sort_ends
from shared.domain.position import POSITION_BITS, X_MASK, Y_MASK
from shared.index.block_header import BlockRow
from shared.index.layout import BLOCK_TRIPS, CELL_SHIFT, DAY_ONE, HOURS
from shared.index.stamps import ID_LIMIT, get_datasource, get_hour, get_minute
from shared.kernels.bit_packing import list_columns, pack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.kd_partition import Steps, part_patches
from shared.kernels.morton import gather
from shared.platform.arrays import Numbers, Words

PATCH_BLOCKS: Final = 96
"""Most blocks of a patch: the trips of one cell in one part of a compaction.

Against 96, a patch of 16 blocks makes a box of 8 km cut twice as many destination blocks, and two thirds of the origin blocks.
"""

DESTINATION_BLOCKS: Final = 2
"""Trips of a destination block ÷ trips of an origin block.

A destination block has no other ends, so a trip takes half the bytes. Twice the trips make a value as large as an origin
block's; less room is lost after the last piece of a value in TOAST, which saves 0.1 bytes a trip.
"""

BATCH_BLOCK_TRIPS: Final = 2_048
"""Most trips of a batch's block. A smaller block spans fewer cells, so that questions and compaction read fewer trips in vain."""

_FAR: Final = np.int64(1 << 62)
"""Greater than any position or axis step."""

SUMMED_WEEKS: Final = 1_024
"""Most weeks of a block with week sums: twenty years. Sums of more weeks would take more bytes than the block's bits."""


def make_blocks(sorted_ends: SortedEnds, hours: Sequence[bytes | None], *, block_trips: int = BLOCK_TRIPS) -> Iterator[Row]:
    """Yield the blocks of a segment, without its id; of origins if there are other ends. hours: as encode_cell_hours returns."""
    starts = sorted_ends.list_cell_offsets(CELL_SHIFT)
    if sorted_ends.others is None:
        offsets = _split_evenly(starts, len(sorted_ends.positions), DESTINATION_BLOCKS * block_trips)
        permutation = None
    else:
        patches = _split_evenly(starts, len(sorted_ends.positions), PATCH_BLOCKS * block_trips)
        offsets = _split_evenly(patches[:-1], len(sorted_ends.positions), block_trips)
        permutation = part_patches(sorted_ends.others, patches, offsets)
    cells = (np.searchsorted(starts, offsets[:-1], side="right") - 1).tolist()
    for cell, row in zip(cells, _encode_blocks(sorted_ends, offsets, permutation), strict=True):
        yield (*row, hours[cell] is not None)


def make_batch_blocks(
    origins: Numbers, destinations: Numbers, stamps: Numbers, *, durations: Numbers, block_trips: int = BATCH_BLOCK_TRIPS
) -> Iterator[Row]:
    """Yield the blocks of a batch's trips, without the load's id. Shape: n each."""
    for sorted_ends in (sort_ends(origins, stamps, durations, others=destinations), sort_ends(destinations, stamps, durations)):
        yield from _encode_blocks(
            sorted_ends, _split_evenly(sorted_ends.list_cell_offsets(POSITION_BITS), len(sorted_ends.positions), block_trips)
        )


@dataclass(frozen=True, slots=True)
class _WeekIndexes:
    """The week indexes of blocks: an entry for each week that has trips.

    Shape: e entries each; offsets has one more than blocks. weeks: after the block's first. firsts: first position less the base.
    """

    starts: Numbers
    offsets: Numbers
    weeks: Numbers
    trips: Numbers
    firsts: Numbers

    @property
    def counts(self) -> Numbers:
        """Number of entries of each block."""
        return np.diff(self.offsets)

    def list_columns(self) -> list[bytes]:
        """Encode each block's week index: the number of entries as a word, then weeks, trips and first positions as bits."""
        counts = np.repeat(self.counts, self.counts)
        targets = np.arange(len(self.starts)) + 2 * np.repeat(self.offsets[:-1], self.counts)
        numbers = np.empty(3 * len(self.starts), np.int64)
        for column, values in enumerate((self.weeks, self.trips, self.firsts)):
            numbers[targets + column * counts] = values
        columns = list_columns(*pack_numbers(numbers, 3 * self.offsets, 3))
        return [int(count).to_bytes(8, "little") + column for count, column in zip(self.counts, columns, strict=True)]

    def list_sums(self) -> list[bytes]:
        """Encode each block's trips per week from its first week on, two bytes each; empty for more than SUMMED_WEEKS weeks."""
        spans = self.weeks[self.offsets[1:] - 1] + 1
        spans[spans > SUMMED_WEEKS] = 0
        limits = np.append(0, np.cumsum(spans))
        is_summed = np.repeat(spans > 0, self.counts)
        sums = np.zeros(int(limits[-1]), "<u2")
        sums[(np.repeat(limits[:-1], self.counts) + self.weeks)[is_summed]] = self.trips[is_summed]
        data = sums.tobytes()
        return [data[first:last] for first, last in pairwise((2 * limits).tolist())]


@compile_kernel
def _order_weeks(stamps: Numbers, permutation: Steps, offsets: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
    """Order the trips of each block by week: a stable counting sort.

    Shape: n stamps, n trip indexes in order of blocks, m + 1 offsets of blocks → n trip indexes, m first weeks of blocks, m + 1
    offsets of week index entries, and each entry's week after the block's first one, and trips.
    """
    order, weeks = np.empty(len(stamps), np.int64), np.empty(len(offsets) - 1, np.int64)
    entry_offsets = np.zeros(len(offsets), np.int64)
    entry_weeks, entry_trips = np.empty(len(stamps), np.int64), np.empty(len(stamps), np.int64)
    entry = 0
    for block in range(len(weeks)):
        first, last = offsets[block], offsets[block + 1]
        found = np.empty(last - first, np.int64)
        for trip in range(last - first):
            found[trip] = get_hour(stamps[permutation[first + trip]]) // HOURS
        weeks[block] = found.min()
        ends = np.zeros(found.max() - weeks[block] + 1, np.int64)
        for trip in range(last - first):
            found[trip] -= weeks[block]
            ends[found[trip]] += 1
        end = first
        for week in range(len(ends)):
            trips = ends[week]
            ends[week] = end
            end += trips
            if trips > 0:
                entry_weeks[entry], entry_trips[entry] = week, trips
                entry += 1
        entry_offsets[block + 1] = entry
        for trip in range(last - first):
            week = found[trip]
            order[ends[week]] = permutation[first + trip]
            ends[week] += 1
    return order, weeks, entry_offsets, entry_weeks[:entry], entry_trips[:entry]


def _encode_blocks(sorted_ends: SortedEnds, offsets: Numbers, permutation: Steps | None = None) -> Iterator[BlockRow]:
    """Encode the blocks between offsets. permutation: trip indexes in order of blocks; None: as they are sorted."""
    first = offsets[:-1]
    permutation = np.arange(len(sorted_ends.positions), dtype=np.int32) if permutation is None else permutation
    order, weeks, entry_offsets, entry_weeks, entry_trips = _order_weeks(sorted_ends.stamps, permutation, offsets)
    # Reorder once: random reads would make each of the following steps three times as slow.
    sorted_ends = sorted_ends.reorder(order)
    bases, bounds = _bound_ends(sorted_ends.positions, offsets)
    entry_starts = np.cumsum(entry_trips) - entry_trips
    entry_firsts = sorted_ends.positions[entry_starts] - np.repeat(bases, np.diff(entry_offsets))
    week_indexes = _WeekIndexes(entry_starts, entry_offsets, entry_weeks, entry_trips, entry_firsts)
    deltas = np.diff(sorted_ends.positions, prepend=0)
    deltas[week_indexes.starts] = 0
    columns = [pack_numbers(deltas, offsets)]
    other_bounds: list[Any] = [[None] * 4] * len(first)
    if sorted_ends.others is not None:
        axes, found_bounds = split_axes(sorted_ends.others, offsets)
        columns += [pack_numbers(axis, offsets, 1) for axis in axes]
        other_bounds = found_bounds.tolist()
    codes, datasources, datasource_offsets = encode_times(sorted_ends.stamps, offsets)
    columns += [pack_numbers(codes, offsets, 1), _pack_durations(sorted_ends.durations, offsets)]
    words = [np.diff(starts) for _, starts in columns]
    if sorted_ends.others is None:
        words[1:1] = [np.zeros_like(first)] * 2
    else:
        columns.append(pack_numbers(get_minute(sorted_ends.stamps), offsets, 1))
    bits = map(b"".join, zip(*(list_columns(*column) for column in columns), strict=True))
    # First words of both axes of the other ends, of times, durations and minutes.
    numbers = np.stack([np.diff(offsets), *np.cumsum(words, axis=0)], axis=1).tolist()
    sums, end_bounds = week_indexes.list_sums(), bounds.tolist()
    sources = encode_arrays("int2[]", datasources, datasource_offsets)
    mondays = [DAY_ONE + timedelta(7 * week) for week in weeks.tolist()]
    regions, lows = sorted_ends.regions[first].tolist(), bases.tolist()
    for n, (week_index, block_bits) in enumerate(zip(week_indexes.list_columns(), bits, strict=True)):
        known = (regions[n], sorted_ends.others is not None, *numbers[n], mondays[n], lows[n])
        yield BlockRow._make((*known, *end_bounds[n], *other_bounds[n], sources[n], sums[n], week_index, block_bits))


def _pack_durations(durations: Numbers, offsets: Numbers) -> tuple[Words, Numbers]:
    """Pack the codes of durations; of blocks whose codes are all 0, nothing."""
    words, starts = pack_numbers(durations, offsets, 1)
    is_kept = np.maximum.reduceat(durations, offsets[:-1]) > 0
    sizes = np.diff(starts)
    return words[np.repeat(is_kept, sizes)], np.append(0, np.cumsum(sizes * is_kept))


def _split_evenly(starts: Numbers, trips: int, most: int) -> Numbers:
    """Split the ranges that begin at starts into pieces of about equal size. most: trips of a piece. Shape: n → m + 1 offsets."""
    sizes = np.diff(starts, append=trips)
    blocks = -(-sizes // most)
    number = np.arange(blocks.sum()) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    offsets = np.repeat(starts, blocks) + np.repeat(sizes, blocks) * number // np.repeat(blocks, blocks)
    return np.append(offsets, trips)


@compile_kernel
def _bound_ends(ends: Numbers, offsets: Numbers) -> tuple[Numbers, Numbers]:
    """Find the lowest end of each block and its bounds.

    Shape: m, and m by 4: x_low, x_high, y_low, y_high, as masked positions.
    """
    bases, bounds = np.empty(len(offsets) - 1, np.int64), np.empty((len(offsets) - 1, 4), np.int64)
    for block in range(len(bases)):
        base, x_low, x_high, y_low, y_high = _FAR, _FAR, np.int64(0), _FAR, np.int64(0)
        for i in range(offsets[block], offsets[block + 1]):
            x, y = ends[i] & X_MASK, ends[i] & Y_MASK
            base = min(base, ends[i])
            x_low, x_high, y_low, y_high = min(x_low, x), max(x_high, x), min(y_low, y), max(y_high, y)
        bases[block] = base
        bounds[block, 0], bounds[block, 1], bounds[block, 2], bounds[block, 3] = x_low, x_high, y_low, y_high
    return bases, bounds


@compile_kernel
def split_axes(others: Numbers, offsets: Numbers) -> tuple[Numbers, Numbers]:
    """Split the other ends into axis offsets, x and y steps above the block's lowest; and find the bounds of each block.

    Shape: n positions → 2 by n, and m by 4 as _bound_ends returns.
    """
    axis_offsets, bounds = np.empty((2, len(others)), np.int64), np.empty((len(offsets) - 1, 4), np.int64)
    for block in range(len(bounds)):
        x_low, x_high, y_low, y_high = _FAR, np.int64(0), _FAR, np.int64(0)
        for i in range(offsets[block], offsets[block + 1]):
            x, y = others[i] & X_MASK, others[i] & Y_MASK
            x_low, x_high, y_low, y_high = min(x_low, x), max(x_high, x), min(y_low, y), max(y_high, y)
        bounds[block, 0], bounds[block, 1], bounds[block, 2], bounds[block, 3] = x_low, x_high, y_low, y_high
        x_first, y_first = gather(bounds[block, 0] >> 1), gather(bounds[block, 2])
        for i in range(offsets[block], offsets[block + 1]):
            axis_offsets[0, i] = gather(others[i] >> 1) - x_first
            axis_offsets[1, i] = gather(others[i]) - y_first
    return axis_offsets, bounds


@compile_kernel
def encode_times(stamps: Numbers, offsets: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Encode each trip's datasource and hour as one code: index among the block's datasources * 168 + hour of the week.

    Shape: n stamps, m + 1 offsets of blocks → n codes, all blocks' datasources concatenated, and their m + 1 offsets.
    """
    codes = np.empty(len(stamps), np.int64)
    found = np.empty(len(stamps), np.int64)
    starts = np.zeros(len(offsets), np.int64)
    slots = np.full(ID_LIMIT, -1, np.int64)
    for block in range(len(offsets) - 1):
        first = starts[block]
        last = first
        for i in range(offsets[block], offsets[block + 1]):
            stamp = stamps[i]
            datasource = get_datasource(stamp)
            if slots[datasource] < 0:
                slots[datasource] = last - first
                found[last] = datasource
                last += 1
            codes[i] = slots[datasource] * HOURS + get_hour(stamp) % HOURS
        for i in range(first, last):
            slots[found[i]] = -1
        starts[block + 1] = last
    return codes, found[: starts[-1]], starts
