"""Blocks: the packed bits of a run's trips, and reading one, compiled to machine code by numba (many: scan_kernels.py).

A block's trips are in order of week, then of position. Its numbers are columns of bits (bit_packing.py): runs, in three groups
after a word that says how many; places, in small ones; of origins the x and the y axis of the other ends, and times, in one each.
A run is a week's trips.
"""

import numpy as np

from shared.index.layout import BASE, DELTAS_AT, OTHER_X, OTHER_Y, TIMES_AT, TRIPS, WEEK_INDEX_AT, X_AT, Y_AT
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import gather, join_axes
from shared.platform.arrays import Numbers, Words


@compile_kernel
def read_week_index(block: Numbers, words: Words) -> Numbers:
    """Read a block's runs: weeks after the block's first, the place after their last trip, and positions of their first ones.

    Shape: 3 by n. What is damaged never leads beyond the block.
    """
    count = max(1, min(np.int64(words[block[WEEK_INDEX_AT]]), block[TRIPS]))
    numbers = np.empty(3 * count, np.int64)
    unpack_numbers(words, block[WEEK_INDEX_AT] + 1, numbers, count)
    week_index = numbers.reshape(3, count)
    last = np.int64(0)
    for entry in range(count):
        last = min(last + week_index[1, entry], block[TRIPS])
        week_index[1, entry] = last
        week_index[2, entry] += block[BASE]
    week_index[1, count - 1] = block[TRIPS]
    return week_index


@compile_kernel
def read_ends(block: Numbers, words: Words, week_index: Numbers, ends: Numbers) -> None:
    """Read a block's ends. Shape: ends has one entry per trip."""
    unpack_numbers(words, block[DELTAS_AT], ends)
    first = 0
    for entry in range(week_index.shape[1]):
        position = week_index[2, entry]
        for i in range(first, week_index[1, entry]):
            position += ends[i]
            ends[i] = position
        first = week_index[1, entry]


@compile_kernel
def read_axis_offsets(block: Numbers, words: Words, axis_offsets: Numbers) -> None:
    """Other ends in axis steps from the lowest on, the axes that are here. Shape: steps is x and y by trips."""
    trips = block[TRIPS]
    if block[Y_AT] > block[X_AT]:
        unpack_numbers(words, block[X_AT], axis_offsets[0, :trips], trips)
    if block[TIMES_AT] > block[Y_AT]:
        unpack_numbers(words, block[Y_AT], axis_offsets[1, :trips], trips)


@compile_kernel
def read_axis_bases(block: Numbers) -> tuple[int, int]:
    """The lowest of the other ends in axis steps."""
    return gather(block[OTHER_X] >> 1), gather(block[OTHER_Y])


@compile_kernel
def read_others(block: Numbers, words: Words, others: Numbers) -> None:
    """Other ends as positions."""
    axis_offsets = np.empty((2, len(others)), np.int64)
    read_axis_offsets(block, words, axis_offsets)
    x_base, y_base = read_axis_bases(block)
    for i in range(len(others)):
        others[i] = join_axes(x_base + axis_offsets[0, i], y_base + axis_offsets[1, i])


@compile_kernel
def read_block(block: Numbers, words: Words, found: Numbers, has_others: bool) -> None:
    """Read all of a block. Shape: found is 3 by its trips: ends, other ends where it has them, and times: 65,536 times the weeks
    after the block's first, and what block_rows.encode_times makes.
    """
    week_index = read_week_index(block, words)
    read_ends(block, words, week_index, found[0])
    unpack_numbers(words, block[TIMES_AT], found[2], block[TRIPS])
    first = 0
    for entry in range(week_index.shape[1]):
        found[2, first : week_index[1, entry]] += week_index[0, entry] << 16
        first = week_index[1, entry]
    if has_others:
        read_others(block, words, found[1])
