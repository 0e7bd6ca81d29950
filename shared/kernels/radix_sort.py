"""Radix sort: order and count non-negative numbers digit by digit, from the lowest, without comparisons.

Against numpy, in a worker: ordering 97,000 positions of a city takes 1.1 ms instead of 4.9 (argsort), a million 20 ms instead of
78; counting 97,000 distinct keys takes 0.8 ms instead of 3.9 (unique), a million 9 ms instead of 54.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.kernels.bit_packing import count_bits
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers, Words

# Nine bits a digit: a position of 62 bits takes seven passes. Wider digits take fewer, but their buckets fall out of the core's
# own cache (34 ms instead of 25 for a million).
_DIGIT_BITS: Final = 9
_DIGIT: Final = np.uint64((1 << _DIGIT_BITS) - 1)
_BUCKETS: Final = 1 << _DIGIT_BITS
# Most counters for each key: reading more takes longer than sorting the keys.
_COUNTERS_PER_KEY: Final = 8
_MIN_COUNTERS: Final = 4_096
_KINDS: Final = 65_536

Counts = npt.NDArray[np.uint32]


@compile_kernel
def order_numbers(values: Numbers) -> Numbers:
    """Indexes that sort values; stable. Shape: n non-negative numbers → n indexes."""
    if np.all(values[1:] >= values[:-1]):
        return np.arange(len(values))
    keys, starts = _prepare(values)
    order = np.arange(len(keys), dtype=np.uint32)
    other_keys, other_order = np.empty_like(keys), np.empty_like(order)
    for digit in range(len(starts)):
        shift, start = np.uint64(digit * _DIGIT_BITS), starts[digit]
        for n in range(len(keys)):
            key = keys[n]
            bucket = (key >> shift) & _DIGIT
            to = start[bucket]
            start[bucket] = to + np.uint32(1)
            other_keys[to] = key
            other_order[to] = order[n]
        keys, other_keys, order, other_order = other_keys, keys, other_order, order
    return order.astype(np.int64)


@compile_kernel
def count_numbers(values: Numbers) -> tuple[Numbers, Numbers]:
    """Count how often each value occurs. Shape: n non-negative numbers → m distinct values in order, m counts."""
    keys = _sort(values)
    distinct, ends = np.empty(len(keys), np.int64), np.zeros(len(keys) + 1, np.int64)
    found = 0
    for n in range(len(keys)):
        found += n == 0 or keys[n] != keys[n - 1]
        distinct[found - 1], ends[found] = keys[n], n + 1
    return distinct[:found].copy(), np.diff(ends[: found + 1])


def count_keys(keys: Numbers, order: int) -> tuple[Numbers, Numbers]:
    """Count how often each key from 0 to places occurs. Shape: m distinct ones in order, and m counts."""
    if order > max(_MIN_COUNTERS, _COUNTERS_PER_KEY * len(keys)):
        return count_numbers(keys)
    counts = np.bincount(keys, minlength=order)
    found = np.flatnonzero(counts)
    return found, counts[found]


def number_kinds(kinds: Numbers) -> tuple[Numbers, Numbers]:
    """List the kinds that there are, in order, and number each among them. Shape: n from 0 to 65,535 → m kinds, n numbers."""
    found = np.flatnonzero(np.bincount(kinds, minlength=1))
    if len(found) == 1:
        return found, np.zeros_like(kinds)
    numbers = np.zeros(_KINDS, np.int64)
    numbers[found] = np.arange(len(found))
    return found, numbers[kinds]


@compile_kernel
def sort_numbers(values: Numbers) -> Numbers:
    """Sort values, which must be 0 or more, into a new array."""
    return _sort(values).astype(np.int64)


@compile_kernel
def _sort(values: Numbers) -> Words:
    keys, starts = _prepare(values)
    others = np.empty_like(keys)
    for digit in range(len(starts)):
        shift, start = np.uint64(digit * _DIGIT_BITS), starts[digit]
        for key in keys:
            bucket = (key >> shift) & _DIGIT
            to = start[bucket]
            start[bucket] = to + np.uint32(1)
            others[to] = key
        keys, others = others, keys
    return keys


@compile_kernel
def _prepare(values: Numbers) -> tuple[Words, Counts]:
    """Copy the values as keys, and find where each bucket of each digit begins, up to the highest digit that varies."""
    varying = 0
    for value in values:
        varying |= value ^ values[0]
    digits = -(-count_bits(varying) // _DIGIT_BITS)
    keys = np.empty(len(values), np.uint64)
    starts = np.zeros((digits, _BUCKETS), np.uint32)
    for n in range(len(values)):
        key = np.uint64(values[n])
        keys[n] = key
        for digit in range(digits):
            starts[digit, key & _DIGIT] += np.uint32(1)
            key >>= np.uint64(_DIGIT_BITS)
    for digit in range(digits):
        start = np.uint32(0)
        for bucket in range(_BUCKETS):
            size = starts[digit, bucket]
            starts[digit, bucket] = start
            start += size
    return keys, starts
