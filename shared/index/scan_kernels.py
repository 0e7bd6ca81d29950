"""Block loops: what questions and packing ask of many blocks, counted, listed or added up in loops compiled by numba."""

from typing import Final

import numpy as np

from shared.index.block_filter import Filters, choose_by_time, choose_trips
from shared.index.block_reader import list_lows, read_ends, read_others, read_runs
from shared.index.layout import HOURS, REGION, TIMES_AT, TRIPS, WANTED, WEEK
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import gather, join_axes
from shared.kernels.pair_counter import find_pair
from shared.platform.arrays import Flags, Numbers, Words

GROUP_CELL_BITS: Final = 45
"""Bits of a trip group's origin cell in its first key: geohashes of up to nine characters."""


@compile_kernel
def list_places(blocks: Numbers, words: Words, found: Numbers) -> None:
    """List the ends of all trips of blocks. Shape: found has one entry per trip."""
    first = 0
    for number in range(len(blocks)):
        last = first + blocks[number, TRIPS]
        read_ends(blocks[number], words, read_runs(blocks[number], words), found[first:last])
        first = last


@compile_kernel
def list_ends(blocks: Numbers, words: Words, sources: tuple[Numbers, Numbers], found: Numbers) -> None:
    """List all trips of blocks.

    Shape: sources are the blocks' datasources one after the other, and where each block's begin; found is 3 by all trips: ends,
    stamps (see shared/compaction/sorted_ends.py), and other ends where it has a third row.
    """
    first = 0
    for number in range(len(blocks)):
        block = blocks[number]
        last = first + block[TRIPS]
        runs = read_runs(block, words)
        read_ends(block, words, runs, found[0, first:last])
        if len(found) > 2:
            read_others(block, words, found[2, first:last])
        stamps = found[1, first:last]
        unpack_numbers(words, block[TIMES_AT], stamps, block[TRIPS])
        region, place = block[REGION] << 16, 0
        for run in range(runs.shape[1]):
            week_hour = (block[WEEK] + runs[0, run]) * HOURS
            for trip in range(place, runs[1, run]):
                datasource = sources[0][sources[1][number] + stamps[trip] // HOURS]
                stamps[trip] = (week_hour + stamps[trip] % HOURS) << 32 | region | datasource
            place = runs[1, run]
        first = last


@compile_kernel
def _make_scratch(blocks: Numbers) -> tuple[Numbers, Numbers, Numbers, Flags]:
    most = np.int64(0)
    for block in range(len(blocks)):
        most = max(most, blocks[block, TRIPS])
    return np.empty(most, np.int64), np.empty((2, most), np.int64), np.empty(most, np.int64), np.empty(most, np.bool_)


@compile_kernel
def count_times(blocks: Numbers, words: Words, area: Numbers, filters: Filters, counts: Numbers) -> None:
    """Count the chosen trips per week from first_day's on, and per hour of the week where counts has 168 columns.

    Shape: counts has a row per week; it is added to.
    """
    scratch = _make_scratch(blocks)
    times, chosen = scratch[2], scratch[3]
    first_week, weeks = filters[1] // 7, filters[2] // 7 + 1 - filters[1] // 7
    by_hour = counts.shape[1] == HOURS
    is_whole = not by_hour and filters[0].all() and filters[1] % 7 == 0 and filters[2] % 7 == 6
    for number in range(len(blocks)):
        block = blocks[number]
        runs = read_runs(block, words)
        needs_times = not is_whole or block[WANTED] >= 0
        choose_trips(block, words, runs, area, (False, needs_times), scratch)
        if needs_times:
            choose_by_time(block, runs, times, filters, chosen)
        if by_hour:
            _add_hours(runs, chosen, times, (first_week, block[WEEK]), counts)
        else:
            _add_weeks(runs, chosen, block[WEEK] - first_week, counts[:weeks])


@compile_kernel
def _add_hours(runs: Numbers, chosen: Flags, times: Numbers, weeks: tuple[int, int], counts: Numbers) -> None:
    """Count trips per week and hour, of which none lies outside the period. weeks: counts' first and the block's."""
    first = 0
    for run in range(runs.shape[1]):
        # A run is a week's: no trip's time is divided.
        week = weeks[1] + runs[0, run]
        for place in range(first, runs[1, run]):
            if chosen[place]:
                counts[week - weeks[0], times[place] - week * HOURS] += 1
        first = runs[1, run]


@compile_kernel
def _add_weeks(runs: Numbers, chosen: Flags, first_week: int, counts: Numbers) -> None:
    """Count trips per week without their hours. first_week: the block's, from counts' first on."""
    first = 0
    for run in range(runs.shape[1]):
        week, trips = first_week + runs[0, run], 0
        if 0 <= week < len(counts):
            for place in range(first, runs[1, run]):
                trips += chosen[place]
            counts[week, 0] += trips
        first = runs[1, run]


@compile_kernel
def list_trips(blocks: Numbers, words: Words, area: Numbers, filters: Filters, found: Numbers) -> int:
    """List the chosen trips of origins' blocks; returns how many. Shape: found is 4 by n: origins, destinations, regions,
    hours.
    """
    scratch = _make_scratch(blocks)
    ends, steps, times, chosen = scratch
    count = 0
    for number in range(len(blocks)):
        block = blocks[number]
        runs = read_runs(block, words)
        choose_trips(block, words, runs, area, (True, True), scratch)
        choose_by_time(block, runs, times, filters, chosen)
        x_low, y_low = list_lows(block)
        for place in range(block[TRIPS]):
            if chosen[place]:
                found[0, count], found[1, count] = ends[place], join_axes(x_low + steps[0, place], y_low + steps[1, place])
                found[2, count], found[3, count] = block[REGION], times[place]
                count += 1
    return count


@compile_kernel
def list_cells(blocks: Numbers, words: Words, limits: tuple[Numbers, Filters], shift: int, found: Numbers) -> int:
    """List the cells of the chosen trips of origins' blocks; returns how many. Their hours are read only if those matter.

    limits: area and filters. shift: of cells. Shape: found is 2 by n: origin and destination cells.
    """
    scratch = _make_scratch(blocks)
    ends, steps, times, chosen = scratch
    is_any_hour = limits[1][0].all()
    count = 0
    for number in range(len(blocks)):
        block = blocks[number]
        runs = read_runs(block, words)
        needs_times = not is_any_hour or block[WANTED] >= 0
        choose_trips(block, words, runs, limits[0], (True, needs_times), scratch)
        if needs_times:
            choose_by_time(block, runs, times, limits[1], chosen)
        x_low, y_low = list_lows(block)
        for place in range(block[TRIPS]):
            found[0, count] = ends[place] >> shift
            found[1, count] = join_axes(x_low + steps[0, place], y_low + steps[1, place]) >> shift
            count += chosen[place]
    return count


@compile_kernel
def sum_groups(
    blocks: Numbers,
    words: Words,
    limits: tuple[Numbers, Filters],
    groups: tuple[Numbers, int, int],
    sources: tuple[Numbers, Numbers],
    sums: tuple[Numbers, Flags],
) -> None:
    """Add the chosen trips of origins' blocks to the trip groups they belong to.

    limits: area and filters. groups: the slots of a PairCounter that gives each group's number from 1 on, under the two keys of
    make_group_keys; the cells' shift; hours of a bucket. sources: the blocks' datasources one after the other, and where each
    block's begin. sums: a row per group of trips, the steps x and y of origins and of destinations added up, first and last
    hour; and which datasources it has.
    """
    scratch = _make_scratch(blocks)
    ends, steps, times, chosen = scratch
    codes = np.empty(len(times), np.int64)
    slots, shift, bucket_hours = groups
    totals, seen = sums
    for number in range(len(blocks)):
        block = blocks[number]
        runs = read_runs(block, words)
        choose_trips(block, words, runs, limits[0], (True, True), scratch)
        trips = block[TRIPS]
        x_low, y_low = list_lows(block)
        codes[:trips] = times[:trips]
        choose_by_time(block, runs, times, limits[1], chosen)
        for place in range(trips):
            if not chosen[place]:
                continue
            x, y = x_low + steps[0, place], y_low + steps[1, place]
            first = block[REGION] << GROUP_CELL_BITS | ends[place] >> shift
            second = (join_axes(x, y) >> shift) << 5 | times[place] % 24 // bucket_hours
            group = find_pair(slots, first, second) - 1
            if group < 0:
                continue
            total = totals[group]
            total[0] += 1
            total[1] += gather(ends[place] >> 1)
            total[2] += gather(ends[place])
            total[3] += x
            total[4] += y
            total[5] = min(total[5], times[place])
            total[6] = max(total[6], times[place])
            seen[group, sources[0][sources[1][number] + codes[place] // HOURS]] = True
