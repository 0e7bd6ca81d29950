"""Block filter: which trips of a decoded block match an area, hours, days and a datasource."""

from typing import NamedTuple

import numpy as np

from shared.domain.position import X_MASK, Y_MASK
from shared.index.block_header import Block, BlockWords
from shared.index.block_reader import read_axis_offsets, read_ends
from shared.index.layout import ANY, HOURS, INSIDE, ONE_INSIDE
from shared.kernels.bit_packing import count_bits, unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Flags, Numbers


class AreaLimits(NamedTuple):
    """Two boxes side by side, edges included: as masked positions (bits), and in axis steps. The second may be empty."""

    x_low_bits: int
    x_high_bits: int
    next_x_low_bits: int
    next_x_high_bits: int
    y_low_bits: int
    y_high_bits: int
    x_low: int
    x_high: int
    next_x_low: int
    next_x_high: int
    y_low: int
    y_high: int


class TimeLimits(NamedTuple):
    """Hours of the week that count (168 flags), first and last day since 0001-01-01."""

    hours: Flags
    first_day: int
    last_day: int


class Limits(NamedTuple):
    """Where and when trips count."""

    area: AreaLimits
    time: TimeLimits


class Scratch(NamedTuple):
    """Arrays for one block at a time. Shape: n each, axis_offsets 2 by n, for blocks of up to n trips."""

    ends: Numbers
    axis_offsets: Numbers
    times: Numbers
    minutes: Numbers
    durations: Numbers
    selected: Flags


@compile_kernel
def _is_in_area(position: int, area: AreaLimits) -> bool:
    """The same as SQL's position_in_area. Branch-free: branches would be mispredicted for positions at random."""
    x, y = position & X_MASK, position & Y_MASK
    is_between = (x >= area.x_low_bits) & (x <= area.x_high_bits) | (x >= area.next_x_low_bits) & (x <= area.next_x_high_bits)
    return is_between & (y >= area.y_low_bits) & (y <= area.y_high_bits)


@compile_kernel
def _filter_by_other_end(block: Block, area: AreaLimits, scratch: Scratch, is_inside: bool) -> None:
    """Deselect trips whose other end is inside, or is not. A missing axis means that the whole block lies inside on that axis."""
    x_base, y_base, trips = block.other_x, block.other_y, block.trips
    axis_offsets, selected = scratch.axis_offsets, scratch.selected
    x_first, x_last = area.x_low - x_base, area.x_high - x_base
    x_next, x_end = area.next_x_low - x_base, area.next_x_high - x_base
    y_first, y_last = area.y_low - y_base, area.y_high - y_base
    has_x, has_y = block.x_at >= 0, block.y_at >= 0
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
def _select_by_area(block: Block, area: AreaLimits, scratch: Scratch) -> None:
    """Select the trips of a block that pass its tests of both ends."""
    ends, selected = scratch.ends, scratch.selected
    end_test, other_test, trips = block.end_test, block.other_test, block.trips
    selected[:trips] = True
    if end_test == ONE_INSIDE:
        # One end is inside where not both are outside.
        for i in range(trips):
            selected[i] = not _is_in_area(ends[i], area)
        _filter_by_other_end(block, area, scratch, False)
        for i in range(trips):
            selected[i] = not selected[i]
    elif end_test != ANY:
        for i in range(trips):
            selected[i] = _is_in_area(ends[i], area) == (end_test == INSIDE)
    if other_test != ANY:
        _filter_by_other_end(block, area, scratch, other_test == INSIDE)


@compile_kernel
def filter_by_time(block: Block, week_index: Numbers, limits: TimeLimits, scratch: Scratch) -> None:
    """Deselect trips at other times or of other datasources; times become hours since 0001-01-01."""
    times, selected = scratch.times, scratch.selected
    codes = 1 << count_bits(block.datasources * HOURS - 1)
    selected_codes = np.zeros(codes, np.bool_)
    for datasource in range(block.datasources):
        if block.selected_datasource < 0 or block.selected_datasource == datasource:
            selected_codes[datasource * HOURS : (datasource + 1) * HOURS] = limits.hours
    hour_of = np.arange(codes) % HOURS
    first_hour, last_hour = limits.first_day * 24, limits.last_day * 24 + 23
    first = 0
    for entry in range(week_index.shape[1]):
        week_hour = (block.week + week_index[0, entry]) * HOURS
        for i in range(first, week_index[1, entry]):
            code = times[i]
            time = week_hour + hour_of[code]
            times[i] = time
            selected[i] &= selected_codes[code] & (time >= first_hour) & (time <= last_hour)
        first = week_index[1, entry]


@compile_kernel
def select_trips(
    block: Block, words: BlockWords, week_index: Numbers, area: AreaLimits, needs: tuple[bool, bool], scratch: Scratch
) -> None:
    """Read the columns that a block's tests need, and select its trips by area. needs: read both ends, read times."""
    trips = block.trips
    if needs[0] or block.end_test != ANY:
        read_ends(block, words, week_index, scratch.ends[:trips])
    if needs[0] or block.other_test != ANY or block.end_test == ONE_INSIDE:
        read_axis_offsets(block, words, scratch.axis_offsets)
    if needs[1]:
        unpack_numbers(words.bits, block.times_at, scratch.times[:trips], trips)
    _select_by_area(block, area, scratch)
