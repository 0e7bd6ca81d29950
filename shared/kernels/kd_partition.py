"""k-d partition: split trips of neighbouring origins (a patch) into blocks by their destinations, so that a box cuts few blocks.

A patch is halved repeatedly across its longer side, as a k-d tree is built. Of the trips whose origins lie in a box of 8 km
(16 km) in a city, 29 (17) % are in blocks whose destinations the box cuts. Sorting a patch by destination leaves 40 (18) %, with
patches of a quarter of the size 62 (35) %; slices by one axis and then the other 38 (26) %.
Source: J. L. Bentley, Multidimensional binary search trees used for associative searching, 1975.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.position import AXIS_STEPS
from shared.kernels.compiler import compile_kernel
from shared.kernels.morton import gather
from shared.platform.arrays import Numbers

Steps = npt.NDArray[np.int32]
PatchColumns = tuple[Steps, Steps, Steps]
"""Trip indexes, and their destinations' steps on both axes."""

# A tree with more levels would have more leaves than trips.
_MOST_LEVELS: Final = 64
_BUCKETS: Final = 1_024
# Every eighth destination is enough to find the longer side.
_SAMPLED: Final = 8


@compile_kernel
def part_patches(others: Numbers, patches: Numbers, offsets: Numbers) -> Steps:
    """Part the trips of each patch into its blocks by their other ends. Within a block they keep their order.

    Shape: n positions, the cuts of patches, and those of blocks, each from 0 to n; every patch's cut is a block's → n places.
    """
    indexes = np.arange(len(others)).astype(np.int32)
    x, y = np.empty(len(others), np.int32), np.empty(len(others), np.int32)
    for index in range(len(others)):
        x[index], y[index] = gather(others[index] >> 1), gather(others[index])
    block = 0
    for patch in range(len(patches) - 1):
        first = block
        while offsets[block] < patches[patch + 1]:
            block += 1
        _part_patch((indexes, x, y), offsets[first : block + 1])
    return indexes


@compile_kernel
def _part_patch(columns: PatchColumns, offsets: Numbers) -> None:
    """Split the trips of one patch into the blocks between its offsets."""
    indexes, x, y = columns
    scratch = np.empty((3, offsets[-1] - offsets[0]), np.int32)
    pending = np.empty((_MOST_LEVELS, 2), np.int64)
    pending[0, 0], pending[0, 1] = 0, len(offsets) - 1
    count = 1
    while count:
        count -= 1
        low, high = pending[count]
        if high - low < 2:
            continue
        middle = (low + high) // 2
        part = slice(offsets[low], offsets[high])
        if _is_wide(x[part], y[part]):
            _halve((indexes[part], x[part], y[part]), offsets[middle] - offsets[low], scratch)
        else:
            _halve((indexes[part], y[part], x[part]), offsets[middle] - offsets[low], scratch)
        pending[count, 0], pending[count, 1] = low, middle
        pending[count + 1, 0], pending[count + 1, 1] = middle, high
        count += 2


@compile_kernel
def _is_wide(x: Steps, y: Steps) -> bool:
    """Whether points spread more from west to east than from south to north, on the ground."""
    some_x, some_y = x[::_SAMPLED].astype(np.float64), y[::_SAMPLED].astype(np.float64)
    latitude = (some_y.mean() / AXIS_STEPS - 0.5) * math.pi
    # A circle of latitude has as many steps as two of longitude's.
    return bool(2 * math.cos(latitude) * some_x.std() > some_y.std())


@compile_kernel
def _halve(columns: PatchColumns, size: int, scratch: Steps) -> None:
    """Put the size points with the smallest keys (the second column) first; those on either side keep their order."""
    indexes, keys, others = columns
    limit, ties = _find_limit(keys, size)
    low, high = 0, 0
    # Without branches, which would be guessed wrong half of the time.
    for n in range(len(keys)):
        index, key, other = indexes[n], keys[n], others[n]
        is_tie = (key == limit) & (ties > 0)
        is_low = (key < limit) | is_tie
        ties -= is_tie
        indexes[low], keys[low], others[low] = index, key, other
        scratch[0, high], scratch[1, high], scratch[2, high] = index, key, other
        low += is_low
        high += not is_low
    indexes[size:], keys[size:], others[size:] = scratch[0, :high], scratch[1, :high], scratch[2, :high]


@compile_kernel
def _find_limit(keys: Steps, size: int) -> tuple[int, int]:
    """Find the key that the size-th smallest has, and how many of that key are among the size smallest."""
    least, spread = keys.min(), np.int64(keys.max()) - keys.min()
    shift = 0
    while spread >> shift >= _BUCKETS:
        shift += 1
    counts = np.zeros(_BUCKETS, np.int64)
    for key in keys:
        counts[(key - least) >> shift] += 1
    bucket, before = 0, np.int64(0)
    while before + counts[bucket] < size:
        before += counts[bucket]
        bucket += 1
    found = np.empty(counts[bucket] + 1, np.int32)
    count = 0
    for key in keys:
        found[count] = key
        count += (key - least) >> shift == bucket
    found = np.sort(found[:-1])
    limit = found[size - before - 1]
    return limit, size - before - np.searchsorted(found, limit)
