"""Scan kernels: loops over many blocks that count, list or add up their trips."""

from typing import Final, NamedTuple

import numpy as np

from shared.domain.area import AreaLimits
from shared.index.block_filter import Limits, Scratch, TimeLimits, filter_by_time, select_trips
from shared.index.block_header import BlockTable, BlockWords
from shared.index.block_reader import read_durations, read_ends, read_minutes, read_others, read_week_index
from shared.index.layout import DURATION_CODES, HOURS
from shared.index.segment import Entries
from shared.index.stamps import make_stamp
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import gather, join_axes
from shared.kernels.pair_counter import find_pair
from shared.platform.arrays import Flags, Numbers

BUCKET_BITS: Final = 11
"""Bits of a time of day: at most one for each minute."""


class GroupKeys(NamedTuple):
    """Numbers of groups, from 1 on: slots of PairCounters, and how trips are grouped.

    flows: numbers, from 1 on, of origin and destination cell. groups: of a flow's number and region << BUCKET_BITS | bucket.
    buckets: of each minute of the day.
    """

    flows: Numbers
    groups: Numbers
    cell_shift: int
    buckets: Numbers


GROUP_SUMS: Final = np.dtype(
    [(name, np.int64) for name in ("trips", "origin_x", "origin_y", "destination_x", "destination_y", "first_hour", "last_hour")]
)
"""Sums of a group: trips, axis steps of both ends, first and last hour since 0001-01-01."""

GroupSums = BlockTable


@compile_kernel
def list_positions(blocks: BlockTable, words: BlockWords, found: Numbers) -> None:
    """List the ends of all trips of blocks, as positions. Shape: found has one element per trip."""
    first = 0
    for number in range(len(blocks)):
        block = blocks[number]
        last = first + block.trips
        read_ends(block, words, read_week_index(block, words), found[first:last])
        first = last


@compile_kernel
def list_ends(blocks: BlockTable, words: BlockWords, datasources: Entries, found: Numbers) -> None:
    """List all trips of blocks. Shape: found is 3 or 4 by all trips: ends, stamps, durations, and other ends if it has a row."""
    minutes = _make_scratch(blocks).minutes
    first = 0
    for number in range(len(blocks)):
        block = blocks[number]
        last = first + block.trips
        week_index = read_week_index(block, words)
        read_ends(block, words, week_index, found[0, first:last])
        read_durations(block, words, found[2, first:last])
        if len(found) > 3:
            read_others(block, words, found[3, first:last])
        stamps = found[1, first:last]
        unpack_numbers(words.bits, block.times_at, stamps, block.trips)
        read_minutes(block, words, minutes[: block.trips])
        start = 0
        for entry in range(week_index.shape[1]):
            week_hour = (block.week + week_index[0, entry]) * HOURS
            for trip in range(start, week_index[1, entry]):
                datasource = datasources.values[datasources.offsets[number] + stamps[trip] // HOURS]
                minute = (week_hour + stamps[trip] % HOURS) * 60 + minutes[trip]
                stamps[trip] = make_stamp(minute, block.region, datasource)
            start = week_index[1, entry]
        first = last


@compile_kernel
def _make_scratch(blocks: BlockTable) -> Scratch:
    most = np.int64(0)
    for number in range(len(blocks)):
        most = max(most, blocks[number].trips)
    ends, times, minutes, durations = (
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
    )
    return Scratch(ends, np.empty((2, most), np.int64), times, minutes, durations, np.empty(most, np.bool_))


@compile_kernel
def count_times(blocks: BlockTable, words: BlockWords, area: AreaLimits, limits: TimeLimits, counts: Numbers) -> None:
    """Add the selected trips per week from first_day's on, and per hour of the week if counts has 168 columns; or per duration.

    Shape: counts has a row per week, or one row of DURATION_CODES columns.
    """
    scratch = _make_scratch(blocks)
    first_week, weeks = limits.first_day // 7, limits.last_day // 7 + 1 - limits.first_day // 7
    by_hour, by_duration = counts.shape[1] == HOURS, counts.shape[1] == DURATION_CODES
    is_whole = not by_hour and limits.hours.all() and limits.first_day % 7 == 0 and limits.last_day % 7 == 6
    for number in range(len(blocks)):
        block = blocks[number]
        week_index = read_week_index(block, words)
        needs_times = not is_whole or block.selected_datasource >= 0
        select_trips(block, words, week_index, area, (False, needs_times), scratch)
        if needs_times:
            filter_by_time(block, week_index, limits, scratch)
        if by_duration:
            read_durations(block, words, scratch.durations[: block.trips])
            _add_durations(week_index, scratch, (block.week - first_week, weeks), counts[0])
        elif by_hour:
            _add_hours(week_index, scratch, (first_week, block.week), counts)
        else:
            _add_weeks(week_index, scratch.selected, block.week - first_week, counts[:weeks])


@compile_kernel
def _add_hours(week_index: Numbers, scratch: Scratch, weeks: tuple[int, int], counts: Numbers) -> None:
    """Count trips per week and hour; all selected trips lie in the period. weeks: first week of counts, and of the block."""
    times, selected = scratch.times, scratch.selected
    first = 0
    for entry in range(week_index.shape[1]):
        # An entry has the trips of one week: no time is divided.
        week = weeks[1] + week_index[0, entry]
        for i in range(first, week_index[1, entry]):
            if selected[i]:
                counts[week - weeks[0], times[i] - week * HOURS] += 1
        first = week_index[1, entry]


@compile_kernel
def _add_durations(week_index: Numbers, scratch: Scratch, weeks: tuple[int, int], counts: Numbers) -> None:
    """Count trips per duration. weeks: the block's first one in the period, and the period's number of weeks."""
    durations, selected = scratch.durations, scratch.selected
    first, longest = 0, len(counts) - 1
    for entry in range(week_index.shape[1]):
        if 0 <= weeks[0] + week_index[0, entry] < weeks[1]:
            for i in range(first, week_index[1, entry]):
                counts[min(durations[i], longest)] += selected[i]
        first = week_index[1, entry]


@compile_kernel
def _add_weeks(week_index: Numbers, selected: Flags, first_week: int, counts: Numbers) -> None:
    """Count trips per week without their hours. first_week: the block's, relative to the first row of counts."""
    first = 0
    for entry in range(week_index.shape[1]):
        week, trips = first_week + week_index[0, entry], 0
        if 0 <= week < len(counts):
            for i in range(first, week_index[1, entry]):
                trips += selected[i]
            counts[week, 0] += trips
        first = week_index[1, entry]


@compile_kernel
def list_trips(blocks: BlockTable, words: BlockWords, limits: Limits, found: Numbers) -> int:
    """List the selected trips of origin blocks; returns how many.

    Shape: found is 4 by n: origins, destinations, regions, minutes since 0001-01-01 (of the hour, where minutes were not read).
    """
    scratch = _make_scratch(blocks)
    ends, axis_offsets, times, selected = scratch.ends, scratch.axis_offsets, scratch.times, scratch.selected
    minutes = scratch.minutes
    count = 0
    for number in range(len(blocks)):
        block = blocks[number]
        week_index = read_week_index(block, words)
        select_trips(block, words, week_index, limits.area, (True, True), scratch)
        filter_by_time(block, week_index, limits.time, scratch)
        read_minutes(block, words, minutes[: block.trips])
        x_base, y_base = block.other_x, block.other_y
        for i in range(block.trips):
            if selected[i]:
                found[0, count], found[1, count] = ends[i], join_axes(x_base + axis_offsets[0, i], y_base + axis_offsets[1, i])
                found[2, count], found[3, count] = block.region, times[i] * 60 + minutes[i]
                count += 1
    return count


@compile_kernel
def list_cells(blocks: BlockTable, words: BlockWords, limits: Limits, cells: tuple[int, Numbers], found: Numbers) -> int:
    """List the cells (position >> shift) of the selected trips of origin blocks, on any day; returns how many.

    cells: the shift, and the bucket of each minute of the day. Shape: found is 2 by n + 1: origin and destination cells; or 3 by
    n + 1: region << BUCKET_BITS | bucket, too.
    """
    scratch = _make_scratch(blocks)
    ends, axis_offsets, selected = scratch.ends, scratch.axis_offsets, scratch.selected
    times, minutes, (shift, buckets) = scratch.times, scratch.minutes, cells
    has_buckets = len(found) > 2
    is_any_hour = limits.time.hours.all() and not has_buckets
    count = 0
    for number in range(len(blocks)):
        block = blocks[number]
        week_index = read_week_index(block, words)
        needs_times = not is_any_hour or block.selected_datasource >= 0
        select_trips(block, words, week_index, limits.area, (True, needs_times), scratch)
        if needs_times:
            filter_by_time(block, week_index, limits.time, scratch)
        if has_buckets:
            read_minutes(block, words, minutes[: block.trips])
        x_base, y_base = block.other_x, block.other_y
        for i in range(block.trips):
            if has_buckets:
                found[2, count] = block.region << BUCKET_BITS | buckets[times[i] % 24 * 60 + minutes[i]]
            found[0, count] = ends[i] >> shift
            found[1, count] = join_axes(x_base + axis_offsets[0, i], y_base + axis_offsets[1, i]) >> shift
            count += selected[i]
    return count


@compile_kernel
def sum_groups(
    blocks: BlockTable,
    words: BlockWords,
    limits: Limits,
    groups: GroupKeys,
    datasources: Entries,
    sums: tuple[GroupSums, Flags],
) -> None:
    """Add the selected trips of origin blocks to the trip groups they belong to.

    sums: records of GROUP_SUMS, and flags of the datasources that each group has (groups by datasource ids).
    """
    scratch = _make_scratch(blocks)
    ends, axis_offsets, times, selected = scratch.ends, scratch.axis_offsets, scratch.times, scratch.selected
    minutes, codes = scratch.minutes, np.empty(len(times), np.int64)
    totals, seen = sums
    for number in range(len(blocks)):
        block = blocks[number]
        week_index = read_week_index(block, words)
        select_trips(block, words, week_index, limits.area, (True, True), scratch)
        trips = block.trips
        x_base, y_base = block.other_x, block.other_y
        codes[:trips] = times[:trips]
        filter_by_time(block, week_index, limits.time, scratch)
        read_minutes(block, words, minutes[:trips])
        for i in range(trips):
            if not selected[i]:
                continue
            x, y = x_base + axis_offsets[0, i], y_base + axis_offsets[1, i]
            flow = find_pair(groups.flows, ends[i] >> groups.cell_shift, join_axes(x, y) >> groups.cell_shift)
            if flow == 0:
                continue
            bucket = groups.buckets[times[i] % 24 * 60 + minutes[i]]
            group = find_pair(groups.groups, flow, block.region << BUCKET_BITS | bucket) - 1
            if group < 0:
                continue
            total = totals[group]
            total.trips += 1
            total.origin_x += gather(ends[i] >> 1)
            total.origin_y += gather(ends[i])
            total.destination_x += x
            total.destination_y += y
            total.first_hour = min(total.first_hour, times[i])
            total.last_hour = max(total.last_hour, times[i])
            seen[group, datasources.values[datasources.offsets[number] + codes[i] // HOURS]] = True
