"""Rows of run_point and batch_point, made of sorted points: up to some thousand trips each, their numbers as bits.

points = sort_points(origins, stamps, destinations)
for row in make_blocks(points, hours): ...
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np

from shared.compaction.segment_copy import Row, encode_arrays
from shared.compaction.sorted_ends import Points, sort_points
from shared.domain.position import POSITION_BITS, X_MASK, Y_MASK
from shared.index.layout import BLOCK_TRIPS, CELL_SHIFT, DAY_ONE, HOURS
from shared.kernels.bit_packing import list_columns, pack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.kd_partition import Steps, part_patches
from shared.kernels.morton import gather
from shared.platform.arrays import Numbers

PATCH_BLOCKS: Final = 96
"""Blocks of a patch at most: what a part of a packing has of a cell.

With 16 a box of 8 km cuts twice as many destinations, and of origins two thirds of what it cuts so.
"""

DESTINATION_BLOCKS: Final = 2
"""A block of destinations has the trips of so many of origins: without other ends it has half the bytes, and the last piece of a
value in TOAST leaves room that nothing else fits into, 0.1 bytes a trip less so."""

BATCH_BLOCK_TRIPS: Final = 2_048
"""Trips of a batch's block at most: the smaller, the fewer cells it passes, so questions and packing read less for nothing."""

_FAR: Final = np.int64(1 << 62)
"""Beyond all positions and steps."""

SUMMED_WEEKS: Final = 1_024
"""Weeks of a block that has sums at most: twenty years. The numbers of more would outweigh its bits."""


def make_blocks(points: Points, hours: Sequence[bytes | None], *, block_trips: int = BLOCK_TRIPS) -> Iterator[Row]:
    """Make the rows of run_point, without the run; of origins where there are other ends. hours: what pack_hours gives."""
    starts = points.list_starts(CELL_SHIFT)
    if points.others is None:
        cuts = _cut(starts, len(points.ends), DESTINATION_BLOCKS * block_trips)
        places = None
    else:
        patches = _cut(starts, len(points.ends), PATCH_BLOCKS * block_trips)
        cuts = _cut(patches[:-1], len(points.ends), block_trips)
        places = part_patches(points.others, patches, cuts)
    cells = (np.searchsorted(starts, cuts[:-1], side="right") - 1).tolist()
    for cell, row in zip(cells, _encode_blocks(points, cuts, places), strict=True):
        yield (*row, hours[cell] is not None)


def make_batch_blocks(
    origins: Numbers, destinations: Numbers, stamps: Numbers, *, block_trips: int = BATCH_BLOCK_TRIPS
) -> Iterator[Row]:
    """Make the rows of batch_point, without the load, of the trips of a batch. Shape: n each."""
    for points in (sort_points(origins, stamps, destinations), sort_points(destinations, stamps)):
        yield from _encode_blocks(points, _cut(points.list_starts(POSITION_BITS), len(points.ends), block_trips))


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of a week's trips in each block. Shape: r each, cuts one more than blocks; weeks: after the block's first."""

    starts: Numbers
    cuts: Numbers
    weeks: Numbers
    trips: Numbers
    firsts: Numbers

    @property
    def counts(self) -> Numbers:
        """How many runs each block has."""
        return np.diff(self.cuts)

    def list_columns(self) -> list[bytes]:
        """Encode each block's: how many, then as bits the weeks, the trips and the first places."""
        counts = np.repeat(self.counts, self.counts)
        places = np.arange(len(self.starts)) + 2 * np.repeat(self.cuts[:-1], self.counts)
        numbers = np.empty(3 * len(self.starts), np.int64)
        for column, values in enumerate((self.weeks, self.trips, self.firsts)):
            numbers[places + column * counts] = values
        columns = list_columns(*pack_numbers(numbers, 3 * self.cuts, 3))
        return [int(count).to_bytes(8, "little") + column for count, column in zip(self.counts, columns, strict=True)]

    def list_sums(self) -> list[bytes]:
        """List each block's trips per week from its first on, two bytes each; none where they are of very many weeks."""
        spans = self.weeks[self.cuts[1:] - 1] + 1
        spans[spans > SUMMED_WEEKS] = 0
        limits = np.append(0, np.cumsum(spans))
        is_summed = np.repeat(spans > 0, self.counts)
        sums = np.zeros(int(limits[-1]), "<u2")
        sums[(np.repeat(limits[:-1], self.counts) + self.weeks)[is_summed]] = self.trips[is_summed]
        data = sums.tobytes()
        return [data[first:last] for first, last in pairwise((2 * limits).tolist())]


@compile_kernel
def _order_weeks(stamps: Numbers, places: Steps, cuts: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
    """Order the trips of each block by week, those of a week as they stand, by counting.

    Shape: n stamps, n places that say which trips the blocks have, m + 1 cuts → n places in order, m first weeks of blocks, m + 1
    cuts of runs, and each run's week after the block's first one and trips.
    """
    order, weeks = np.empty(len(stamps), np.int64), np.empty(len(cuts) - 1, np.int64)
    run_cuts = np.zeros(len(cuts), np.int64)
    run_weeks, run_trips = np.empty(len(stamps), np.int64), np.empty(len(stamps), np.int64)
    run = 0
    for block in range(len(weeks)):
        first, last = cuts[block], cuts[block + 1]
        found = np.empty(last - first, np.int64)
        for trip in range(last - first):
            found[trip] = (stamps[places[first + trip]] >> 32) // HOURS
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
                run_weeks[run], run_trips[run] = week, trips
                run += 1
        run_cuts[block + 1] = run
        for trip in range(last - first):
            week = found[trip]
            order[ends[week]] = places[first + trip]
            ends[week] += 1
    return order, weeks, run_cuts, run_weeks[:run], run_trips[:run]


def _encode_blocks(points: Points, cuts: Numbers, places: Steps | None = None) -> Iterator[Row]:
    """Encode blocks between cuts; places: which trips those have, as they stand where it is left out."""
    first = cuts[:-1]
    places = np.arange(len(points.ends), dtype=np.int32) if places is None else places
    order, weeks, run_cuts, run_weeks, run_trips = _order_weeks(points.stamps, places, cuts)
    # In order once, for all that follows: read at random they cost each step three times as much.
    points = points.place(order)
    bases, bounds = _bound_ends(points.ends, cuts)
    run_starts = np.cumsum(run_trips) - run_trips
    run_firsts = points.ends[run_starts] - np.repeat(bases, np.diff(run_cuts))
    runs = _Runs(run_starts, run_cuts, run_weeks, run_trips, run_firsts)
    steps = np.diff(points.ends, prepend=0)
    steps[runs.starts] = 0
    columns = [pack_numbers(steps, cuts)]
    other_bounds: list[Any] = [[None] * 4] * len(first)
    if points.others is not None:
        axes, found_bounds = split_axes(points.others, cuts)
        columns += [pack_numbers(axis, cuts, 1) for axis in axes]
        other_bounds = found_bounds.tolist()
    codes, datasources, datasource_cuts = encode_times(points.stamps, cuts)
    columns.append(pack_numbers(codes, cuts, 1))
    bits = map(b"".join, zip(*(list_columns(*column) for column in columns), strict=True))
    words = [np.diff(starts) for _, starts in columns[:-1]]
    # Where the axes of the other ends and the times begin; destinations have no other ends.
    begins = np.cumsum(words if points.others is not None else [*words, np.zeros_like(first), np.zeros_like(first)], axis=0)
    numbers = np.stack([np.diff(cuts), *begins], axis=1).tolist()
    sums, end_bounds = runs.list_sums(), bounds.tolist()
    sources = encode_arrays("int2[]", datasources, datasource_cuts)
    mondays = [DAY_ONE + timedelta(7 * week) for week in weeks.tolist()]
    regions, lows = points.regions[first].tolist(), bases.tolist()
    for n, (block_runs, block_bits) in enumerate(zip(runs.list_columns(), bits, strict=True)):
        head = (regions[n], points.others is not None, *numbers[n], mondays[n], lows[n])
        yield (*head, *end_bounds[n], *other_bounds[n], sources[n], sums[n], block_runs, block_bits)


def _cut(starts: Numbers, trips: int, most: int) -> Numbers:
    """Cut what begins at starts into pieces of about the same size, each of at most so many trips."""
    sizes = np.diff(starts, append=trips)
    blocks = -(-sizes // most)
    number = np.arange(blocks.sum()) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    cuts = np.repeat(starts, blocks) + np.repeat(sizes, blocks) * number // np.repeat(blocks, blocks)
    return np.append(cuts, trips)


@compile_kernel
def _bound_ends(ends: Numbers, cuts: Numbers) -> tuple[Numbers, Numbers]:
    """Find the lowest end of each block and its bounds.

    Shape: m, and m by 4: x_low, x_high, y_low, y_high, as masked positions.
    """
    bases, bounds = np.empty(len(cuts) - 1, np.int64), np.empty((len(cuts) - 1, 4), np.int64)
    for block in range(len(bases)):
        base, x_low, x_high, y_low, y_high = _FAR, _FAR, np.int64(0), _FAR, np.int64(0)
        for place in range(cuts[block], cuts[block + 1]):
            x, y = ends[place] & X_MASK, ends[place] & Y_MASK
            base = min(base, ends[place])
            x_low, x_high, y_low, y_high = min(x_low, x), max(x_high, x), min(y_low, y), max(y_high, y)
        bases[block] = base
        bounds[block, 0], bounds[block, 1], bounds[block, 2], bounds[block, 3] = x_low, x_high, y_low, y_high
    return bases, bounds


@compile_kernel
def split_axes(others: Numbers, cuts: Numbers) -> tuple[Numbers, Numbers]:
    """Make the other ends' columns: x and y steps, each above the block's lowest; and find the bounds of each block.

    Shape: 2 by n, and m by 4 as _bound_ends gives them.
    """
    steps, bounds = np.empty((2, len(others)), np.int64), np.empty((len(cuts) - 1, 4), np.int64)
    for block in range(len(bounds)):
        x_low, x_high, y_low, y_high = _FAR, np.int64(0), _FAR, np.int64(0)
        for place in range(cuts[block], cuts[block + 1]):
            x, y = others[place] & X_MASK, others[place] & Y_MASK
            x_low, x_high, y_low, y_high = min(x_low, x), max(x_high, x), min(y_low, y), max(y_high, y)
        bounds[block, 0], bounds[block, 1], bounds[block, 2], bounds[block, 3] = x_low, x_high, y_low, y_high
        x_first, y_first = gather(bounds[block, 0] >> 1), gather(bounds[block, 2])
        for place in range(cuts[block], cuts[block + 1]):
            steps[0, place] = gather(others[place] >> 1) - x_first
            steps[1, place] = gather(others[place]) - y_first
    return steps, bounds


@compile_kernel
def encode_times(stamps: Numbers, cuts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Make one number of each trip's time in its week: place among the block's datasources, then hour of the week.

    Shape: n stamps (hour << 32 | region << 16 | datasource), m + 1 cuts → n numbers, all blocks' datasources one after the
    other, and the m + 1 places where those begin.
    """
    codes = np.empty(len(stamps), np.int64)
    found = np.empty(len(stamps), np.int64)
    starts = np.zeros(len(cuts), np.int64)
    slots = np.full(65_536, -1, np.int64)
    for block in range(len(cuts) - 1):
        first = starts[block]
        last = first
        for place in range(cuts[block], cuts[block + 1]):
            stamp = stamps[place]
            datasource = stamp & 65_535
            if slots[datasource] < 0:
                slots[datasource] = last - first
                found[last] = datasource
                last += 1
            codes[place] = slots[datasource] * HOURS + (stamp >> 32) % HOURS
        for place in range(first, last):
            slots[found[place]] = -1
        starts[block + 1] = last
    return codes, found[: starts[-1]], starts
