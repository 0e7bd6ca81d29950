"""Block filter: which trips of a decoded block match an area, hours, days and a datasource."""

import numpy as np

from shared.domain.position import X_MASK, Y_MASK
from shared.index.block_reader import read_axis_bases, read_axis_offsets, read_ends
from shared.index.layout import (
    ANY,
    DATASOURCES,
    END_TEST,
    HOURS,
    INSIDE,
    ONE_INSIDE,
    OTHER_TEST,
    SELECTED_DATASOURCE,
    TIMES_AT,
    TRIPS,
    WEEK,
    X_AT,
    Y_AT,
)
from shared.kernels.bit_packing import count_bits, unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Flags, Numbers, Words

TimeFilter = tuple[Flags, int, int]
"""Wanted hours of the week, first and last day since 0001-01-01."""


@compile_kernel
def _is_in_area(position: int, area: Numbers) -> bool:
    """The same as SQL's position_in_area; without branches, which points at random would make slow."""
    x, y = position & X_MASK, position & Y_MASK
    return (  # type: ignore[no-any-return]
        ((x >= area[2]) & (x <= area[3]) | (x >= area[6]) & (x <= area[7])) & (y >= area[8]) & (y <= area[9])
    )


@compile_kernel
def _filter_by_other_end(block: Numbers, area: Numbers, axis_offsets: Numbers, selected: Flags, is_inside: bool) -> None:
    """Take away the flags of trips whose other end is inside, or is not, by the axes that are here: an axis that isn't lies in
    the area.
    """
    (x_base, y_base), trips = read_axis_bases(block), block[TRIPS]
    x_first, x_last, x_next, x_end = area[10] - x_base, area[11] - x_base, area[12] - x_base, area[13] - x_base
    y_first, y_last = area[14] - y_base, area[15] - y_base
    has_x, has_y = block[Y_AT] > block[X_AT], block[TIMES_AT] > block[Y_AT]
    if has_x and has_y:
        for i in range(trips):
            x, y = axis_offsets[0, i], axis_offsets[1, i]
            is_between = ((x >= x_first) & (x <= x_last) | (x >= x_next) & (x <= x_end)) & (y >= y_first) & (y <= y_last)
            selected[i] &= is_between == is_inside
    elif has_x:
        for i in range(trips):
            x = axis_offsets[0, i]
            selected[i] &= ((x >= x_first) & (x <= x_last) | (x >= x_next) & (x <= x_end)) == is_inside
    else:
        for i in range(trips):
            selected[i] &= ((axis_offsets[1, i] >= y_first) & (axis_offsets[1, i] <= y_last)) == is_inside


@compile_kernel
def _filter_by_place(block: Numbers, area: Numbers, tests: tuple[Numbers, Numbers, Flags]) -> None:
    """Fill the flags: which trips of a block pass its tests of places."""
    ends, axis_offsets, selected = tests
    end_test, other_test, trips = block[END_TEST], block[OTHER_TEST], block[TRIPS]
    selected[:trips] = True
    if end_test == ONE_INSIDE:
        # One is inside where not both are outside.
        for i in range(trips):
            selected[i] = not _is_in_area(ends[i], area)
        _filter_by_other_end(block, area, axis_offsets, selected, False)
        for i in range(trips):
            selected[i] = not selected[i]
    elif end_test != ANY:
        for i in range(trips):
            selected[i] = _is_in_area(ends[i], area) == (end_test == INSIDE)
    if other_test != ANY:
        _filter_by_other_end(block, area, axis_offsets, selected, other_test == INSIDE)


@compile_kernel
def filter_by_time(block: Numbers, week_index: Numbers, times: Numbers, time_filter: TimeFilter, selected: Flags) -> None:
    """Take away the flags of trips at other times or of other datasources; times become hours since 0001-01-01."""
    hours, first_day, last_day = time_filter
    codes = 1 << count_bits(block[DATASOURCES] * HOURS - 1)
    selected_codes = np.zeros(codes, np.bool_)
    for datasource in range(block[DATASOURCES]):
        if block[SELECTED_DATASOURCE] < 0 or block[SELECTED_DATASOURCE] == datasource:
            selected_codes[datasource * HOURS : (datasource + 1) * HOURS] = hours
    hour_of = np.arange(codes) % HOURS
    first_hour, last_hour = first_day * 24, last_day * 24 + 23
    first = 0
    for entry in range(week_index.shape[1]):
        week_hour = (block[WEEK] + week_index[0, entry]) * HOURS
        for i in range(first, week_index[1, entry]):
            code = times[i]
            time = week_hour + hour_of[code]
            times[i] = time
            selected[i] &= selected_codes[code] & (time >= first_hour) & (time <= last_hour)
        first = week_index[1, entry]


@compile_kernel
def filter_by_area(
    block: Numbers,
    words: Words,
    week_index: Numbers,
    area: Numbers,
    needs: tuple[bool, bool],
    scratch: tuple[Numbers, Numbers, Numbers, Flags],
) -> None:
    """Read what a block's tests need, both ends and times if they are needed, and choose its trips by place."""
    ends, axis_offsets, times, selected = scratch
    trips = block[TRIPS]
    if needs[0] or block[END_TEST] != ANY:
        read_ends(block, words, week_index, ends[:trips])
    if needs[0] or block[OTHER_TEST] != ANY or block[END_TEST] == ONE_INSIDE:
        read_axis_offsets(block, words, axis_offsets)
    if needs[1]:
        unpack_numbers(words, block[TIMES_AT], times[:trips], trips)
    _filter_by_place(block, area, (ends, axis_offsets, selected))
