"""Block reader: decode the columns of one block. scan_kernels.py reads many.

The trips of a block are sorted by week, then by position. Columns of bits (kernels/bit_packing.py): the week index (a word with
the number of its entries, then three groups), deltas of positions in small groups, and, in one group each, of origins the x and
y offsets of the other ends, the codes of the times, the codes of the durations where a trip has one, of origins the minutes.
"""

import numpy as np

from shared.index.block_header import Block, BlockWords
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import join_axes
from shared.platform.arrays import Numbers


@compile_kernel
def read_week_index(block: Block, words: BlockWords) -> Numbers:
    """Read a block's week index: weeks after the block's first, offsets after their last trips, positions of their first trips.

    Shape: 3 by e entries. Damaged bits never lead beyond the block.
    """
    trips, at = block.trips, block.week_index_at
    count = max(1, min(np.int64(words.week_indexes[at]), trips))
    numbers = np.empty(3 * count, np.int64)
    unpack_numbers(words.week_indexes, at + 1, numbers, count)
    week_index = numbers.reshape(3, count)
    last = np.int64(0)
    for entry in range(count):
        last = min(last + week_index[1, entry], trips)
        week_index[1, entry] = last
        week_index[2, entry] += block.base
    week_index[1, count - 1] = trips
    return week_index


@compile_kernel
def read_ends(block: Block, words: BlockWords, week_index: Numbers, ends: Numbers) -> None:
    """Read the ends that a block is sorted by, as positions. Shape: ends has one element per trip."""
    unpack_numbers(words.bits, block.deltas_at, ends)
    first = 0
    for entry in range(week_index.shape[1]):
        position = week_index[2, entry]
        for i in range(first, week_index[1, entry]):
            position += ends[i]
            ends[i] = position
        first = week_index[1, entry]


@compile_kernel
def read_axis_offsets(block: Block, words: BlockWords, axis_offsets: Numbers) -> None:
    """Read the other ends as axis steps above the block's lowest, on the axes that were fetched. Shape: x and y by trips."""
    trips = block.trips
    if block.x_at >= 0:
        unpack_numbers(words.bits, block.x_at, axis_offsets[0, :trips], trips)
    if block.y_at >= 0:
        unpack_numbers(words.bits, block.y_at, axis_offsets[1, :trips], trips)


@compile_kernel
def read_others(block: Block, words: BlockWords, others: Numbers) -> None:
    """Read the other ends as positions. Shape: others has one element per trip."""
    axis_offsets = np.empty((2, len(others)), np.int64)
    read_axis_offsets(block, words, axis_offsets)
    for i in range(len(others)):
        others[i] = join_axes(block.other_x + axis_offsets[0, i], block.other_y + axis_offsets[1, i])


@compile_kernel
def read_durations(block: Block, words: BlockWords, durations: Numbers) -> None:
    """Read the codes of durations. Shape: durations has one element per trip."""
    if block.durations_at >= 0:
        unpack_numbers(words.bits, block.durations_at, durations, block.trips)
    else:
        durations[:] = 0


@compile_kernel
def read_minutes(block: Block, words: BlockWords, minutes: Numbers) -> None:
    """Read the minutes of the hour, or 0 where the column is not there. Shape: minutes has one element per trip."""
    if block.minutes_at >= 0:
        unpack_numbers(words.bits, block.minutes_at, minutes, block.trips)
    else:
        minutes[:] = 0


@compile_kernel
def read_block(block: Block, words: BlockWords, found: Numbers, has_others: bool) -> None:
    """Read all of a block. Shape: found is 5 by its trips: ends, other ends where it has them, times, durations, and minutes.

    A time is 65,536 times the weeks after the block's first, plus the code of block_writer.encode_times.
    """
    week_index = read_week_index(block, words)
    read_ends(block, words, week_index, found[0])
    unpack_numbers(words.bits, block.times_at, found[2], block.trips)
    read_durations(block, words, found[3])
    read_minutes(block, words, found[4])
    first = 0
    for entry in range(week_index.shape[1]):
        found[2, first : week_index[1, entry]] += week_index[0, entry] << 16
        first = week_index[1, entry]
    if has_others:
        read_others(block, words, found[1])
