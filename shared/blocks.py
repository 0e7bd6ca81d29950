"""Blocks: the packed bits of a run's trips, and reading one, compiled to machine code by numba (many: shared/block_loops.py).

A block's trips are in order of week, then of position. Its numbers are columns of bits (shared/bits.py): runs, in three groups
after a word that says how many; places, in small ones; of origins the x and the y axis of the other ends, and times, in one each.
A run is a week's trips.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.bits import Numbers, Words, compile_kernel, count_bits, gather, spread, unpack_numbers
from shared.position import X_MASK, Y_MASK

Flags = npt.NDArray[np.bool_]
Filters = tuple[Flags, int, int]
"""Wanted hours of the week, first and last day since 0001-01-01."""

BLOCK_TRIPS: Final = 4_096
"""Trips of a block at most: its bounds and sums cost 0.1 bytes a trip, and an edge reads few trips that it doesn't cut."""

HOURS: Final = 168

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
def read_runs(block: Numbers, words: Words) -> Numbers:
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
def read_ends(block: Numbers, words: Words, runs: Numbers, ends: Numbers) -> None:
    """Read a block's ends. Shape: ends has one entry per trip."""
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
def list_lows(block: Numbers) -> tuple[int, int]:
    """The lowest of the other ends in axis steps."""
    return gather(block[OTHER_X] >> 1), gather(block[OTHER_Y])


@compile_kernel
def read_others(block: Numbers, words: Words, others: Numbers) -> None:
    """Other ends as positions."""
    steps = np.empty((2, len(others)), np.int64)
    _read_steps(block, words, steps)
    x_low, y_low = list_lows(block)
    for place in range(len(others)):
        others[place] = join_axes(x_low + steps[0, place], y_low + steps[1, place])


@compile_kernel
def join_axes(x: int, y: int) -> int:
    """Make a position of its axis steps."""
    return spread(x) << 1 | spread(y)


@compile_kernel
def _choose_by_other(block: Numbers, area: Numbers, steps: Numbers, chosen: Flags, is_inside: bool) -> None:
    """Take away the flags of trips whose other end is inside, or is not, by the axes that are here: an axis that isn't lies in
    the area.
    """
    (x_low, y_low), trips = list_lows(block), block[TRIPS]
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
def choose_by_time(block: Numbers, runs: Numbers, times: Numbers, filters: Filters, chosen: Flags) -> None:
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
def choose_trips(
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
        read_ends(block, words, runs, ends[:trips])
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
    runs = read_runs(block, words)
    read_ends(block, words, runs, found[0])
    unpack_numbers(words, block[TIMES_AT], found[2], block[TRIPS])
    first = 0
    for run in range(runs.shape[1]):
        found[2, first : runs[1, run]] += runs[0, run] << 16
        first = runs[1, run]
    if has_others:
        read_others(block, words, found[1])
