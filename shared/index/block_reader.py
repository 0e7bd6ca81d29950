"""Blocks: the packed bits of a run's trips, and reading one, compiled to machine code by numba (many: scan_kernels.py).

A block's trips are in order of week, then of position. Its numbers are columns of bits (bit_packing.py): runs, in three groups
after a word that says how many; places, in small ones; of origins the x and the y axis of the other ends, and times, in one each.
A run is a week's trips.
"""

import numpy as np

from shared.index.layout import BASE, OTHER_X, OTHER_Y, PLACES_AT, RUNS_AT, TIMES_AT, TRIPS, X_AT, Y_AT
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import gather, join_axes
from shared.platform.arrays import Numbers, Words


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
def read_steps(block: Numbers, words: Words, steps: Numbers) -> None:
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
    read_steps(block, words, steps)
    x_low, y_low = list_lows(block)
    for place in range(len(others)):
        others[place] = join_axes(x_low + steps[0, place], y_low + steps[1, place])


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
