"""Block loops: what questions and packing ask of many blocks, counted, listed or added up in loops compiled by numba."""

from typing import Final

import numpy as np

from shared.index.block_filter import TimeFilter, filter_by_area, filter_by_time
from shared.index.block_reader import read_axis_bases, read_ends, read_others, read_week_index
from shared.index.layout import HOURS, REGION, SELECTED_DATASOURCE, TIMES_AT, TRIPS, WEEK
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import gather, join_axes
from shared.kernels.pair_counter import find_pair
from shared.platform.arrays import Flags, Numbers, Words

GROUP_CELL_BITS: Final = 45
"""Bits of a trip group's origin cell in its first key: geohashes of up to nine characters."""


@compile_kernel
def list_positions(blocks: Numbers, words: Words, found: Numbers) -> None:
    """List the ends of all trips of blocks. Shape: found has one entry per trip."""
    first = 0
    for number in range(len(blocks)):
        last = first + blocks[number, TRIPS]
        read_ends(blocks[number], words, read_week_index(blocks[number], words), found[first:last])
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
        week_index = read_week_index(block, words)
        read_ends(block, words, week_index, found[0, first:last])
        if len(found) > 2:
            read_others(block, words, found[2, first:last])
        stamps = found[1, first:last]
        unpack_numbers(words, block[TIMES_AT], stamps, block[TRIPS])
        region, i = block[REGION] << 16, 0
        for entry in range(week_index.shape[1]):
            week_hour = (block[WEEK] + week_index[0, entry]) * HOURS
            for trip in range(i, week_index[1, entry]):
                datasource = sources[0][sources[1][number] + stamps[trip] // HOURS]
                stamps[trip] = (week_hour + stamps[trip] % HOURS) << 32 | region | datasource
            i = week_index[1, entry]
        first = last


@compile_kernel
def _make_scratch(blocks: Numbers) -> tuple[Numbers, Numbers, Numbers, Flags]:
    most = np.int64(0)
    for block in range(len(blocks)):
        most = max(most, blocks[block, TRIPS])
    return np.empty(most, np.int64), np.empty((2, most), np.int64), np.empty(most, np.int64), np.empty(most, np.bool_)


@compile_kernel
def count_times(blocks: Numbers, words: Words, area: Numbers, time_filter: TimeFilter, counts: Numbers) -> None:
    """Count the chosen trips per week from first_day's on, and per hour of the week where counts has 168 columns.

    Shape: counts has a row per week; it is added to.
    """
    scratch = _make_scratch(blocks)
    times, selected = scratch[2], scratch[3]
    first_week, weeks = time_filter[1] // 7, time_filter[2] // 7 + 1 - time_filter[1] // 7
    by_hour = counts.shape[1] == HOURS
    is_whole = not by_hour and time_filter[0].all() and time_filter[1] % 7 == 0 and time_filter[2] % 7 == 6
    for number in range(len(blocks)):
        block = blocks[number]
        week_index = read_week_index(block, words)
        needs_times = not is_whole or block[SELECTED_DATASOURCE] >= 0
        filter_by_area(block, words, week_index, area, (False, needs_times), scratch)
        if needs_times:
            filter_by_time(block, week_index, times, time_filter, selected)
        if by_hour:
            _add_hours(week_index, selected, times, (first_week, block[WEEK]), counts)
        else:
            _add_weeks(week_index, selected, block[WEEK] - first_week, counts[:weeks])


@compile_kernel
def _add_hours(week_index: Numbers, selected: Flags, times: Numbers, weeks: tuple[int, int], counts: Numbers) -> None:
    """Count trips per week and hour, of which none lies outside the period. weeks: counts' first and the block's."""
    first = 0
    for entry in range(week_index.shape[1]):
        # A run is a week's: no trip's time is divided.
        week = weeks[1] + week_index[0, entry]
        for i in range(first, week_index[1, entry]):
            if selected[i]:
                counts[week - weeks[0], times[i] - week * HOURS] += 1
        first = week_index[1, entry]


@compile_kernel
def _add_weeks(week_index: Numbers, selected: Flags, first_week: int, counts: Numbers) -> None:
    """Count trips per week without their hours. first_week: the block's, from counts' first on."""
    first = 0
    for entry in range(week_index.shape[1]):
        week, trips = first_week + week_index[0, entry], 0
        if 0 <= week < len(counts):
            for i in range(first, week_index[1, entry]):
                trips += selected[i]
            counts[week, 0] += trips
        first = week_index[1, entry]


@compile_kernel
def list_trips(blocks: Numbers, words: Words, area: Numbers, time_filter: TimeFilter, found: Numbers) -> int:
    """List the chosen trips of origins' blocks; returns how many. Shape: found is 4 by n: origins, destinations, regions,
    hours.
    """
    scratch = _make_scratch(blocks)
    ends, axis_offsets, times, selected = scratch
    count = 0
    for number in range(len(blocks)):
        block = blocks[number]
        week_index = read_week_index(block, words)
        filter_by_area(block, words, week_index, area, (True, True), scratch)
        filter_by_time(block, week_index, times, time_filter, selected)
        x_base, y_base = read_axis_bases(block)
        for i in range(block[TRIPS]):
            if selected[i]:
                found[0, count], found[1, count] = ends[i], join_axes(x_base + axis_offsets[0, i], y_base + axis_offsets[1, i])
                found[2, count], found[3, count] = block[REGION], times[i]
                count += 1
    return count


@compile_kernel
def list_cells(blocks: Numbers, words: Words, limits: tuple[Numbers, TimeFilter], shift: int, found: Numbers) -> int:
    """List the cells of the chosen trips of origins' blocks; returns how many. Their hours are read only if those matter.

    limits: area and filters. shift: of cells. Shape: found is 2 by n: origin and destination cells.
    """
    scratch = _make_scratch(blocks)
    ends, axis_offsets, times, selected = scratch
    is_any_hour = limits[1][0].all()
    count = 0
    for number in range(len(blocks)):
        block = blocks[number]
        week_index = read_week_index(block, words)
        needs_times = not is_any_hour or block[SELECTED_DATASOURCE] >= 0
        filter_by_area(block, words, week_index, limits[0], (True, needs_times), scratch)
        if needs_times:
            filter_by_time(block, week_index, times, limits[1], selected)
        x_base, y_base = read_axis_bases(block)
        for i in range(block[TRIPS]):
            found[0, count] = ends[i] >> shift
            found[1, count] = join_axes(x_base + axis_offsets[0, i], y_base + axis_offsets[1, i]) >> shift
            count += selected[i]
    return count


@compile_kernel
def sum_groups(
    blocks: Numbers,
    words: Words,
    limits: tuple[Numbers, TimeFilter],
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
    ends, axis_offsets, times, selected = scratch
    codes = np.empty(len(times), np.int64)
    slots, shift, bucket_hours = groups
    totals, seen = sums
    for number in range(len(blocks)):
        block = blocks[number]
        week_index = read_week_index(block, words)
        filter_by_area(block, words, week_index, limits[0], (True, True), scratch)
        trips = block[TRIPS]
        x_base, y_base = read_axis_bases(block)
        codes[:trips] = times[:trips]
        filter_by_time(block, week_index, times, limits[1], selected)
        for i in range(trips):
            if not selected[i]:
                continue
            x, y = x_base + axis_offsets[0, i], y_base + axis_offsets[1, i]
            first = block[REGION] << GROUP_CELL_BITS | ends[i] >> shift
            second = (join_axes(x, y) >> shift) << 5 | times[i] % 24 // bucket_hours
            group = find_pair(slots, first, second) - 1
            if group < 0:
                continue
            total = totals[group]
            total[0] += 1
            total[1] += gather(ends[i] >> 1)
            total[2] += gather(ends[i])
            total[3] += x
            total[4] += y
            total[5] = min(total[5], times[i])
            total[6] = max(total[6], times[i])
            seen[group, sources[0][sources[1][number] + codes[i] // HOURS]] = True
