"""Blocks: the packed bits of a run's trips, and the loops over them, compiled to machine code by numba.

A block's trips are in order of week, then of position. Its numbers are columns of bits (shared/bits.py): runs, in three groups
after a word that says how many; places, in small ones; of origins the x and the y axis of the other ends, and times, in one each.
A run is a week's trips.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.bits import Numbers, Words, compile_kernel, count_bits, gather, spread, unpack_numbers
from shared.pairs import find_pair
from shared.position import X_MASK, Y_MASK

Flags = npt.NDArray[np.bool_]
Filters = tuple[Flags, int, int]
"""Wanted hours of the week, first and last day since 0001-01-01."""

BLOCK_TRIPS: Final = 4_096
"""Trips of a block at most: its bounds and sums cost 0.1 bytes a trip, and an edge reads few trips that it doesn't cut."""

HOURS: Final = 168

GROUP_CELL_BITS: Final = 45
"""Bits of a trip group's origin cell in its first key: geohashes of up to nine characters."""

# Columns of the table of blocks that the kernels take. WANTED: a datasource's place among the block's, or -1. OTHER_X, OTHER_Y:
# the lowest of the other ends, as masked positions. The last five are words of the bits; a column that nobody asked for has none.
(
    TRIPS,
    REGION,
    BASE,
    WEEK,
    DATASOURCES,
    WANTED,
    END_TEST,
    OTHER_TEST,
    OTHER_X,
    OTHER_Y,
    PLACES_AT,
    X_AT,
    Y_AT,
    TIMES_AT,
    RUNS_AT,
    COLUMNS,
) = range(16)

# What a test asks of an end, or of a trip.
ANY, INSIDE, OUTSIDE, ONE_INSIDE = range(4)


@compile_kernel
def _is_in_area(position: int, area: Numbers) -> bool:
    """The same as SQL's position_in_area; without branches, which points at random would make slow."""
    x, y = position & X_MASK, position & Y_MASK
    return (  # type: ignore[no-any-return]
        ((x >= area[2]) & (x <= area[3]) | (x >= area[6]) & (x <= area[7])) & (y >= area[8]) & (y <= area[9])
    )


@compile_kernel
def _read_runs(block: Numbers, words: Words) -> Numbers:
    """Read a block's runs: weeks after the block's first, the place after their last trip, and positions of their first ones.

    Shape: 3 by n. What is damaged never leads beyond the block.
    """
    count = max(1, min(np.int64(words[block[RUNS_AT]]), block[TRIPS]))
    numbers = np.empty(3 * count, np.int64)
    unpack_numbers(words, block[RUNS_AT] + 1, numbers, count)
    runs = numbers.reshape(3, count)
    last = np.int64(0)
    for run in range(count):
        last = min(last + runs[1, run], block[TRIPS])
        runs[1, run] = last
        runs[2, run] += block[BASE]
    runs[1, count - 1] = block[TRIPS]
    return runs


@compile_kernel
def _read_ends(block: Numbers, words: Words, runs: Numbers, ends: Numbers) -> None:
    unpack_numbers(words, block[PLACES_AT], ends)
    first = 0
    for run in range(runs.shape[1]):
        position = runs[2, run]
        for place in range(first, runs[1, run]):
            position += ends[place]
            ends[place] = position
        first = runs[1, run]


@compile_kernel
def _read_steps(block: Numbers, words: Words, steps: Numbers) -> None:
    """Other ends in axis steps from the lowest on, the axes that are here. Shape: steps is x and y by trips."""
    trips = block[TRIPS]
    if block[Y_AT] > block[X_AT]:
        unpack_numbers(words, block[X_AT], steps[0, :trips], trips)
    if block[TIMES_AT] > block[Y_AT]:
        unpack_numbers(words, block[Y_AT], steps[1, :trips], trips)


@compile_kernel
def _list_lows(block: Numbers) -> tuple[int, int]:
    """The lowest of the other ends in axis steps."""
    return gather(block[OTHER_X] >> 1), gather(block[OTHER_Y])


@compile_kernel
def _read_others(block: Numbers, words: Words, others: Numbers) -> None:
    """Other ends as positions."""
    steps = np.empty((2, len(others)), np.int64)
    _read_steps(block, words, steps)
    x_low, y_low = _list_lows(block)
    for place in range(len(others)):
        others[place] = _join_axes(x_low + steps[0, place], y_low + steps[1, place])


@compile_kernel
def _join_axes(x: int, y: int) -> int:
    return spread(x) << 1 | spread(y)


@compile_kernel
def _choose_by_other(block: Numbers, area: Numbers, steps: Numbers, chosen: Flags, is_inside: bool) -> None:
    """Take away the flags of trips whose other end is inside, or is not, by the axes that are here: an axis that isn't lies in
    the area.
    """
    (x_low, y_low), trips = _list_lows(block), block[TRIPS]
    x_first, x_last, x_next, x_end = area[10] - x_low, area[11] - x_low, area[12] - x_low, area[13] - x_low
    y_first, y_last = area[14] - y_low, area[15] - y_low
    has_x, has_y = block[Y_AT] > block[X_AT], block[TIMES_AT] > block[Y_AT]
    if has_x and has_y:
        for place in range(trips):
            x, y = steps[0, place], steps[1, place]
            is_between = ((x >= x_first) & (x <= x_last) | (x >= x_next) & (x <= x_end)) & (y >= y_first) & (y <= y_last)
            chosen[place] &= is_between == is_inside
    elif has_x:
        for place in range(trips):
            x = steps[0, place]
            chosen[place] &= ((x >= x_first) & (x <= x_last) | (x >= x_next) & (x <= x_end)) == is_inside
    else:
        for place in range(trips):
            chosen[place] &= ((steps[1, place] >= y_first) & (steps[1, place] <= y_last)) == is_inside


@compile_kernel
def _choose_by_place(block: Numbers, area: Numbers, tests: tuple[Numbers, Numbers, Flags]) -> None:
    """Fill the flags: which trips of a block pass its tests of places."""
    ends, steps, chosen = tests
    end_test, other_test, trips = block[END_TEST], block[OTHER_TEST], block[TRIPS]
    chosen[:trips] = True
    if end_test == ONE_INSIDE:
        # One is inside where not both are outside.
        for place in range(trips):
            chosen[place] = not _is_in_area(ends[place], area)
        _choose_by_other(block, area, steps, chosen, False)
        for place in range(trips):
            chosen[place] = not chosen[place]
    elif end_test != ANY:
        for place in range(trips):
            chosen[place] = _is_in_area(ends[place], area) == (end_test == INSIDE)
    if other_test != ANY:
        _choose_by_other(block, area, steps, chosen, other_test == INSIDE)


@compile_kernel
def _choose_by_time(block: Numbers, runs: Numbers, times: Numbers, filters: Filters, chosen: Flags) -> None:
    """Take away the flags of trips at other times or of other datasources; times become hours since 0001-01-01."""
    hours, first_day, last_day = filters
    codes = 1 << count_bits(block[DATASOURCES] * HOURS - 1)
    wanted = np.zeros(codes, np.bool_)
    for datasource in range(block[DATASOURCES]):
        if block[WANTED] < 0 or block[WANTED] == datasource:
            wanted[datasource * HOURS : (datasource + 1) * HOURS] = hours
    hour_of = np.arange(codes) % HOURS
    first_hour, last_hour = first_day * 24, last_day * 24 + 23
    first = 0
    for run in range(runs.shape[1]):
        week_hour = (block[WEEK] + runs[0, run]) * HOURS
        for place in range(first, runs[1, run]):
            code = times[place]
            time = week_hour + hour_of[code]
            times[place] = time
            chosen[place] &= wanted[code] & (time >= first_hour) & (time <= last_hour)
        first = runs[1, run]


@compile_kernel
def _read_block(
    block: Numbers,
    words: Words,
    runs: Numbers,
    area: Numbers,
    needs: tuple[bool, bool],
    scratch: tuple[Numbers, Numbers, Numbers, Flags],
) -> None:
    """Read what a block's tests need, both ends and times if they are needed, and choose its trips by place."""
    ends, steps, times, chosen = scratch
    trips = block[TRIPS]
    if needs[0] or block[END_TEST] != ANY:
        _read_ends(block, words, runs, ends[:trips])
    if needs[0] or block[OTHER_TEST] != ANY or block[END_TEST] == ONE_INSIDE:
        _read_steps(block, words, steps)
    if needs[1]:
        unpack_numbers(words, block[TIMES_AT], times[:trips], trips)
    _choose_by_place(block, area, (ends, steps, chosen))


@compile_kernel
def read_block(block: Numbers, words: Words, found: Numbers, has_others: bool) -> None:
    """Read all of a block. Shape: found is 3 by its trips: ends, other ends where it has them, and times: 65,536 times the weeks
    after the block's first, and what block_rows.encode_times makes.
    """
    runs = _read_runs(block, words)
    _read_ends(block, words, runs, found[0])
    unpack_numbers(words, block[TIMES_AT], found[2], block[TRIPS])
    first = 0
    for run in range(runs.shape[1]):
        found[2, first : runs[1, run]] += runs[0, run] << 16
        first = runs[1, run]
    if has_others:
        _read_others(block, words, found[1])


@compile_kernel
def list_places(blocks: Numbers, words: Words, found: Numbers) -> None:
    """List the ends of all trips of blocks. Shape: found has one entry per trip."""
    first = 0
    for number in range(len(blocks)):
        last = first + blocks[number, TRIPS]
        _read_ends(blocks[number], words, _read_runs(blocks[number], words), found[first:last])
        first = last


@compile_kernel
def list_ends(blocks: Numbers, words: Words, sources: tuple[Numbers, Numbers], found: Numbers) -> None:
    """List all trips of blocks.

    Shape: sources are the blocks' datasources one after the other, and where each block's begin; found is 3 by all trips: ends,
    stamps (see shared/points.py), and other ends where it has a third row.
    """
    first = 0
    for number in range(len(blocks)):
        block = blocks[number]
        last = first + block[TRIPS]
        runs = _read_runs(block, words)
        _read_ends(block, words, runs, found[0, first:last])
        if len(found) > 2:
            _read_others(block, words, found[2, first:last])
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
        runs = _read_runs(block, words)
        needs_times = not is_whole or block[WANTED] >= 0
        _read_block(block, words, runs, area, (False, needs_times), scratch)
        if needs_times:
            _choose_by_time(block, runs, times, filters, chosen)
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
        runs = _read_runs(block, words)
        _read_block(block, words, runs, area, (True, True), scratch)
        _choose_by_time(block, runs, times, filters, chosen)
        x_low, y_low = _list_lows(block)
        for place in range(block[TRIPS]):
            if chosen[place]:
                found[0, count], found[1, count] = ends[place], _join_axes(x_low + steps[0, place], y_low + steps[1, place])
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
        runs = _read_runs(block, words)
        needs_times = not is_any_hour or block[WANTED] >= 0
        _read_block(block, words, runs, limits[0], (True, needs_times), scratch)
        if needs_times:
            _choose_by_time(block, runs, times, limits[1], chosen)
        x_low, y_low = _list_lows(block)
        for place in range(block[TRIPS]):
            found[0, count] = ends[place] >> shift
            found[1, count] = _join_axes(x_low + steps[0, place], y_low + steps[1, place]) >> shift
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
        runs = _read_runs(block, words)
        _read_block(block, words, runs, limits[0], (True, True), scratch)
        trips = block[TRIPS]
        x_low, y_low = _list_lows(block)
        codes[:trips] = times[:trips]
        _choose_by_time(block, runs, times, limits[1], chosen)
        for place in range(trips):
            if not chosen[place]:
                continue
            x, y = x_low + steps[0, place], y_low + steps[1, place]
            first = block[REGION] << GROUP_CELL_BITS | ends[place] >> shift
            second = (_join_axes(x, y) >> shift) << 5 | times[place] % 24 // bucket_hours
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


@compile_kernel
def list_flows(rows: Numbers, words: Words, found: Numbers) -> None:
    """List the flows of rows of run_flow: origin cell, first destination cell, flows, and the words where cells and trips begin.

    Shape: found is 3 by all flows: origin cells, destination cells, trips.
    """
    first = 0
    for row in range(len(rows)):
        last = first + rows[row, 2]
        found[0, first:last] = rows[row, 0]
        unpack_numbers(words, rows[row, 3], found[1, first:last])
        unpack_numbers(words, rows[row, 4], found[2, first:last])
        cell = rows[row, 1]
        for place in range(first, last):
            cell += found[1, place]
            found[1, place] = cell
        first = last
