"""Block filter: which trips of a decoded block match an area, hours, days and a datasource."""

from typing import NamedTuple

import numpy as np

from shared.domain.area import AreaLimits
from shared.domain.position import X_MASK, Y_MASK
from shared.index.block_header import Block, BlockWords
from shared.index.block_reader import read_axis_offsets, read_ends
from shared.index.layout import ANY, HOURS, INSIDE, ONE_INSIDE
from shared.kernels.bit_packing import count_bits, unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.grid_tree import filter_steps
from shared.kernels.morton import split_axes
from shared.platform.arrays import Flags, Numbers


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
def _find_ends_inside(ends: Numbers, area: AreaLimits) -> Flags:
    """Which positions lie in an area. Branch-free: branches would be mispredicted for positions at random."""
    inside = np.empty(len(ends), np.bool_)
    for i in range(len(ends)):
        x, y = ends[i] & X_MASK, ends[i] & Y_MASK
        is_between = (x >= area.x_low_bits) & (x <= area.x_high_bits) | (x >= area.next_x_low_bits) & (x <= area.next_x_high_bits)
        inside[i] = is_between & (y >= area.y_low_bits) & (y <= area.y_high_bits)
    if len(area.tree.nodes):
        x_steps, y_steps = split_axes(ends)
        filter_steps(area.tree, x_steps, y_steps, (0, 0), inside)
    return inside


@compile_kernel
def _find_others_inside(block: Block, area: AreaLimits, axis_offsets: Numbers) -> Flags:
    """Which other ends lie in an area. A missing axis means that the whole block lies inside on that axis."""
    x_base, y_base, trips = block.other_x, block.other_y, block.trips
    x_first, x_last = area.x_low - x_base, area.x_high - x_base
    x_next, x_end = area.next_x_low - x_base, area.next_x_high - x_base
    y_first, y_last = area.y_low - y_base, area.y_high - y_base
    inside = np.empty(trips, np.bool_)
    inside[:] = True
    if block.x_at >= 0:
        for i in range(trips):
            x = axis_offsets[0, i]
            inside[i] = (x >= x_first) & (x <= x_last) | (x >= x_next) & (x <= x_end)
    if block.y_at >= 0:
        for i in range(trips):
            inside[i] &= (axis_offsets[1, i] >= y_first) & (axis_offsets[1, i] <= y_last)
    if len(area.tree.nodes):
        filter_steps(area.tree, axis_offsets[0, :trips], axis_offsets[1, :trips], (x_base, y_base), inside)
    return inside


@compile_kernel
def _select_by_area(block: Block, area: AreaLimits, scratch: Scratch) -> None:
    """Select the trips of a block that pass its tests of both ends."""
    end_test, other_test, trips = block.end_test, block.other_test, block.trips
    selected = scratch.selected[:trips]
    selected[:] = True
    if end_test == ONE_INSIDE:
        selected[:] = _find_ends_inside(scratch.ends[:trips], area) | _find_others_inside(block, area, scratch.axis_offsets)
    elif end_test != ANY:
        selected[:] = _find_ends_inside(scratch.ends[:trips], area) == (end_test == INSIDE)
    if other_test != ANY:
        selected &= _find_others_inside(block, area, scratch.axis_offsets) == (other_test == INSIDE)


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
