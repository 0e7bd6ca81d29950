"""Block filter: which trips of a decoded block match an area, hours, days and a datasource."""

import numpy as np

from shared.domain.position import X_MASK, Y_MASK
from shared.index.block_reader import list_lows, read_ends, read_steps
from shared.index.layout import (
    ANY,
    DATASOURCES,
    END_TEST,
    HOURS,
    INSIDE,
    ONE_INSIDE,
    OTHER_TEST,
    TIMES_AT,
    TRIPS,
    WANTED,
    WEEK,
    X_AT,
    Y_AT,
)
from shared.kernels.bit_packing import count_bits, unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Flags, Numbers, Words

Filters = tuple[Flags, int, int]
"""Wanted hours of the week, first and last day since 0001-01-01."""


@compile_kernel
def _is_in_area(position: int, area: Numbers) -> bool:
    """The same as SQL's position_in_area; without branches, which points at random would make slow."""
    x, y = position & X_MASK, position & Y_MASK
    return (  # type: ignore[no-any-return]
        ((x >= area[2]) & (x <= area[3]) | (x >= area[6]) & (x <= area[7])) & (y >= area[8]) & (y <= area[9])
    )


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
        read_steps(block, words, steps)
    if needs[1]:
        unpack_numbers(words, block[TIMES_AT], times[:trips], trips)
    _choose_by_place(block, area, (ends, steps, chosen))
